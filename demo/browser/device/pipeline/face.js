// What is found in a frame, and which detections are the same face, like demo/pipeline/face.py.

/**
 * X, y, width and height in pixels of a frame.
 *
 * @typedef {[number, number, number, number]} Box
 *
 * Points as x, y, x, y and so on, in pixel-centre coordinates. A face has the eye on the left of an upright picture,
 * the eye on its right and the middle of the mouth; a detection has the tip of the nose as a fourth.
 * @typedef {Float32Array | Float64Array} Points
 *
 * Yaw: degrees by which the head is turned to the picture's right; pitch: degrees by which it is bowed.
 * @typedef {{box: Box, points: Points, kind: "landmarks" | "keypoints", yaw: number, pitch: number}} Face
 *
 * Score: from 0 to 1; quarters: quarter turns to the left by which the image was turned to find the face.
 * @typedef {{box: Box, points: Points, score: number, quarters: number}} Detection
 */

const SAME_FACE_OVERLAP = 0.45; // two boxes are one face if they share more than this part of the smaller
const MIN_FACE_PIXELS = 12;

/**
 * Maps a detection to the larger image that its own was cut or shrunk from.
 *
 * @param {Detection} detection
 * @param {import("./mediapipe/views.js").Pair} ratio - pixels of the larger image per pixel here, across and down
 * @param {import("./mediapipe/views.js").Pair} offset - where this image begins in the larger one
 * @returns {Detection}
 */
export function mapped(detection, [across, down], [left, top] = [0, 0]) {
  const [x, y, width, height] = detection.box;
  const points = detection.points.map((value, i) => {
    const fromCorner = Math.fround(value + 0.5);
    return i % 2 ? fromCorner * down + top - 0.5 : fromCorner * across + left - 0.5;
  });
  return {...detection, box: [x * across + left, y * down + top, width * across, height * down], points};
}

/**
 * Non-maximum suppression (NMS): of the boxes around one face, keeps the first.
 *
 * @template {{box: Box}} Boxed
 * @param {Boxed[]} found - best first
 * @returns {Boxed[]}
 */
export function suppressOverlaps(found) {
  /** @type {Boxed[]} */
  const kept = [];
  for (const candidate of found) {
    if (!kept.some((other) => sameFace(candidate, other))) kept.push(candidate);
  }
  return kept;
}

/**
 * Whether two boxes are around the same face.
 *
 * @param {{box: Box}} a
 * @param {{box: Box}} b
 */
export function sameFace(a, b) {
  return overlap(a.box, b.box) > SAME_FACE_OVERLAP;
}

/**
 * The intersection of two boxes as a share of the smaller one, from 0 to 1.
 *
 * @param {Box} a
 * @param {Box} b
 */
export function overlap(a, b) {
  const width = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]);
  return (Math.max(0, width) * Math.max(0, height)) / Math.min(a[2] * a[3], b[2] * b[3]);
}

/**
 * Clips a face's box to the frame; null if too little of it lies inside.
 *
 * @param {{width: number, height: number}} frame
 * @param {Face} face - whose box may reach outside
 * @returns {Face | null}
 */
export function faceInside(frame, face) {
  const [x, y, width, height] = face.box;
  const [left, top] = [Math.max(0, x), Math.max(0, y)];
  const [right, bottom] = [Math.min(frame.width, x + width), Math.min(frame.height, y + height)];
  const extent = Math.max(range(face.points, 0), range(face.points, 1));
  if (Math.min(right - left, bottom - top) < MIN_FACE_PIXELS || extent < MIN_FACE_PIXELS / 4) return null;
  return {...face, box: [left, top, right - left, bottom - top], points: Float32Array.from(face.points)};
}

/**
 * @param {Points} points
 * @param {number} axis - 0 for x, 1 for y
 */
function range(points, axis) {
  const values = [...points].filter((_, i) => i % 2 === axis);
  return Math.max(...values) - Math.min(...values);
}
