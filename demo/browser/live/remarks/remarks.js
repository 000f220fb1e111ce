// What live mode says besides its status, each in a line of its own: how large the pictures sent are, how old the one
// shown is, that faces are left out, which camera is used, and why something was refused.

import {find} from "../../shared/elements.js";
import {t} from "../../shared/language.js";
import {tell} from "../../shared/status.js";
import {write} from "../../shared/written.js";
import {LARGEST_WIDTH} from "../../engines/frame_size.js";
import {PictureAge} from "./age.js";
import {CrowdRemark} from "./crowd.js";

const REFUSAL_MS = 15000; // how long the page says why it did not take something

/** @typedef {import("../../shared/language.js").Words} Words */

export class Remarks {
  /** @param {HTMLElement} live - the panel */
  constructor(live) {
    const line = (/** @type {string} */ name) => find(live, `.${name}`, HTMLElement);
    this.sizeLine = line("flow");
    this.ageLine = line("age");
    this.refusalLine = line("refusal");
    this.cameraLine = line("other-camera");
    this.crowdLine = line("crowd");
    this.pictureAge = new PictureAge();
    this.crowdRemark = new CrowdRemark();
    /** @type {number | undefined} */
    this.refusalTimer = undefined;
  }

  /** @param {import("../../engines/frame_size.js").FrameSize | null} size - of the pictures that are sent; null if none are */
  showSize(size) {
    const sizes = {width: size?.width, largest: LARGEST_WIDTH};
    const reduced = t("Slow answers: sending smaller pictures, {width} pixels instead of {largest}.", sizes);
    write(this.sizeLine, size?.reduced ? reduced : "");
  }

  /**
   * @param {number} framesPerSecond
   * @param {number} latency - milliseconds from the camera to the page
   */
  showAge(framesPerSecond, latency) {
    write(this.ageLine, this.pictureAge.remark(framesPerSecond, latency));
  }

  /** No longer says how old the picture is, since it is stale altogether. */
  hideAge() {
    write(this.ageLine, "");
  }

  /**
   * @param {number} read - how many faces are read
   * @param {number} leftOut - how many more are seen
   * @param {number} now - milliseconds
   */
  showCrowd(read, leftOut, now) {
    write(this.crowdLine, this.crowdRemark.remark(read, leftOut, now));
  }

  /** @param {Words} text - that another camera is used than the one chosen; empty if it is the one */
  showCamera(text) {
    write(this.cameraLine, text);
  }

  /** @param {Words} sentence - why the page does not take something dropped or pasted */
  refuse(sentence) {
    tell(this.refusalLine, sentence);
    clearTimeout(this.refusalTimer);
    this.refusalTimer = setTimeout(() => write(this.refusalLine, ""), REFUSAL_MS);
  }

  /** Forgets the faces so far. */
  forgetFaces() {
    this.crowdRemark.clear();
    write(this.crowdLine, "");
  }

  /** Drops what is said about frames, since none are expected for now. */
  rest() {
    this.pictureAge.clear();
    this.hideAge();
    write(this.sizeLine, "");
  }

  /** Drops everything, since live mode ends. */
  end() {
    this.rest();
    this.forgetFaces();
    this.showCamera("");
    write(this.refusalLine, "");
  }
}
