// Keeps keyboard users from being sent back to the top of the page: a control that goes passes its focus to one nearby.

const CONTROLS = "a[href], button, input:not([type=file]), select, summary";

/**
 * Watches the focus of the whole page. Call it once.
 *
 * If a control is removed, hidden or disabled while it has the focus, the browser moves the focus to body.
 */
export function keepFocus() {
  /** @type {Place | null} */
  let last = null;
  const restore = () => {
    if (!last || document.activeElement !== document.body || isUsable(last.control)) return;
    last.nearest()?.focus({preventScroll: true});
  };
  document.addEventListener("focusin", ({target}) => {
    last = target instanceof HTMLElement ? new Place(target) : null;
  });
  document.addEventListener("focusout", ({relatedTarget}) => {
    if (relatedTarget) return;
    queueMicrotask(() => {
      restore(); // a control being removed is still there during the event
      if (last && document.activeElement === document.body && isUsable(last.control)) last = null; // it was left
    });
  });
  // Some browsers send no event when a control is removed.
  new MutationObserver(restore).observe(document.body, {childList: true, subtree: true});
}

/** Remembers where a control is, to find the nearest one once it is gone. */
class Place {
  /** @param {HTMLElement} control */
  constructor(control) {
    this.control = control;
    /** @type {HTMLElement[]} */
    this.around = []; // its ancestors, from its parent to body
    for (let part = control.parentElement; part; part = part.parentElement) this.around.push(part);
    this.position = this.around.length ? usableIn(this.around[0]).indexOf(control) : 0;
  }

  /** The control now at its position in its group, or the group's last one; else the first one of an ancestor. */
  nearest() {
    for (const part of this.around) {
      const controls = usableIn(part);
      const position = part === this.around[0] ? Math.min(this.position, controls.length - 1) : 0;
      if (controls.length) return controls[Math.max(0, position)];
    }
    return null;
  }
}

/**
 * @param {HTMLElement} part - of the page
 * @returns {HTMLElement[]} the controls in it that the Tab key reaches
 */
function usableIn(part) {
  return part.isConnected
    ? [.../** @type {NodeListOf<HTMLElement>} */ (part.querySelectorAll(CONTROLS))].filter(isUsable)
    : [];
}

/** @param {HTMLElement} control */
function isUsable(control) {
  const drawn = control.getClientRects().length > 0;
  const seen = control.checkVisibility?.({visibilityProperty: true}) ?? drawn; // not in Safari before 17.4
  return (
    control.isConnected && seen && control.tabIndex >= 0 && !control.matches(":disabled") && !control.closest("[inert]")
  );
}
