// How wide the longest word of some names is, for styles that leave it room: no word breaks inside, in whichever language.

import {whenLanguageChanges} from "./language.js";

const MEASURED_PX = 100; // large, so that rounding does not count

/**
 * Keeps `--longest-word` on an element: its width in em.
 *
 * @param {HTMLElement} element - within which the names stand
 * @param {import("./language.js").Words[]} names
 * @param {number} weight - of their font
 */
export function leaveRoomForWords(element, names, weight) {
  const context = document.createElement("canvas").getContext("2d");
  const measure = () => {
    context.font = `${weight} ${MEASURED_PX}px ${getComputedStyle(element).fontFamily}`;
    const words = names.flatMap((name) => String(name).split(" "));
    const widest = Math.max(0, ...words.map((word) => context.measureText(word).width));
    element.style.setProperty("--longest-word", (widest / MEASURED_PX).toFixed(3));
  };
  measure();
  whenLanguageChanges(measure);
}
