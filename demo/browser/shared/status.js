// What is said to the visitor, and waiting before it is tried again.

/**
 * Says something in the panel's status line, and nothing twice: a screen reader would read it twice.
 *
 * @param {HTMLElement} line
 * @param {string} text
 * @param {string} kind - "plain", "waiting" or "problem"
 */
export function say(line, text, kind = "plain") {
  if (shownIn(line) !== text) line.textContent = text;
  line.dataset.kind = kind;
}

/**
 * Says something to screen readers alone, until the next thing is said in the line; what is seen there stays.
 *
 * @param {HTMLElement} line - a status line
 * @param {string} sentence - said even where it was the last one, too: the visitor has asked again
 */
export function speak(line, sentence) {
  const [seen, heard] = [shownIn(line), sentence].map((text) => {
    const part = document.createElement("span");
    part.textContent = text;
    return part;
  });
  seen.setAttribute("aria-hidden", "true");
  heard.className = "unseen";
  line.replaceChildren(seen, heard);
}

/**
 * The text that is seen in a status line.
 *
 * @param {HTMLElement} line
 */
export function shownIn(line) {
  return (line.querySelector("[aria-hidden]") ?? line).textContent;
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
