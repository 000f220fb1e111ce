// Says things to the visitor, and waits before another try.

import {fillWith, write, written} from "./written.js";

const STEP_MS = 100; // how often a pause looks whether it is still wanted

/** @typedef {import("./language.js").Words} Words */

/**
 * Says something in the panel's status line, unless it says so already: a screen reader would read it twice.
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
 * Says what came of something that the visitor did, even if the line says so already.
 *
 * @param {HTMLElement} line
 * @param {Words} words
 */
export function tell(line, words) {
  const again = String(shownIn(line)) === String(words);
  say(line, words);
  if (again) speak(line, words);
}

/**
 * Says something to screen readers only, until the line's next message; the visible text stays.
 *
 * @param {HTMLElement} line - a status line
 * @param {Words} sentence - said even if it is the same as the last one, since the visitor has asked again
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
 * The visible text of a status line.
 *
 * @param {HTMLElement} line
 */
export function shownIn(line) {
  return written(line.querySelector("[aria-hidden]") ?? line);
}

/**
 * Waits for as long as something is still wanted, but no longer than asked for.
 *
 * @param {() => boolean} isWanted
 * @param {number} milliseconds
 */
export async function pauseWhile(isWanted, milliseconds) {
  const end = performance.now() + milliseconds;
  for (let left = milliseconds; left > 0 && isWanted(); left = end - performance.now()) {
    await pause(Math.min(left, STEP_MS));
  }
}

/** @param {number} milliseconds */
export function pause(milliseconds) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
