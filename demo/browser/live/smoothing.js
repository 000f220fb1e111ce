// A calm display: probabilities smoothed over time, and ticks that don't flicker when one hovers at a cut.

import {stateOf, withoutContradictions} from "../shared/attributes/decisions.js";

const CALMEST_MS = 400; // time constant of the smoothing at its calmest
const WIDEST_MARGIN = 0.03; // how far a probability must pass a cut at 0.5 to change a tick
const BEYOND_CUTS = 1; // of a logit: going further would show nothing new, but would take longer to come back from
const LEAST_BOUND = 6; // 99.75 %
const MOST_BOUND = 14; // beyond this, six decimals can't tell a probability from 0 or 1

/** @typedef {import("../shared/attributes/decisions.js").Rule} Rule */
/** @typedef {import("../shared/attributes/decisions.js").Tick} Tick */

/**
 * The last update of a face.
 *
 * @typedef {object} Update
 * @property {number} milliseconds
 * @property {number[]} logits
 * @property {Rule} rule
 * @property {Tick[]} states - before ticks that exclude each other were resolved
 * @property {Tick[]} ticks
 */

/** Smooths by elapsed time, so that a slow connection lags behind the face no longer than a fast one. */
export class Smoother {
  /** @param {number} remembered - how many milliseconds the server keeps the number of a face out of sight */
  constructor(remembered) {
    this.remembered = remembered;
    this.calm = 0; // 0: raw, 1: calmest
    /** @type {Map<number, Update>} */
    this.faces = new Map(); // number of a face -> its last update
  }

  /**
   * What to show for a face, in the order of the given probabilities.
   *
   * @param {number} number - of the face
   * @param {number[]} probabilities
   * @param {number} milliseconds - on the page's clock
   * @param {Rule} rule - decides each tick
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
    const before = last?.rule === rule ? last : null; // a changed rule takes effect at once
    const states = shown.map((probability, index) =>
      stateOf(probability, rule.cuts[index], before?.states[index], margin),
    );
    const ticks = withoutContradictions(states, shown, rule, before?.ticks, margin);
    this.faces.set(number, {milliseconds, logits, rule, states, ticks});
    return {probabilities: shown, ticks};
  }

  /**
   * Forgets faces that are gone for good; one hidden for a moment comes back as calm as before.
   *
   * @param {number} milliseconds - on the page's clock
   */
  forget(milliseconds) {
    for (const [number, last] of this.faces)
      if (milliseconds - last.milliseconds > this.remembered) this.faces.delete(number);
  }
}

/**
 * The weight of a new value, for exponential smoothing over time.
 *
 * @param {number} elapsed - milliseconds since the last one
 * @param {number} calm - 0: raw, 1: calmest
 */
export function shareOfNew(elapsed, calm) {
  const constant = CALMEST_MS * calm;
  return constant > 0 ? 1 - Math.exp(-Math.max(0, elapsed) / constant) : 1;
}

/**
 * A probability's logit, bounded well beyond both of the attribute's cuts.
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
