// Shrinks by area with the same results as OpenCV's INTER_AREA: each pixel is the mean of what it covers.

/**
 * A picture: `data` holds red, green, blue and a fourth byte for each pixel, row by row. ImageData is one.
 *
 * @typedef {{width: number, height: number, data: Uint8ClampedArray<ArrayBuffer>}} Frame
 */

const NEGLIGIBLE_PIXELS = 1e-3; // OpenCV ignores source pixels that are covered by less than this

/**
 * @param {Frame} image
 * @param {number} width - of the result, at most the image's own
 * @param {number} height - of the result, at most the image's own
 * @returns {Frame}
 */
export function shrinkByArea(image, width, height) {
  const [across, down] = [image.width / width, image.height / height];
  const shrunk = {width, height, data: new Uint8ClampedArray(4 * width * height)};
  if (Number.isInteger(across) && Number.isInteger(down)) averageBlocks(image, shrunk, across, down);
  else averageAreas(image, shrunk);
  return shrunk;
}

/**
 * @param {Frame} image
 * @param {Frame} shrunk - filled in place
 * @param {number} across - pixels per block
 * @param {number} down - pixels per block
 */
function averageBlocks(image, shrunk, across, down) {
  const stride = 4 * image.width;
  const share = Math.fround(1 / (across * down));
  const average = (/** @type {number} */ sum) =>
    across === 2 && down === 2 ? (sum + 2) >> 2 : Math.fround(sum * share); // 2x2 blocks round differently
  for (let y = 0, at = 0; y < shrunk.height; y++) {
    for (let x = 0; x < shrunk.width; x++, at += 4) {
      let [red, green, blue] = [0, 0, 0];
      for (let row = y * down; row < (y + 1) * down; row++) {
        const end = row * stride + 4 * (x + 1) * across;
        for (let from = row * stride + 4 * x * across; from < end; from += 4) {
          red += image.data[from];
          green += image.data[from + 1];
          blue += image.data[from + 2];
        }
      }
      shrunk.data[at] = average(red);
      shrunk.data[at + 1] = average(green);
      shrunk.data[at + 2] = average(blue);
      shrunk.data[at + 3] = 255;
    }
  }
}

/**
 * @param {Frame} image
 * @param {Frame} shrunk - filled in place
 */
function averageAreas(image, shrunk) {
  const columns = coverage(image.width, shrunk.width);
  const rows = coverage(image.height, shrunk.height);
  const line = new Float32Array(3 * shrunk.width); // one row of the image, shrunk across
  const sums = new Float32Array(3 * shrunk.width);
  let shrunkRow = -1;
  for (let y = 0; y < shrunk.height; y++) {
    sums.fill(0);
    for (let part = rows.starts[y]; part < rows.starts[y + 1]; part++) {
      const row = rows.sources[part];
      if (row !== shrunkRow) shrinkRow(image, row, columns, line);
      shrunkRow = row;
      const weight = rows.weights[part];
      for (let i = 0; i < sums.length; i++) sums[i] += line[i] * weight;
    }
    let at = 4 * y * shrunk.width;
    for (let i = 0; i < sums.length; i += 3, at += 4) {
      shrunk.data[at] = sums[i]; // the array rounds
      shrunk.data[at + 1] = sums[i + 1];
      shrunk.data[at + 2] = sums[i + 2];
      shrunk.data[at + 3] = 255;
    }
  }
}

/**
 * @param {Frame} image
 * @param {number} row
 * @param {Coverage} columns
 * @param {Float32Array} line - filled with red, green and blue
 */
function shrinkRow({data, width}, row, {starts, sources, weights}, line) {
  const begin = 4 * row * width;
  for (let x = 0, i = 0; i < line.length; x++, i += 3) {
    let [red, green, blue] = [0, 0, 0];
    for (let part = starts[x]; part < starts[x + 1]; part++) {
      const from = begin + 4 * sources[part];
      const weight = weights[part];
      red += data[from] * weight;
      green += data[from + 1] * weight;
      blue += data[from + 2] * weight;
    }
    line[i] = red;
    line[i + 1] = green;
    line[i + 2] = blue;
  }
}

/**
 * What each pixel of a shrunk line covers: `sources` from `starts[i]` up to `starts[i + 1]`, with `weights` of sum 1.
 *
 * @typedef {{starts: number[], sources: number[], weights: Float32Array}} Coverage
 */

/**
 * @param {number} length - in pixels
 * @param {number} shrunk - in pixels
 * @returns {Coverage}
 */
function coverage(length, shrunk) {
  const scale = length / shrunk;
  const starts = [0];
  /** @type {number[]} */
  const sources = [];
  /** @type {number[]} */
  const weights = [];
  const cover = (/** @type {number} */ source, /** @type {number} */ weight) => {
    sources.push(source);
    weights.push(weight);
  };
  for (let i = 0; i < shrunk; i++) {
    const [begin, end] = [i * scale, (i + 1) * scale];
    const covered = Math.min(scale, length - begin);
    const last = Math.min(Math.floor(end), length - 1);
    const first = Math.min(Math.ceil(begin), last);
    if (first - begin > NEGLIGIBLE_PIXELS) cover(first - 1, (first - begin) / covered);
    for (let source = first; source < last; source++) cover(source, 1 / covered);
    if (end - last > NEGLIGIBLE_PIXELS) cover(last, Math.min(end - last, 1, covered) / covered);
    starts.push(sources.length);
  }
  return {starts, sources, weights: Float32Array.from(weights)};
}
