// The width of the longest word in some names, so that styles can leave it room: no word may break, in any language.

import {whenLanguageChanges} from "./language.js";

const MEASURED_PX = 100; // large, so that rounding doesn't matter

/**
 * Keeps `--longest-word` on an element: its width in em.
 *
 * @param {HTMLElement} element - that contains the names
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
