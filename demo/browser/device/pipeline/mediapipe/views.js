// Cuts parts out of a frame at the size and the way up that a model needs, and maps its points back to the frame, like
// demo/pipeline/mediapipe/views.py.

import {shrinkByArea} from "../numeric/resize.js";
import {roundHalfEven} from "../numeric/rounding.js";

/**
 * @typedef {import("../numeric/resize.js").Frame} Frame
 * @typedef {import("./windows.js").Window} Window
 * @typedef {[number, number]} Pair
 */

const CONTEXT = 2.5; // how much larger than the face the square around it is

/**
 * Shrinks an image until its longer side has at most `longest` pixels.
 *
 * @param {Frame} image
 * @param {number} longest
 * @returns {Frame} the image itself if it is small enough already
 */
export function shrink(image, longest) {
  const scale = longest / Math.max(image.width, image.height);
  if (scale >= 1) return image;
  const [width, height] = [image.width, image.height].map((side) => Math.max(1, roundHalfEven(side * scale)));
  return shrinkByArea(image, width, height);
}

/**
 * Pixels of an image per pixel of its shrunk copy, across and down.
 *
 * @param {Frame} image
 * @param {Frame} shrunk
 * @returns {Pair}
 */
export function ratio(image, shrunk) {
  return [image.width / shrunk.width, image.height / shrunk.height];
}

/**
 * Cuts a window out of an image, black wherever it reaches outside.
 *
 * @param {Frame} image
 * @param {Window} window
 * @returns {Frame} the image itself if the window is all of it
 */
export function cut(image, [left, top, width, height]) {
  if (!left && !top && width === image.width && height === image.height) return image;
  const data = new Uint8ClampedArray(4 * width * height);
  const [begin, end] = [Math.max(0, left), Math.min(image.width, left + width)];
  for (let row = Math.max(0, top); row < Math.min(image.height, top + height) && begin < end; row++) {
    const from = row * image.width;
    data.set(image.data.subarray(4 * (from + begin), 4 * (from + end)), 4 * ((row - top) * width + begin - left));
  }
  for (let alpha = 3; alpha < data.length; alpha += 4) data[alpha] = 255;
  return {width, height, data};
}

/**
 * Turns an image to the left by quarter turns.
 *
 * @param {Frame} image
 * @param {number} quarters - 0 to 3
 * @returns {Frame}
 */
export function turn(image, quarters) {
  if (!quarters) return image;
  const [width, height] = quarters % 2 ? [image.height, image.width] : [image.width, image.height];
  const source = new Uint32Array(image.data.buffer, image.data.byteOffset, image.width * image.height);
  const turned = new Uint32Array(width * height);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      const [column, row] = [
        [image.width - 1 - y, x],
        [image.width - 1 - x, image.height - 1 - y],
        [y, image.height - 1 - x],
      ][quarters - 1];
      turned[at] = source[row * image.width + column];
    }
  }
  return {width, height, data: new Uint8ClampedArray(turned.buffer)};
}

/**
 * The square window around a face, 2.5 times the longer side of its box; it may reach outside the image.
 *
 * @param {import("../face.js").Box} box
 * @returns {Window}
 */
export function around([x, y, width, height]) {
  const side = Math.max(1, roundHalfEven(CONTEXT * Math.max(width, height)));
  return [roundHalfEven(x + width / 2 - side / 2), roundHalfEven(y + height / 2 - side / 2), side, side];
}

/**
 * Maps a point of a turned image back to the unturned one, both as shares of width and height.
 *
 * @param {{x: number, y: number}} point
 * @param {number} quarters - quarter turns to the left, 0 to 3
 * @returns {Pair}
 */
export function turnBack({x, y}, quarters) {
  switch (quarters) {
    case 1:
      return [1 - y, x];
    case 2:
      return [1 - x, 1 - y];
    case 3:
      return [y, 1 - x];
    default:
      return [x, y];
  }
}
