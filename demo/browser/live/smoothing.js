// A calm display: probabilities smoothed over time, and ticks that do not flicker where one hovers at a cut.

import {stateOf, withoutContradictions} from "../shared/attributes/decisions.js";

const CALMEST_MS = 400; // time constant of the smoothing when all calm
const WIDEST_MARGIN = 0.03; // how far a probability must pass a cut at one half to change a tick
const BEYOND_CUTS = 1; // of a logit: further from zero nothing is to be seen, but the way back would take longer
const LEAST_BOUND = 6; // 99.75 %
const MOST_BOUND = 14; // all that six decimals can tell from 0 and 1

/** @typedef {import("../shared/attributes/decisions.js").Rule} Rule */
/** @typedef {import("../shared/attributes/decisions.js").Tick} Tick */

/**
 * The last update of a face.
 *
 * @typedef {object} Update
 * @property {number} milliseconds
 * @property {number[]} logits
 * @property {Rule} rule
 * @property {Tick[]} states - before ticks that exclude each other were taken apart
 * @property {Tick[]} ticks
 */

/** Smooths by elapsed time, so that a slow connection trails the face no longer than a fast one. */
export class Smoother {
  /** @param {number} remembered - milliseconds for which the server keeps the number of a face out of sight */
  constructor(remembered) {
    this.remembered = remembered;
    this.calm = 0; // 0: raw, 1: calmest
    /** @type {Map<number, Update>} */
    this.faces = new Map(); // number of a face -> its last update
  }

  /**
   * What to show for a face, in the order of the probabilities that are given.
   *
   * @param {number} number - of the face
   * @param {number[]} probabilities
   * @param {number} milliseconds - on the page's clock
   * @param {Rule} rule - how each is decided
   * @returns {{probabilities: number[], ticks: Tick[]}}
   */
  update(number, probabilities, milliseconds, rule) {
    const last = this.faces.get(number);
    const share = last ? shareOfNew(milliseconds - last.milliseconds, this.calm) : 1;
    const logits = probabilities.map((probability, index) => {
      const logit = boundedLogit(probability, rule.cuts[index]);
      return last ? last.logits[index] + share * (logit - last.logits[index]) : logit;
    });
    const shown = share === 1 ? [...probabilities] : logits.map((logit) => 1 / (1 + Math.exp(-logit)));
    const margin = Math.min(WIDEST_MARGIN, 2 * WIDEST_MARGIN * this.calm);
    const before = last?.rule === rule ? last : null; // a rule that was changed holds at once
    const states = shown.map((probability, index) =>
      stateOf(probability, rule.cuts[index], before?.states[index], margin),
    );
    const ticks = withoutContradictions(states, shown, rule, before?.ticks, margin);
    this.faces.set(number, {milliseconds, logits, rule, states, ticks});
    return {probabilities: shown, ticks};
  }

  /**
   * Forgets the faces that are out of sight for good; who was hidden for a moment comes back as calm as before.
   *
   * @param {number} milliseconds - on the page's clock
   */
  forget(milliseconds) {
    for (const [number, last] of this.faces)
      if (milliseconds - last.milliseconds > this.remembered) this.faces.delete(number);
  }
}

/**
 * How much of a new value is shown at once, so that values follow an exponential over time.
 *
 * @param {number} elapsed - milliseconds since the last one
 * @param {number} calm - 0: raw, 1: calmest
 */
export function shareOfNew(elapsed, calm) {
  const constant = CALMEST_MS * calm;
  return constant > 0 ? 1 - Math.exp(-Math.max(0, elapsed) / constant) : 1;
}

/**
 * A probability's logit, bounded where both of the attribute's cuts have long been passed.
 *
 * @param {number} probability
 * @param {import("../shared/attributes/decisions.js").Cuts} cuts
 */
function boundedLogit(probability, {lower, upper}) {
  const furthest = Math.max(Math.abs(logitOf(lower)), Math.abs(logitOf(upper))) + BEYOND_CUTS;
  const bound = Math.min(MOST_BOUND, Math.max(LEAST_BOUND, furthest));
  return Math.min(bound, Math.max(-bound, logitOf(probability)));
}

/** @param {number} probability */
function logitOf(probability) {
  return Math.log(probability / (1 - probability)); // of 0 and 1: infinite
}
