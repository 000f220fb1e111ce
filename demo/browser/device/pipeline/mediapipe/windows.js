// Which windows of a picture the face detector looks at, like demo/pipeline/mediapipe/windows.py.

import {roundHalfEven} from "../numeric/rounding.js";

/**
 * Left, top, width and height in whole pixels.
 *
 * @typedef {[number, number, number, number]} Window
 */

// Tiles per longer side, and the minimum length of that side in pixels.
export const TILINGS = [2, 4, 8];
/** @type {Object<number, number>} */
const TILE_LIMITS = {2: 320, 4: 640, 8: 2048};
const MIN_FACE_SHARE = 0.15; // the detector misses faces smaller than about this share of its input
const MIN_SIDE = 160; // of the small windows, in pixels: shows faces of 24 pixels; smaller faces are too small to judge
const MAX_WINDOWS = 600; // small windows of one picture, all sizes together
const STRIDE = 0.6; // each small window begins this share of its side after the previous one
const NEARLY_AS_SMALL = 1.1; // windows only this much larger than the smallest show nearly the same faces

/**
 * The whole picture as a single window.
 *
 * @param {number} width
 * @param {number} height
 * @returns {Window[]}
 */
export function whole(width, height) {
  return [[0, 0, width, height]];
}

/**
 * One window twice as wide and high as the picture, which is in its middle.
 *
 * @param {number} width
 * @param {number} height
 * @returns {Window[]}
 */
export function withRoom(width, height) {
  return [[Math.floor(-width / 2), Math.floor(-height / 2), 2 * width, 2 * height]];
}

/**
 * Square windows, each overlapping the next by half; none if they would be too small.
 *
 * @param {number} width
 * @param {number} height
 * @param {number} parts - tiles per longer side, one of TILINGS
 * @returns {Window[]}
 */
export function tiles(width, height, parts) {
  const longest = Math.max(width, height);
  return longest >= TILE_LIMITS[parts] ? squares(width, height, Math.floor(longest / parts), 0.5) : [];
}

/**
 * Square windows over the whole picture, row by row, clipped if the picture is narrower.
 *
 * @param {number} width
 * @param {number} height
 * @param {number} side - of a window, in pixels
 * @param {number} stride - largest step from one window to the next, as a share of the side
 * @returns {Window[]}
 */
export function squares(width, height, side, stride = STRIDE) {
  const [across, down] = [Math.min(side, width), Math.min(side, height)];
  return startsOf(height, side, stride).flatMap((top) =>
    startsOf(width, side, stride).map((left) => /** @type {Window} */ ([left, top, across, down])),
  );
}

/**
 * Sides of the small windows, from large to small, starting below the tiles.
 *
 * @param {number} width
 * @param {number} height
 * @returns {number[]}
 */
export function smallSides(width, height) {
  const longest = Math.max(width, height);
  const tile = longest / Math.max(1, ...TILINGS.filter((parts) => longest >= TILE_LIMITS[parts]));
  const coarse = Math.min(tile, Math.min(width, height) / MIN_FACE_SHARE);
  const count = (/** @type {number} */ side) =>
    startsOf(width, side, STRIDE).length * startsOf(height, side, STRIDE).length;
  let least = MIN_SIDE;
  while (sidesBetween(coarse, least).reduce((sum, side) => sum + count(side), 0) > MAX_WINDOWS) least *= 1.02;
  return sidesBetween(coarse, least);
}

/**
 * Sides from below `coarse` down to `least`, in equal ratios of at most 2.
 *
 * @param {number} coarse
 * @param {number} least
 */
function sidesBetween(coarse, least) {
  if (coarse < NEARLY_AS_SMALL * least) return [];
  const steps = Math.ceil(Math.log2(coarse / least));
  return Array.from({length: steps}, (_, step) => roundHalfEven(coarse * (least / coarse) ** ((step + 1) / steps)));
}

/**
 * Where windows of `side` begin to cover `length`, at most `stride` sides apart.
 *
 * @param {number} length
 * @param {number} side
 * @param {number} stride
 */
function startsOf(length, side, stride) {
  if (length <= side) return [0];
  const gaps = Math.ceil((length - side) / (stride * side));
  return Array.from({length: gaps + 1}, (_, i) => roundHalfEven((i * (length - side)) / gaps));
}
