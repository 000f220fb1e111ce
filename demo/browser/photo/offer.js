// Photos that this device could not read; the server reads them only if the visitor agrees.

import {find} from "../shared/elements.js";
import {t} from "../shared/language.js";
import {write} from "../shared/written.js";

/** @typedef {import("./reading.js").Failure} Failure */

export class ServerOffer {
  /**
   * @param {HTMLElement} photo - the panel
   * @param {(failures: Failure[]) => void} onAgree
   */
  constructor(photo, onAgree) {
    this.line = find(photo, ".offer", HTMLElement);
    this.text = find(this.line, "span", HTMLElement);
    /** @type {Failure[]} */
    this.failures = [];
    this.button = find(this.line, "button", HTMLButtonElement);
    this.button.addEventListener("click", () => onAgree(this.failures));
  }

  /** @param {Failure[]} failures - that the server could read; none: there is nothing to offer */
  show(failures) {
    this.failures = failures;
    // The line itself is always there: screen readers announce only what changes in a line that is shown.
    this.button.hidden = failures.length === 0;
    this.line.classList.toggle("made", failures.length > 0);
    write(this.text, failures.length ? offered(failures) : "");
  }
}

/** @param {Failure[]} failures - at least one */
function offered(failures) {
  const count = failures.length;
  return count === 1
    ? t("The server may be able to read {name}. If you agree, it goes there, is analysed in memory and never stored.", {
        name: failures[0].name,
      })
    : t(
        "The server may be able to read {count} of these photos. If you agree, they go there, are analysed in memory and never stored.",
        {
          count,
        },
      );
}
