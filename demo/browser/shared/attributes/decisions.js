// How a box is decided: ticked, empty, or not sure. The rule of slimnet/decisions.py, with the numbers of the weights.

const PLAIN_THRESHOLD = 0.5; // of weights without operating points
export const SURE_ONLY = "accuracy"; // the operating point that ticks nothing within the unsure band
const LEAST_ROOM = 1e-9; // above a threshold, which may be 1

/**
 * Where an attribute's box changes: empty up to `lower`, ticked above `upper` (with `inclusive`, at it too), and not sure
 * between them. How sure a tick is counts from `threshold`.
 *
 * @typedef {{lower: number, upper: number, inclusive: boolean, threshold: number}} Cuts
 */

/**
 * @typedef {object} Rule
 * @property {Cuts[]} cuts - one for each attribute
 * @property {[number, number][]} exclusive - pairs of attributes of which at most one is ticked
 */

/** @typedef {boolean | null} Tick - null: not sure */

/**
 * @param {string[]} attributes - names in the order of the probabilities
 * @param {Decisions | null} decisions - null: each box has one threshold, and nothing is ever not sure
 * @param {string} point - the operating point that the visitor chose
 * @param {Object<string, number>} thresholds - attribute -> the visitor's own, which alone decides about it
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
 * What an attribute's own cuts make of its probability.
 *
 * @param {number} probability
 * @param {Cuts} cuts
 * @param {Tick | undefined} last - its state before, which holds near a cut; undefined: there was none
 * @param {number} margin - of probability: how far a cut at one half must be passed to change the state
 * @returns {Tick}
 */
export function stateOf(probability, {lower, upper, inclusive}, last = undefined, margin = 0) {
  const passes = (/** @type {number} */ cut, /** @type {boolean} */ before, /** @type {boolean} */ at) => {
    const near = Math.abs(probability - cut) < 4 * cut * (1 - cut) * margin; // less and less towards 0 and 1
    return near && last !== undefined ? before : probability > cut || (at && probability === cut);
  };
  if (passes(upper, last === true, inclusive)) return true;
  return passes(lower, last !== false, false) ? null : false;
}

/**
 * Ticks that exclude each other never stand together: the surer one stays, the others become not sure.
 *
 * @param {Tick[]} states
 * @param {number[]} probabilities
 * @param {Rule} rule
 * @param {Tick[]} last - the result before: what was ticked there stays so unless another one is clearly surer
 * @param {number} margin - by how much
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
