// The head of the page: the switch between Live and Photo, the choice of language, and a notice on shared addresses.

import {find} from "./shared/elements.js";
import {offerLanguages} from "./shared/language_choice.js";
import {startTabs} from "./shared/panels.js";
import {translate} from "./shared/written.js";

export {ready} from "./shared/language.js";

/** @param {HTMLElement} element - holds the head */
export function start(element) {
  translate(element);
  offerLanguages(find(element, ".language select", HTMLSelectElement), find(element, ".language-problem", HTMLElement));
  startTabs(find(element, "[role=tablist]", HTMLElement));
  // --share and Colab give the page a second address, so only the browser knows which one it is using.
  find(element, ".tunnel", HTMLElement).hidden = !location.hostname.endsWith(".gradio.live");
}
