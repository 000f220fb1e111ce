// Rounds as Python does, so that windows and boxes are the same in both.

/**
 * The nearest whole number; if two are equally near, the even one.
 *
 * @param {number} value
 */
export function roundHalfEven(value) {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

/**
 * @param {number} value
 * @param {number} low
 * @param {number} high
 */
export function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}
