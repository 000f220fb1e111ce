// How old the picture on the page may be, which is worth a sentence when frames are few.

import {number, t} from "../../shared/language.js";

// Hysteresis, in frames a second: the page says so from the lower figure down, and stops above the higher one.
const SLOW = {from: 2.2, until: 3};
const SLOW_FIGURES = 2; // in a row, so that a single late answer is not called slow
const NOTICED_CHANGE = 0.25; // as a share of the age mentioned last

export class PictureAge {
  constructor() {
    this.clear();
  }

  clear() {
    this.slow = false;
    this.slowFigures = 0; // in a row
    this.said = 0; // seconds
  }

  /**
   * @param {number} framesPerSecond
   * @param {number} latency - milliseconds from the camera to the page
   * @returns {import("../../shared/language.js").Words} empty if frames come fast enough
   */
  remark(framesPerSecond, latency) {
    this.slowFigures = framesPerSecond <= SLOW.from ? this.slowFigures + 1 : 0;
    this.slow = this.slow ? framesPerSecond <= SLOW.until : this.slowFigures >= SLOW_FIGURES;
    if (!this.slow) {
      this.said = 0;
      return "";
    }
    const seconds = latency / 1000 + 1 / framesPerSecond; // a picture stays until the next one comes
    if (Math.abs(seconds - this.said) > NOTICED_CHANGE * this.said) this.said = seconds;
    const digits = {minimumFractionDigits: 1, maximumFractionDigits: 1};
    return t("Slow: what you see may be {seconds} s old.", {seconds: number(this.said, digits)});
  }
}
