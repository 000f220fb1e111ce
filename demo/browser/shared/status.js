// What is said to the visitor, and waiting before it is tried again.

import {fillWith, write, written} from "./written.js";

/** @typedef {import("./language.js").Words} Words */

/**
 * Says something in the panel's status line, and nothing twice: a screen reader would read it twice.
 *
 * @param {HTMLElement} line
 * @param {Words} words
 * @param {string} kind - "plain", "waiting" or "problem"
 */
export function say(line, words, kind = "plain") {
  if (String(shownIn(line)) !== String(words)) write(line, words);
  line.dataset.kind = kind;
}

/**
 * Says something to screen readers alone, until the next thing is said in the line; what is seen there stays.
 *
 * @param {HTMLElement} line - a status line
 * @param {Words} sentence - said even where it was the last one, too: the visitor has asked again
 */
export function speak(line, sentence) {
  const [seen, heard] = [shownIn(line), sentence].map((words) => {
    const part = document.createElement("span");
    write(part, words);
    return part;
  });
  seen.setAttribute("aria-hidden", "true");
  heard.className = "unseen";
  fillWith(line, [seen, heard]);
}

/**
 * The text that is seen in a status line.
 *
 * @param {HTMLElement} line
 */
export function shownIn(line) {
  return written(line.querySelector("[aria-hidden]") ?? line);
}

/**
 * Shows a sentence in a line of its own for as long as it is true.
 *
 * @param {HTMLElement} line
 * @param {Words} words - empty: none
 */
export function showRemark(line, words) {
  line.hidden = !String(words);
  write(line, words);
}

/** @param {number} milliseconds */
export function pause(milliseconds) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
