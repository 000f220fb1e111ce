// Shares as people read them.

import {t} from "../language.js";

const WHOLE = Array.from({length: 101}, (_, percent) => t("{percent}%", {percent})); // rows show new ones all the time

/**
 * A share as a whole percentage.
 *
 * @param {number} share - from 0 to 1
 */
export function percentage(share) {
  return WHOLE[Math.round(100 * share)];
}
