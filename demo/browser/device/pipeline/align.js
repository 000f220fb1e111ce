// Cuts a face out of a frame as CelebA's aligned pictures show it: as demo/pipeline/align.py.

import {shrinkByArea} from "./numeric/resize.js";
import {clamp, roundHalfEven} from "./numeric/rounding.js";
import {scaleOf, similarity, transformed} from "./numeric/similarity.js";
import {cut} from "./mediapipe/views.js";
import {warp} from "./numeric/warp.js";

/**
 * @typedef {import("./numeric/resize.js").Frame} Frame
 * @typedef {import("./numeric/similarity.js").Matrix} Matrix
 */

export const [WIDTH, HEIGHT] = [178, 218];
const MAX_SAMPLED_SCALE = 1.3; // up to which sampling skips no visible detail

// Where eyes and mouth lie in CelebA's crops, for each way in which points are found.
const TARGETS = {
  landmarks: Float64Array.of(69.16, 111.22, 107.61, 111.3, 88.26, 152.12),
  keypoints: Float64Array.of(69.18, 112.79, 107.95, 112.93, 88.21, 156.21),
};

/**
 * One face, turned and scaled so that eyes and mouth lie where CelebA has them; outside the frame its border is repeated.
 *
 * @param {Frame} frame
 * @param {import("./face.js").Face} face - found in this frame
 * @returns {Uint8ClampedArray<ArrayBuffer>} red, green and blue of 178 pixels across and 218 down, row by row
 */
export function align(frame, face) {
  const found = regionOf(frame, placement(face));
  const scale = scaleOf(found.matrix);
  const {region, matrix} = scale > MAX_SAMPLED_SCALE ? shrunkBy(scale, found) : found;
  return warp(region, matrix, WIDTH, HEIGHT);
}

/**
 * Where the crop of a face lies in its frame: from pixel centres of the one to those of the other.
 *
 * @param {import("./face.js").Face} face - found in a frame
 */
export function placement(face) {
  return similarity(TARGETS[face.kind], face.points);
}

/**
 * Shrinks by area, so that each pixel counts, where sampling would skip some.
 *
 * @param {number} scale
 * @param {{region: Frame, matrix: Matrix}} found
 */
function shrunkBy(scale, {region, matrix: [a, b, c, d, e, f]}) {
  const {width, height} = region;
  const shrunk = shrinkByArea(
    region,
    Math.max(1, roundHalfEven(width / scale)),
    Math.max(1, roundHalfEven(height / scale)),
  );
  const [across, down] = [shrunk.width / width, shrunk.height / height];
  const [left, top] = [(across - 1) / 2, (down - 1) / 2]; // pixel centres, not corners, are at whole coordinates
  /** @type {Matrix} */
  const matrix = [a * across, b * across, c * across + left, d * down, e * down, f * down + top];
  return {region: shrunk, matrix};
}

/**
 * The part of the frame in the crop, with the matrix moved to it, so that large frames cost no more.
 *
 * @param {Frame} frame
 * @param {Matrix} matrix
 */
function regionOf(frame, matrix) {
  const corners = [0, WIDTH].flatMap((x) => [0, HEIGHT].map((y) => transformed(matrix, x, y)));
  const margin = 2 + 2 * scaleOf(matrix);
  const [[left, right], [top, bottom]] = [frame.width, frame.height].map((limit, axis) => {
    const values = corners.map((corner) => corner[axis]);
    const low = clamp(Math.floor(Math.min(...values) - margin), 0, limit - 1);
    return [low, clamp(Math.ceil(Math.max(...values) + margin), low + 1, limit)];
  });
  const [a, b, c, d, e, f] = matrix;
  /** @type {Matrix} */
  const moved = [a, b, c - left, d, e, f - top];
  return {region: cut(frame, [left, top, right - left, bottom - top]), matrix: moved};
}
