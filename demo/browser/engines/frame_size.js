// How large the pictures sent are. Only measured latencies decide, so the same latencies always lead to the same steps.

const STEPS = [
  // pixels of the longer side, and the JPEG's quality
  {width: 480, quality: 0.8},
  {width: 400, quality: 0.7},
  {width: 320, quality: 0.6},
  {width: 256, quality: 0.5},
];
const SLOW_MS = 300; // answers slower than this make the pictures smaller,
const QUICK_MS = 180; // and quicker ones larger again
const SLOW_ANSWERS = 8; // answers considered before a step down,
const QUICK_ANSWERS = 24; // and before a step up
const MOST_QUICK_ANSWERS = 768;

export const LARGEST_WIDTH = STEPS[0].width;

export class FrameSize {
  constructor() {
    this.step = 0;
    /** @type {number[]} */
    this.recent = []; // latencies of the last `patience` answers at this step, in milliseconds
    this.held = 0; // how many answers there were at this step
    this.rose = false; // whether this step was reached from a smaller picture
    this.patience = QUICK_ANSWERS;
  }

  get width() {
    return STEPS[this.step].width;
  }
  get quality() {
    return STEPS[this.step].quality;
  }
  get reduced() {
    return this.step > 0;
  }

  /** @param {number} milliseconds - from sending a frame to receiving its answer */
  note(milliseconds) {
    this.held += 1;
    this.recent.push(milliseconds);
    if (this.recent.length > this.patience) this.recent.shift();
    const slow = this.recent.length >= SLOW_ANSWERS && middle(this.recent.slice(-SLOW_ANSWERS)) > SLOW_MS;
    const quick = this.recent.length >= this.patience && middle(this.recent) < QUICK_MS;
    if (slow) this.shrink();
    else if (quick && this.step > 0) this.move(-1);
  }

  /** Makes the pictures smaller: answers are slow, or one was given up. */
  shrink() {
    if (this.step === STEPS.length - 1) return;
    // If a larger picture soon proved too large, wait for twice as many answers before trying it again.
    const failed = this.rose && this.held < 2 * this.patience;
    this.patience = failed ? Math.min(MOST_QUICK_ANSWERS, 2 * this.patience) : QUICK_ANSWERS;
    this.move(1);
  }

  /** @param {number} direction - 1: to smaller pictures, -1: to larger ones */
  move(direction) {
    this.step += direction;
    this.rose = direction < 0;
    this.recent = [];
    this.held = 0;
  }
}

/** @param {number[]} values */
function middle(values) {
  return [...values].sort((one, other) => one - other)[values.length >> 1];
}
