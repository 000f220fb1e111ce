// What is shown of each face: its probabilities, smoothed, and its ticks.

import {decide} from "../shared/attributes/decisions.js";
import {Smoother} from "./smoothing.js";

/** @typedef {import("../shared/attributes/decisions.js").Rule} Rule */
/** @typedef {import("../shared/attributes/decisions.js").Tick} Tick */
/** @typedef {import("./view.js").Face} Face */
/** @typedef {{probabilities: number[], ticks: Tick[]}} Reading */

export class Readings {
  /** @param {number} remembered - how many milliseconds the server keeps the number of a face out of sight */
  constructor(remembered) {
    this.remembered = remembered;
    /** @type {Map<number, Reading>} */
    this.read = new Map(); // number of a face -> what is shown of it
    /** @type {Rule | null} */
    this.rule = null; // that its ticks follow
    this.forget();
  }

  /** Forgets how the faces were before: those that come now have other numbers. */
  forget() {
    this.smoother = new Smoother(this.remembered);
  }

  /**
   * Takes the faces of a new frame.
   *
   * @param {Face[]} faces
   * @param {number} now - milliseconds
   * @param {{calm: number, rule: Rule}} settings - how calm the ticks are, from 0 to 1, and what decides them
   */
  take(faces, now, {calm, rule}) {
    const {smoother} = this;
    smoother.calm = calm;
    smoother.forget(now);
    this.rule = rule;
    this.read = new Map(
      faces.map(({number, probabilities}) => [number, smoother.update(number, probabilities, now, rule)]),
    );
  }

  /** @param {Rule} rule - decides the faces of the last frame once more */
  decideAgain(rule) {
    if (this.rule === rule) return;
    this.rule = rule;
    for (const [number, {probabilities}] of this.read) {
      this.read.set(number, {probabilities, ticks: decide(probabilities, rule)});
    }
  }

  /** @param {number} number - of a face in the last frame */
  of(number) {
    return this.read.get(number);
  }
}
