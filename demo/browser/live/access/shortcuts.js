// Single keys that do what the buttons of live mode do.

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
const SCOPE = ".stage, .faces, #live-stop"; // within which they always work
const TYPED_IN = "input:not([type=checkbox], [type=radio], [type=range]), textarea, select, [contenteditable]";

/**
 * Single keys hinder who speaks to the computer, or hits a key by chance (WCAG 2.1.4): beside the picture and its buttons
 * they work only where the visitor has switched them on, and nowhere while somebody types.
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
