// Looks up elements of the page's HTML.

/**
 * The first element that a selector matches.
 *
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} kind - what it must be, such as HTMLButtonElement
 * @returns {T}
 */
export function find(root, selector, kind) {
  const found = root.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`The page holds no ${kind.name} that ${selector} matches.`);
  return found;
}

/**
 * All elements of one kind that a selector matches.
 *
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} kind - elements of other kinds are left out
 * @returns {T[]}
 */
export function findAll(root, selector, kind) {
  /** @type {T[]} */
  const all = [];
  for (const found of root.querySelectorAll(selector)) if (found instanceof kind) all.push(found);
  return all;
}

/**
 * The closest element around an event's target, or the target itself, that a selector matches.
 *
 * @param {Event} event
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
export function closest(event, selector) {
  return event.target instanceof Element ? event.target.closest(selector) : null;
}
