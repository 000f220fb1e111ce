// The head of the page: the switch between Live and Photo, the choice of a language, and what holds at a shared address.

import {find} from "./shared/elements.js";
import {offerLanguages} from "./shared/language_choice.js";
import {startTabs} from "./shared/panels.js";
import {translate} from "./shared/written.js";

/** @param {HTMLElement} element - holds the head */
export function start(element) {
  translate(element);
  offerLanguages(find(element, ".language select", HTMLSelectElement), find(element, ".language-problem", HTMLElement));
  startTabs(find(element, "[role=tablist]", HTMLElement));
  // --share and Colab make a second address for the same page, so only the browser knows which one it is at.
  find(element, ".tunnel", HTMLElement).hidden = !location.hostname.endsWith(".gradio.live");
}
