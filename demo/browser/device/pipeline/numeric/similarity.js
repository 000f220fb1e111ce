// Rotation with scale and translation, fitted to points, like `similarity` in demo/pipeline/align.py.

/**
 * The rows of a matrix for column vectors (x, y, 1), one after another.
 *
 * @typedef {[number, number, number, number, number, number]} Matrix
 *
 * @typedef {import("../face.js").Points} Points
 */

/**
 * The similarity transform with the least squared error.
 *
 * @param {Points} source - not all the same
 * @param {Points} target - where the source's points should go
 * @returns {Matrix}
 */
export function similarity(source, target) {
  const [from, to] = [centred(source), centred(target)];
  // In complex numbers, rotating and scaling is one factor, so this is linear regression with one coefficient.
  let [real, imaginary, norm] = [0, 0, 0];
  for (let i = 0; i < source.length; i += 2) {
    const [x, y, u, v] = [from.points[i], from.points[i + 1], to.points[i], to.points[i + 1]];
    real += x * u + y * v;
    imaginary += x * v - y * u;
    norm += x * x + y * y;
  }
  const [cosine, sine] = [real / norm, imaginary / norm];
  const [[x, y], [u, v]] = [from.mean, to.mean];
  return [cosine, -sine, u - (cosine * x - sine * y), sine, cosine, v - (sine * x + cosine * y)];
}

/**
 * @param {Matrix} matrix
 * @param {number} x
 * @param {number} y
 * @returns {[number, number]}
 */
export function transformed([a, b, c, d, e, f], x, y) {
  return [a * x + b * y + c, d * x + e * y + f];
}

/**
 * @param {Matrix} matrix
 * @param {Points} points
 */
export function transformedPoints(matrix, points) {
  const moved = new Float64Array(points.length);
  for (let i = 0; i < points.length; i += 2) moved.set(transformed(matrix, points[i], points[i + 1]), i);
  return moved;
}

/**
 * How much a similarity enlarges.
 *
 * @param {Matrix} matrix
 */
export function scaleOf(matrix) {
  return Math.hypot(matrix[0], matrix[3]);
}

/**
 * Points relative to their mean, both in the points' own precision.
 *
 * @param {Points} points
 */
function centred(points) {
  const mean = points.slice(0, 2).fill(0);
  points.forEach((value, i) => {
    mean[i % 2] += value;
  });
  mean.forEach((sum, axis) => {
    mean[axis] = (2 * sum) / points.length;
  });
  return {mean, points: points.map((value, i) => value - mean[i % 2])};
}
