// Bicubic sampling with a repeated border. Results are within 1 of 255 of OpenCV's warpAffine (INTER_CUBIC,
// BORDER_REPLICATE).

import {clamp} from "./rounding.js";

const SHARPNESS = -0.75; // OpenCV's parameter of the cubic convolution (Keys, 1981)

/**
 * @param {import("./resize.js").Frame} image
 * @param {import("./similarity.js").Matrix} matrix - maps the result to the image, in pixel centres
 * @param {number} width - of the result
 * @param {number} height - of the result
 * @returns {Uint8ClampedArray<ArrayBuffer>} red, green and blue of each pixel, row by row
 */
export function warp(image, [a, b, c, d, e, f], width, height) {
  const {data} = image;
  const result = new Uint8ClampedArray(3 * width * height);
  const across = new Taps(image.width, 4);
  const down = new Taps(image.height, 4 * image.width);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 3) {
      across.place(a * x + b * y + c);
      down.place(d * x + e * y + f);
      const {offsets, weights} = across;
      let [red, green, blue] = [0, 0, 0];
      for (let row = 0; row < 4; row++) {
        // Unrolled: a loop over the columns takes a third longer.
        const weight = down.weights[row];
        const first = down.offsets[row] + offsets[0];
        const second = down.offsets[row] + offsets[1];
        const third = down.offsets[row] + offsets[2];
        const fourth = down.offsets[row] + offsets[3];
        red +=
          weight *
          (weights[0] * data[first] + weights[1] * data[second] + weights[2] * data[third] + weights[3] * data[fourth]);
        green +=
          weight *
          (weights[0] * data[first + 1] +
            weights[1] * data[second + 1] +
            weights[2] * data[third + 1] +
            weights[3] * data[fourth + 1]);
        blue +=
          weight *
          (weights[0] * data[first + 2] +
            weights[1] * data[second + 2] +
            weights[2] * data[third + 2] +
            weights[3] * data[fourth + 2]);
      }
      result[at] = red; // the array rounds and clips
      result[at + 1] = green;
      result[at + 2] = blue;
    }
  }
  return result;
}

/** The four pixels of a line around a coordinate: where they are, and how much each counts. */
class Taps {
  /**
   * @param {number} length - of the line, in pixels
   * @param {number} stride - bytes from one pixel to the next
   */
  constructor(length, stride) {
    this.last = length - 1;
    this.stride = stride;
    this.offsets = new Int32Array(4);
    this.weights = new Float64Array(4);
  }

  /** @param {number} coordinate */
  place(coordinate) {
    const pixel = Math.floor(coordinate);
    const past = coordinate - pixel;
    const before = 1 - past;
    for (let i = 0; i < 4; i++) this.offsets[i] = this.stride * clamp(pixel - 1 + i, 0, this.last);
    this.weights[0] = SHARPNESS * past * before * before;
    this.weights[1] = ((SHARPNESS + 2) * past - (SHARPNESS + 3)) * past * past + 1;
    this.weights[2] = ((SHARPNESS + 2) * before - (SHARPNESS + 3)) * before * before + 1;
    this.weights[3] = SHARPNESS * before * past * past;
  }
}
