// A calm display: probabilities smoothed over time, and ticks that do not flicker where one hovers at its threshold.

const CALMEST_MS = 400; // time constant of the smoothing when all calm
const WIDEST_MARGIN = 0.03; // how far a probability must pass its threshold to change a tick
const REMEMBERED_MS = 2000; // as long as the server keeps the number of a face out of sight
const LARGEST_LOGIT = 6; // 99.75 %: beyond it nothing is to be seen, but the way back would take longer

/** Smooths by elapsed time, so that a slow connection trails the face no longer than a fast one. */
export class Smoother {
  constructor() {
    this.calm = 0; // 0: raw, 1: calmest
    /** @type {Map<number, {milliseconds: number, logits: number[], thresholds: number[], ticks: boolean[]}>} */
    this.faces = new Map(); // number of a face -> its last update
  }

  /**
   * What to show for a face, in the order of the probabilities that are given.
   *
   * @param {number} number - of the face
   * @param {number[]} probabilities
   * @param {number} milliseconds - on the page's clock
   * @param {number[]} thresholds - the probability above which each is ticked
   * @returns {{probabilities: number[], ticks: boolean[]}}
   */
  update(number, probabilities, milliseconds, thresholds) {
    const last = this.faces.get(number);
    const constant = CALMEST_MS * this.calm;
    const share = last && constant > 0 ? 1 - Math.exp(-Math.max(0, milliseconds - last.milliseconds) / constant) : 1;
    const logits = probabilities.map((probability, index) => {
      const logit = boundedLogit(probability);
      return last ? last.logits[index] + share * (logit - last.logits[index]) : logit;
    });
    const shown = share === 1 ? [...probabilities] : logits.map((logit) => 1 / (1 + Math.exp(-logit)));
    const margin = Math.min(WIDEST_MARGIN, 2 * WIDEST_MARGIN * this.calm);
    const ticks = shown.map((probability, index) => {
      const threshold = thresholds[index];
      const known = last && last.thresholds[index] === threshold; // a threshold that was moved holds at once
      if (known && Math.abs(probability - threshold) <= margin) return last.ticks[index];
      return probability > threshold;
    });
    this.faces.set(number, {milliseconds, logits, thresholds: [...thresholds], ticks});
    return {probabilities: shown, ticks};
  }

  /**
   * Forgets the faces that are out of sight for good; who was hidden for a moment comes back as calm as before.
   *
   * @param {number} milliseconds - on the page's clock
   */
  forget(milliseconds) {
    for (const [number, last] of this.faces)
      if (milliseconds - last.milliseconds > REMEMBERED_MS) this.faces.delete(number);
  }
}

/** @param {number} probability */
function boundedLogit(probability) {
  const bound = 1 / (1 + Math.exp(-LARGEST_LOGIT));
  const inside = Math.min(bound, Math.max(1 - bound, probability));
  return Math.log(inside / (1 - inside));
}
