// The line that says how live mode stands: what holds for a moment only is not said, and notices stay a while.

import {say, shownIn, speak} from "../shared/status.js";

const SETTLED_MS = 300; // what is true for a shorter time is not worth a sentence
const NOTICE_MS = 4000; // for which what a button did stands in the line

/** @typedef {import("../shared/language.js").Words} Words */

export class StatusLine {
  /** @param {HTMLElement} line */
  constructor(line) {
    this.line = line;
    this.settling = {text: "", since: 0};
    this.noticedUntil = 0; // milliseconds
  }

  /**
   * @param {Words} text
   * @param {string} kind - "plain", "waiting" or "problem"
   */
  say(text, kind = "plain") {
    say(this.line, text, kind);
  }

  /** @param {Words} text - what a button did */
  notice(text) {
    this.noticedUntil = performance.now() + NOTICE_MS;
    this.say(text);
  }

  /**
   * Says what is true of a frame, once it has been true for a while.
   *
   * @param {Words} text
   * @param {string} kind - "plain", "waiting" or "problem"
   * @param {number} now - milliseconds
   */
  settle(text, kind, now) {
    if (this.settling.text !== String(text)) this.settling = {text: String(text), since: now};
    if (now >= this.noticedUntil && now - this.settling.since >= SETTLED_MS) this.say(text, kind);
  }

  /** @param {Words} sentence - for screen readers alone */
  speak(sentence) {
    speak(this.line, sentence);
  }

  /** Has screen readers read once more what stands in the line. */
  repeat() {
    this.speak(shownIn(this.line));
  }
}
