// Single keys that do the same as live mode's buttons.

/** @type {Object<string, string>} */
const ACTIONS = {
  s: "start",
  p: "freeze",
  m: "mirror",
  c: "nextCamera",
  f: "fullScreen",
  a: "say",
  "?": "help",
};
const SCOPE = ".stage, .faces, #live-stop"; // single keys always work inside these
const TYPED_IN = "input:not([type=checkbox], [type=radio], [type=range]), textarea, select, [contenteditable]";

/**
 * Single keys hinder people who dictate, or who hit keys by accident (WCAG 2.1.4). So outside the picture and its
 * buttons they work only if the visitor has switched them on, and never while somebody types.
 *
 * @param {HTMLElement} root - the panel
 * @param {import("../../shared/settings.js").Settings} settings
 * @param {(action: string) => void} act
 * @param {(number: number) => void} chooseFace
 */
export function takeKeys(root, settings, act, chooseFace) {
  document.addEventListener("keydown", (event) => {
    const {target, key} = event;
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented) return;
    if (!(target instanceof Element) || target.closest(TYPED_IN) || root.closest("[hidden]")) return;
    const inScope = root.contains(target) && target.closest(SCOPE);
    if (!inScope && !settings.values.shortcuts) return;
    if (/^[1-9]$/.test(key)) chooseFace(Number(key));
    else if (Object.hasOwn(ACTIONS, key.toLowerCase())) act(ACTIONS[key.toLowerCase()]);
  });
}
