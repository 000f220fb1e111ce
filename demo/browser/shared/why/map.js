// A map's content: how much each place in the face adds to an attribute's log-odds, and how much each of three regions.

/**
 * The maps of a face, as demo/server/why.py describes them. The cells of a map and its bias add up to the log-odds of the
 * attribute's probability.
 *
 * @typedef {object} Maps
 * @property {string[]} attributes - names of those with a map here
 * @property {number[][][]} cells - one map for each: log-odds, as rows from the top of the aligned crop
 * @property {number[]} bias - one for each: log-odds before anything of a face is seen
 * @property {number[]} rows - y of the edges between rows, in pixels of the crop; one more than rows
 * @property {number[]} columns - x of the edges between columns, likewise
 * @property {number[]} placement - [a, b, c, d, e, f]: a point (x, y) of the crop lies at (ax + by + c, dx + ey + f) of the
 *   analysed picture
 */

/** @typedef {{cells: number[][], bias: number, rows: number[], columns: number[], placement: number[]}} WhyMap */

/** @typedef {"hair" | "eyes" | "mouth"} Region */

/**
 * Bands of the aligned crop, where eyes and mouth are always at the same height: each reaches down to this y.
 *
 * @type {[Region, number][]}
 */
const REGIONS = [
  ["hair", 85],
  ["eyes", 126],
  ["mouth", Infinity],
];

/**
 * @param {Maps | undefined} maps - undefined: none came with the face
 * @param {string} attribute
 * @returns {WhyMap | null} null if there is no map of the attribute
 */
export function mapOf(maps, attribute) {
  const place = maps?.attributes.indexOf(attribute) ?? -1;
  if (place < 0) return null;
  const {rows, columns, placement} = maps;
  return {cells: maps.cells[place], bias: maps.bias[place], rows, columns, placement};
}

/**
 * What each region adds, in log-odds. A cell in two regions is divided between them by its area.
 *
 * @param {WhyMap} map
 * @returns {Object<Region, number>}
 */
export function byRegion({cells, rows}) {
  const sums = {hair: 0, eyes: 0, mouth: 0};
  cells.forEach((row, place) => {
    const [top, bottom] = [rows[place], rows[place + 1]];
    const sum = row.reduce((total, value) => total + value, 0);
    let from = -Infinity;
    for (const [region, to] of REGIONS) {
      const inside = Math.max(0, Math.min(bottom, to) - Math.max(top, from));
      sums[region] += (sum * inside) / (bottom - top);
      from = to;
    }
  });
  return sums;
}

/**
 * The log-odds of the probability that the map explains.
 *
 * @param {WhyMap} map
 */
export function logOdds({cells, bias}) {
  return cells.flat().reduce((sum, value) => sum + value, bias);
}

/**
 * Blends a map with an earlier one, value by value.
 *
 * @param {WhyMap} map
 * @param {WhyMap} before - of the same attribute and form
 * @param {number} share - of the new values, from 0 to 1
 * @returns {WhyMap}
 */
export function blended(map, before, share) {
  const between = (/** @type {number} */ value, /** @type {number} */ old) => old + share * (value - old);
  const cells = map.cells.map((row, y) => row.map((value, x) => between(value, before.cells[y][x])));
  return {...map, cells, bias: between(map.bias, before.bias)};
}

/**
 * Moves a map along with its face.
 *
 * @param {WhyMap} map
 * @param {number[]} from - the face's box when the map was made: x, y, width and height
 * @param {number[]} to - its box now
 * @returns {WhyMap}
 */
export function moved(map, from, to) {
  const scale = to[2] / from[2];
  const [a, b, c, d, e, f] = map.placement;
  const [x, y] = [to[0] + scale * (c - from[0]), to[1] + scale * (f - from[1])];
  return {...map, placement: [scale * a, scale * b, x, scale * d, scale * e, y]};
}
