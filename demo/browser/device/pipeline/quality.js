// Whether a face is clear enough to trust its attributes, and if not, why, like demo/pipeline/quality.py, which
// explains the thresholds.

import {placement, WIDTH} from "./align.js";
import {transformed} from "./numeric/similarity.js";

/**
 * @typedef {"small" | "cut" | "turned" | "blurred" | "dark"} Warning
 *
 * Size: between the eyes, in pixels of the frame, corrected for yaw; sharpness: standard deviation of the Laplacian as a
 * share of the mean brightness; brightness: from 0 to 255; yaw and pitch in degrees; outside: the share of the face that
 * lies outside the frame.
 * @typedef {{size: number, sharpness: number, brightness: number, yaw: number, pitch: number, outside: number}} Quality
 */

const [LEFT, TOP, RIGHT, BOTTOM] = [40, 70, 138, 190]; // the part of the crop between forehead and chin
const MIN_EYE_DISTANCE = 15;
const ENLARGED_EYE_DISTANCE = 22;
const MAX_OUTSIDE = 0.25;
const GRID_PIXELS = 8; // of the crop
const MAX_YAW = 40;
const [MIN_PITCH, MAX_PITCH] = [-30, 18];
const MIN_SHARPNESS = 0.065;
const MIN_BRIGHTNESS = 48;
// Hysteresis: show a warning above 70 % of the last 0.3 s, drop it below 30 %.
const AVERAGED_SECONDS = 0.3;
const [SHOW_SHARE, DROP_SHARE] = [0.7, 0.3];
/** @type {Warning[]} */
const WARNINGS = ["small", "cut", "turned", "blurred", "dark"];
const [RED, GREEN, BLUE, BITS] = [9798, 19235, 3735, 15]; // OpenCV's weights for grey, as integers

/**
 * @param {import("./face.js").Face} face - as found in the frame
 * @param {Uint8ClampedArray} crop - from align(): the same face aligned
 * @param {{width: number, height: number}} frame
 * @returns {Quality}
 */
export function measureQuality(face, crop, frame) {
  const {points, yaw, pitch} = face;
  const {mean, detail} = measureDetail(brightnessOf(crop));
  const distance = Math.hypot(points[2] - points[0], points[3] - points[1]);
  const size = distance / Math.max(0.5, Math.cos((yaw * Math.PI) / 180));
  const sharpness = mean ? detail / mean : 0;
  return {size, sharpness, brightness: mean, yaw, pitch, outside: shareOutside(face, frame)};
}

/**
 * The share of the face that lies outside its frame.
 *
 * @param {import("./face.js").Face} face
 * @param {{width: number, height: number}} frame
 */
function shareOutside(face, {width, height}) {
  const matrix = placement(face);
  let [inside, count] = [0, 0];
  for (let y = TOP; y < BOTTOM; y += GRID_PIXELS) {
    for (let x = LEFT; x < RIGHT; x += GRID_PIXELS, count++) {
      const [across, down] = transformed(matrix, x, y);
      if (across > -0.5 && across < width - 0.5 && down > -0.5 && down < height - 0.5) inside++;
    }
  }
  return 1 - inside / count;
}

/**
 * Why the attributes of the face should not be trusted; empty for a good face.
 *
 * @param {Quality} quality
 * @returns {Warning[]}
 */
export function warningsOf({size, sharpness, brightness, yaw, pitch, outside}) {
  /** @type {Warning[]} */
  const found = [];
  if (size < MIN_EYE_DISTANCE) found.push("small");
  if (outside > MAX_OUTSIDE) found.push("cut");
  if (Math.abs(yaw) > MAX_YAW || pitch <= MIN_PITCH || pitch >= MAX_PITCH) found.push("turned");
  // An enlarged face lacks detail, too, but the problem is its size.
  if (size >= MIN_EYE_DISTANCE && sharpness < MIN_SHARPNESS) {
    found.push(size >= ENLARGED_EYE_DISTANCE ? "blurred" : "small");
  }
  if (brightness < MIN_BRIGHTNESS) found.push("dark");
  return found;
}

/** The warnings about one face over time, smoothed (EMA) and with hysteresis, so that none flickers. */
export class SteadyWarnings {
  constructor() {
    this.seconds = -Infinity;
    this.shares = {small: 0, cut: 0, turned: 0, blurred: 0, dark: 0}; // of the last moments
    /** @type {Warning[]} */
    this.shown = [];
  }

  /**
   * The warnings to show after the next frame; the first frame's are shown at once.
   *
   * @param {number} seconds - when the frame was seen
   * @param {Warning[]} found - the warnings about this frame alone
   */
  update(seconds, found) {
    const newest = 1 - Math.exp((this.seconds - seconds) / AVERAGED_SECONDS);
    for (const warning of WARNINGS) {
      this.shares[warning] += newest * (Number(found.includes(warning)) - this.shares[warning]);
    }
    this.shown = WARNINGS.filter(
      (warning) => this.shares[warning] > (this.shown.includes(warning) ? DROP_SHARE : SHOW_SHARE),
    );
    this.seconds = seconds;
    return this.shown;
  }
}

/**
 * The face's part of the crop in grey, row by row.
 *
 * @param {Uint8ClampedArray} crop
 */
function brightnessOf(crop) {
  const grey = new Uint8Array((RIGHT - LEFT) * (BOTTOM - TOP));
  for (let y = TOP, at = 0; y < BOTTOM; y++) {
    for (let i = 3 * (y * WIDTH + LEFT); i < 3 * (y * WIDTH + RIGHT); i += 3, at++) {
      grey[at] = (RED * crop[i] + GREEN * crop[i + 1] + BLUE * crop[i + 2] + (1 << (BITS - 1))) >> BITS;
    }
  }
  return grey;
}

/**
 * The mean of the grey values, and the standard deviation of their Laplacian, with mirrored borders.
 *
 * @param {Uint8Array} grey
 */
function measureDetail(grey) {
  const [width, height] = [RIGHT - LEFT, BOTTOM - TOP];
  const mirrored = (/** @type {number} */ i, /** @type {number} */ length) =>
    i < 0 ? -i : i < length ? i : 2 * length - 2 - i;
  let [total, sum, squares] = [0, 0, 0];
  for (let y = 0; y < height; y++) {
    const [above, below] = [mirrored(y - 1, height) * width, mirrored(y + 1, height) * width];
    for (let x = 0; x < width; x++) {
      const here = grey[y * width + x];
      const beside = grey[y * width + mirrored(x - 1, width)] + grey[y * width + mirrored(x + 1, width)];
      const laplacian = beside + grey[above + x] + grey[below + x] - 4 * here;
      total += here;
      sum += laplacian;
      squares += laplacian ** 2;
    }
  }
  const count = width * height;
  return {mean: total / count, detail: Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2))};
}
