// What is said to the visitor, and waiting before it is tried again.

/**
 * Says something in the panel's status line, and nothing twice: a screen reader would read it twice.
 *
 * @param {HTMLElement} line
 * @param {string} text
 * @param {string} kind - "plain", "waiting" or "problem"
 */
export function say(line, text, kind = "plain") {
  if (line.textContent !== text) line.textContent = text;
  line.dataset.kind = kind;
}

/**
 * Shows a sentence in a line of its own for as long as it is true.
 *
 * @param {HTMLElement} line
 * @param {string} text - empty: none
 */
export function showRemark(line, text) {
  line.hidden = !text;
  if (line.textContent !== text) line.textContent = text;
}

/** @param {number} milliseconds */
export function pause(milliseconds) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
