// Cuts a face out of a frame the way CelebA's pictures are aligned, like demo/pipeline/align.py.

import {shrinkByArea} from "./numeric/resize.js";
import {clamp} from "./numeric/rounding.js";
import {scaleOf, similarity, transformed} from "./numeric/similarity.js";
import {cut} from "./mediapipe/views.js";
import {warp} from "./numeric/warp.js";

/**
 * @typedef {import("./numeric/resize.js").Frame} Frame
 * @typedef {import("./numeric/similarity.js").Matrix} Matrix
 */

export const [WIDTH, HEIGHT] = [178, 218];
// Where the scale's fraction lies between these, the next larger blocks gradually take over.
const [LAST_FINER, FIRST_COARSER] = [0.3, 0.7];
const MARGIN = 3; // pixels that bicubic sampling reaches beyond a crop, at most

// Where eyes and mouth lie in CelebA's crops, for each way of finding them.
const TARGETS = {
  landmarks: Float64Array.of(69.16, 111.22, 107.61, 111.3, 88.26, 152.12),
  keypoints: Float64Array.of(69.18, 112.79, 107.95, 112.93, 88.21, 156.21),
};

/**
 * Turns and scales a face so that eyes and mouth lie where CelebA has them; outside the frame its border is repeated.
 *
 * @param {Frame} frame
 * @param {import("./face.js").Face} face - found in this frame
 * @returns {Uint8ClampedArray<ArrayBuffer>} red, green and blue of 178 pixels across and 218 down, row by row
 */
export function align(frame, face) {
  const matrix = placement(face);
  const [side, share] = blocks(scaleOf(matrix));
  const crop = sampled(frame, matrix, side);
  return share ? mixed(crop, sampled(frame, matrix, side + 1), share) : crop;
}

/**
 * The matrix that maps a face's crop to its frame, in pixel centres.
 *
 * @param {import("./face.js").Face} face - found in a frame
 */
export function placement(face) {
  return similarity(TARGETS[face.kind], face.points);
}

/**
 * How much to shrink a frame by area before sampling a crop. It mixes two whole numbers instead of rounding to one, so
 * that a face that has hardly moved has nearly the same crop.
 *
 * @param {number} scale - pixels of the frame per pixel of the crop
 * @returns {[number, number]} side in pixels of the blocks to average, and the share of blocks one pixel larger
 */
function blocks(scale) {
  const side = Math.max(1, Math.floor(scale));
  const share = (scale - side - LAST_FINER) / (FIRST_COARSER - LAST_FINER);
  return share < 1 ? [side, Math.max(0, share)] : [side + 1, 0];
}

/**
 * A crop from the means of square blocks of a frame, which begin at its top left wherever the face is; what is left over
 * of the frame at the right and at the bottom counts as outside.
 *
 * @param {Frame} frame
 * @param {Matrix} placed - as `placement` gives it
 * @param {number} blockSide - in pixels
 */
function sampled(frame, placed, blockSide) {
  const side = Math.min(blockSide, frame.width, frame.height);
  const [a, b, x, d, e, y] = placed.map((value) => value / side);
  const centre = (1 / side - 1) / 2; // pixel centres, not corners, are at whole coordinates
  /** @type {Matrix} */
  const matrix = [a, b, x + centre, d, e, y + centre];
  const [left, top, width, height] = region(matrix, Math.floor(frame.width / side), Math.floor(frame.height / side));
  const part = cut(frame, [side * left, side * top, side * width, side * height]);
  const image = side > 1 ? shrinkByArea(part, width, height) : part;
  return warp(image, [a, b, x + centre - left, d, e, y + centre - top], WIDTH, HEIGHT);
}

/**
 * The part of an image that a crop shows, so that large images cost no more than small ones.
 *
 * @param {Matrix} matrix - from the crop to the image
 * @param {number} imageWidth
 * @param {number} imageHeight
 * @returns {import("./mediapipe/windows.js").Window}
 */
function region(matrix, imageWidth, imageHeight) {
  const corners = [0, WIDTH].flatMap((x) => [0, HEIGHT].map((y) => transformed(matrix, x, y)));
  const [[left, right], [top, bottom]] = [imageWidth, imageHeight].map((limit, axis) => {
    const values = corners.map((corner) => corner[axis]);
    const low = clamp(Math.floor(Math.min(...values) - MARGIN), 0, limit - 1);
    return [low, clamp(Math.ceil(Math.max(...values) + MARGIN), low + 1, limit)];
  });
  return [left, top, right - left, bottom - top];
}

/**
 * @param {Uint8ClampedArray<ArrayBuffer>} crop
 * @param {Uint8ClampedArray<ArrayBuffer>} other
 * @param {number} share - of the other, 0 to 1
 */
function mixed(crop, other, share) {
  return crop.map((value, i) => value + share * (other[i] - value)); // the array rounds
}
