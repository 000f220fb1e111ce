// Which of the two panels is visible: Live or Photo. Both stay in the page, so that neither loses its content.

import {find, findAll} from "./elements.js";

/** @typedef {"live" | "photo"} Panel */

/** @type {Panel} */
let chosen = "live";
/** @type {((panel: Panel) => void)[]} */
const listeners = [];

/** @returns {Panel} */
export function chosenPanel() {
  return chosen;
}

/** @param {(panel: Panel) => void} callback - called with each new choice, once the panel is visible */
export function whenPanelChosen(callback) {
  listeners.push(callback);
}

/**
 * Shows one panel instead of the other; does nothing if it is visible already.
 *
 * @param {Panel} panel
 */
export function choosePanel(panel) {
  if (panel === chosen) return;
  chosen = panel;
  if (document.fullscreenElement) document.exitFullscreen(); // else the page behind the hidden panel would take no click
  for (const tab of findAll(document, "[data-panel]", HTMLButtonElement)) showChoice(tab);
  for (const listener of listeners) listener(panel);
}

/** @param {HTMLButtonElement} tab - of a panel */
function showChoice(tab) {
  const on = tab.dataset.panel === chosen;
  tab.setAttribute("aria-selected", String(on));
  tab.tabIndex = on ? 0 : -1;
  find(document, `#${tab.dataset.panel}`, HTMLElement).hidden = !on;
}

/**
 * Makes the tabs work with a pointer and with arrow keys.
 *
 * @param {HTMLElement} tablist
 */
export function startTabs(tablist) {
  const tabs = findAll(tablist, "[data-panel]", HTMLButtonElement);
  for (const tab of tabs) tab.addEventListener("click", () => choosePanel(panelOf(tab)));
  tablist.addEventListener("keydown", ({key, altKey, ctrlKey, metaKey}) => {
    if ((key !== "ArrowLeft" && key !== "ArrowRight") || altKey || ctrlKey || metaKey) return;
    const other = tabs.find((tab) => panelOf(tab) !== chosen);
    choosePanel(panelOf(other));
    other.focus();
  });
  tablist.inert = false;
}

/**
 * @param {HTMLButtonElement} tab
 * @returns {Panel}
 */
function panelOf(tab) {
  return tab.dataset.panel === "photo" ? "photo" : "live";
}
