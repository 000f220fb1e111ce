// What is said where more faces are seen than are read: somebody without a box must not have to guess why.

import {t} from "../../shared/language.js";

// The detector misses faces in single frames, so the remark appears once frames with too many faces have gone on for this
// long, and goes this long after the last of them.
const SHOW_MS = 500;
const HIDE_MS = 2000;

export class CrowdRemark {
  constructor() {
    this.clear();
  }

  clear() {
    /** @type {number | null} */
    this.since = null; // milliseconds: when more faces were seen first
    this.seen = 0; // milliseconds: when they were last
    this.read = 0; // how many faces were read then
  }

  /**
   * Takes the next frame.
   *
   * @param {number} read - how many faces are read
   * @param {number} leftOut - how many more are seen
   * @param {number} now - milliseconds
   * @returns {import("../../shared/language.js").Words} empty where all are read
   */
  remark(read, leftOut, now) {
    if (leftOut) {
      this.since ??= now;
      Object.assign(this, {seen: now, read});
    } else if (now - this.seen >= HIDE_MS) this.since = null;
    if (this.since === null || this.seen - this.since < SHOW_MS) return "";
    return t("Only the {count} largest faces are read: come closer.", {count: this.read});
  }
}
