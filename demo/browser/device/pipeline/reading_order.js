// Sorts faces in the order in which one reads a page, like demo/pipeline/reading_order.py.

const ROW_HEIGHT = 0.75; // of a face's height: a face this far below the middle of a row begins the next one

/** @typedef {import("./face.js").Face} Face */

/**
 * The rows of a group from the top, each from left to right.
 *
 * @param {Face[]} faces
 * @returns {Face[]}
 */
export function inReadingOrder(faces) {
  /** @type {Face[][]} */
  const rows = [];
  for (const face of [...faces].sort((a, b) => middleY(a) - middleY(b))) {
    const row = rows.at(-1);
    if (row && belongs(face, row)) row.push(face);
    else rows.push([face]);
  }
  return rows.flatMap((row) => row.sort((a, b) => a.box[0] + a.box[2] / 2 - (b.box[0] + b.box[2] / 2)));
}

/**
 * Whether a face lower than all faces of a row still belongs to it.
 *
 * @param {Face} face
 * @param {Face[]} row
 */
function belongs(face, row) {
  const height = Math.max(face.box[3], mean(row.map((other) => other.box[3])));
  return middleY(face) - mean(row.map(middleY)) < ROW_HEIGHT * height;
}

/** @param {Face} face */
function middleY(face) {
  return face.box[1] + face.box[3] / 2;
}

/** @param {number[]} values */
function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
