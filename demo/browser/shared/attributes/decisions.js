// Decides each box: ticked, empty, or not sure. The same rule as in slimnet/decisions.py, with the weights' numbers.

const PLAIN_THRESHOLD = 0.5; // for weights without operating points
export const SURE_ONLY = "accuracy"; // the operating point that ticks nothing within the unsure band
const LEAST_ROOM = 1e-9; // above a threshold, which may itself be 1

/**
 * Where an attribute's box changes: empty up to `lower`, ticked above `upper` (with `inclusive`, also at it), and not
 * sure in between. A tick's sureness is measured from `threshold`.
 *
 * @typedef {{lower: number, upper: number, inclusive: boolean, threshold: number}} Cuts
 */

/**
 * @typedef {object} Rule
 * @property {Cuts[]} cuts - one for each attribute
 * @property {[number, number][]} exclusive - pairs of attributes; at most one of a pair is ticked
 */

/** @typedef {boolean | null} Tick - null: not sure */

/**
 * @param {string[]} attributes - names in the order of the probabilities
 * @param {Decisions | null} decisions - null: each box has one threshold, and nothing is ever not sure
 * @param {string} point - the operating point that the visitor chose
 * @param {Object<string, number>} thresholds - attribute -> the visitor's own, which overrides all else
 * @returns {Rule}
 */
export function ruleOf(attributes, decisions, point, thresholds) {
  const cuts = attributes.map((name, index) => {
    const own = thresholds[name];
    if (own !== undefined || !decisions) {
      const threshold = own ?? PLAIN_THRESHOLD;
      return {lower: threshold, upper: threshold, inclusive: false, threshold};
    }
    const [low, high] = decisions.unsure[index];
    const threshold = decisions.points[point].thresholds[index];
    if (point === SURE_ONLY) return {lower: low, upper: high, inclusive: high < 1, threshold}; // up to 1: never ticked
    return {lower: Math.min(low, threshold), upper: threshold, inclusive: false, threshold};
  });
  const pairs = decisions?.exclusive ?? [];
  return {cuts, exclusive: pairs.map(([one, other]) => [attributes.indexOf(one), attributes.indexOf(other)])};
}

/**
 * @param {number[]} probabilities
 * @param {Rule} rule
 * @returns {Tick[]}
 */
export function decide(probabilities, rule) {
  const states = probabilities.map((probability, index) => stateOf(probability, rule.cuts[index]));
  return withoutContradictions(states, probabilities, rule);
}

/**
 * An attribute's state by its own cuts alone.
 *
 * @param {number} probability
 * @param {Cuts} cuts
 * @param {Tick | undefined} last - its previous state, which it keeps near a cut; undefined: none
 * @param {number} margin - how far a probability must pass a cut at 0.5 to change the state
 * @returns {Tick}
 */
export function stateOf(probability, {lower, upper, inclusive}, last = undefined, margin = 0) {
  const passes = (/** @type {number} */ cut, /** @type {boolean} */ before, /** @type {boolean} */ at) => {
    const near = Math.abs(probability - cut) < 4 * cut * (1 - cut) * margin; // the margin shrinks towards 0 and 1
    return near && last !== undefined ? before : probability > cut || (at && probability === cut);
  };
  if (passes(upper, last === true, inclusive)) return true;
  return lower > 0 && !passes(lower, last !== false, false) ? false : null; // a band from 0: never empty
}

/**
 * Resolves ticks that exclude each other: the surest one stays, the others become "not sure".
 *
 * @param {Tick[]} states
 * @param {number[]} probabilities
 * @param {Rule} rule
 * @param {Tick[]} last - the previous result, whose ticks stay unless another one is clearly surer
 * @param {number} margin - how much surer
 * @returns {Tick[]}
 */
export function withoutContradictions(states, probabilities, {cuts, exclusive}, last = [], margin = 0) {
  const ticks = [...states];
  const sureness = (/** @type {number} */ index) => {
    const {threshold} = cuts[index];
    const share = (probabilities[index] - threshold) / Math.max(1 - threshold, LEAST_ROOM);
    return share + (last[index] === true ? margin : 0);
  };
  const contested = new Set(exclusive.filter((pair) => pair.every((index) => states[index])).flat());
  const surest = [...contested].sort((one, other) => sureness(other) - sureness(one) || one - other);
  for (const index of surest) {
    if (!ticks[index]) continue;
    for (const pair of exclusive) {
      if (pair.includes(index)) ticks[pair[0] === index ? pair[1] : pair[0]] &&= null;
    }
  }
  return ticks;
}
