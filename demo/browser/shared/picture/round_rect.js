// Rectangles with round corners.

/**
 * Adds one to a canvas's path. Its corners are square in browsers that know no others: Safari before 16, and Firefox
 * before 112.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {import("./layout.js").Area} area
 * @param {number} radius - of the corners, in pixels
 */
export function roundRect(context, {x, y, width, height}, radius) {
  if (context.roundRect) context.roundRect(x, y, width, height, radius);
  else context.rect(x, y, width, height);
}
