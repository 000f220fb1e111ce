// The line that says how live mode is doing: it skips what is true only for a moment, and keeps notices for a while.

import {say, shownIn, speak, tell} from "../shared/status.js";

const SETTLED_MS = 300; // something must be true for this long to be worth a sentence
const NOTICE_MS = 4000; // how long the line says what a button did

/** @typedef {import("../shared/language.js").Words} Words */

export class StatusLine {
  /** @param {HTMLElement} line */
  constructor(line) {
    this.line = line;
    this.settling = {text: "", since: 0};
    this.noticedUntil = 0; // milliseconds
    /** @type {{text: Words, kind: string} | null} */
    this.before = null; // what the notice took the place of
    this.timer = 0; // of its end
  }

  /**
   * @param {Words} text
   * @param {string} kind - "plain", "waiting" or "problem"
   */
  say(text, kind = "plain") {
    this.before = null;
    this.noticedUntil = 0;
    say(this.line, text, kind);
  }

  /** @param {Words} text - what a button did */
  notice(text) {
    const before = this.before ?? {text: this.shown, kind: this.line.dataset.kind};
    this.noticedUntil = performance.now() + NOTICE_MS;
    tell(this.line, text);
    this.before = before;
    // If no frame comes that has something to say, such as while the picture is frozen.
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (this.before === before) this.say(before.text, before.kind);
    }, NOTICE_MS);
  }

  /**
   * Says something about the frame once it has been true for a while.
   *
   * @param {Words} text
   * @param {string} kind - "plain", "waiting" or "problem"
   * @param {number} now - milliseconds
   */
  settle(text, kind, now) {
    if (this.settling.text !== String(text)) this.settling = {text: String(text), since: now};
    if (now >= this.noticedUntil && now - this.settling.since >= SETTLED_MS) this.say(text, kind);
  }

  /** @param {Words} sentence - for screen readers only */
  speak(sentence) {
    speak(this.line, sentence);
  }

  /** The text that everybody sees. */
  get shown() {
    return shownIn(this.line);
  }

  /** Has screen readers read the line again. */
  repeat() {
    this.speak(this.shown);
  }
}
