// Guides visitors who can't see the picture into it, one short sentence at a time.

import {t} from "../../shared/language.js";

/**
 * What can be wrong with a face's place -> the share of the picture above which the guide says so, and the one below
 * which it is put right. In between, the last advice stays, so that nobody is sent to and fro.
 *
 * @type {Object<string, {from: number, until: number}>}
 */
const LIMITS = {
  near: {from: 0.75, until: 0.65}, // height of the face
  far: {from: -0.15, until: -0.2}, // the same, negated
  left: {from: 0.2, until: 0.12}, // distance of the face's middle from the picture's
  right: {from: 0.2, until: 0.12},
  high: {from: 0.22, until: 0.14},
  low: {from: 0.25, until: 0.17},
};

export class Guide {
  constructor() {
    this.facesAway = false; // whether the camera films what the visitor sees, not the visitor
    /** @type {string | undefined} */
    this.problem = undefined; // that was mentioned last
  }

  /**
   * What to do to be well placed in the picture.
   *
   * @param {number[]} box - left, top, width and height of the face in the frame as the camera took it
   * @param {number} width - of the frame
   * @param {number} height
   * @returns {import("../../shared/language.js").Words} empty for a face that is well placed
   */
  place([x, y, boxWidth, boxHeight], width, height) {
    const [across, down] = [(x + boxWidth / 2) / width - 0.5, (y + boxHeight / 2) / height - 0.5];
    const share = boxHeight / height;
    /** @type {Object<string, number>} */
    const measured = {near: share, far: -share, left: -across, right: across, high: -down, low: down};
    const isWrong = (/** @type {string} */ problem) => {
      const {from, until} = LIMITS[problem];
      return measured[problem] > (problem === this.problem ? until : from);
    };
    if (!this.problem || !isWrong(this.problem)) this.problem = Object.keys(LIMITS).find(isWrong);
    return this.problem ? this.advice(this.problem) : "";
  }

  /**
   * Left and right are the visitor's. The camera sees them from the front, so whoever is too far right appears at the
   * left of its frame. Mirroring changes the page's picture, not the frame.
   *
   * @param {string} problem - a key of LIMITS
   */
  advice(problem) {
    const [toLeft, toRight] = this.facesAway
      ? [t("Turn the camera to the left."), t("Turn the camera to the right.")]
      : [t("Move to your left."), t("Move to your right.")];
    /** @type {Object<string, import("../../shared/language.js").Words>} */
    const advice = {
      near: t("Too close: move back a little."),
      far: t("Too far away: come closer."),
      left: toLeft,
      right: toRight,
      high: t("Tilt the camera up."),
      low: t("Tilt the camera down."),
    };
    return advice[problem];
  }
}
