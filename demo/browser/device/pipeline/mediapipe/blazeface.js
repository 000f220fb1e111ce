// Runs MediaPipe's face detector on windows of a frame, like demo/pipeline/mediapipe/blazeface.py.

import {mapped, overlap} from "../face.js";
import {roundHalfEven} from "../numeric/rounding.js";
import {around, cut, ratio, shrink, turn, turnBack} from "./views.js";
import {squares, tiles, whole, withRoom} from "./windows.js";

/**
 * @typedef {import("../face.js").Detection} Detection
 * @typedef {import("../numeric/resize.js").Frame} Frame
 * @typedef {import("./windows.js").Window} Window
 *
 * What the detector finds in an image: boxes in pixels, points as shares of its width and height.
 * @typedef {{boundingBox: {originX: number, originY: number, width: number, height: number},
 *   keypoints: {x: number, y: number}[], categories: {score: number}[]}} Found
 */

export const INPUT_SIDE = 256; // twice the model's own; shrinking to it by area keeps small faces whole
const KEY_POINTS = [0, 1, 3, 2]; // MediaPipe's, in our order: both eyes, mouth, nose
const MIN_CONTRAST = 16; // a window with a face has at least this range of pixel values
const CERTAINLY_UPRIGHT_SCORE = 0.88;
const MIN_TURNED_SCORE = 0.8;
const MIN_SECOND_LOOK_OVERLAP = 0.5; // of the smaller box
const CUT_OFF_MARGIN = 0.02; // a face this close to a window's edge counts as cut off; a share of the side

export class BlazeFace {
  /** @param {(image: Frame) => Found[]} detect - MediaPipe's FaceDetector */
  constructor(detect) {
    this.detect = detect;
  }

  /**
   * @param {Frame} frame
   * @param {number} quarters - quarter turns to the left by which the frame is turned before detection, 0 to 3
   */
  inWhole(frame, quarters = 0) {
    const view = shrink(frame, INPUT_SIDE);
    return this.inWindows(frame, view, whole(view.width, view.height), quarters);
  }

  /**
   * Detects in tiles, except faces that a tile cuts off; may find one face more than once.
   *
   * @param {Frame} frame
   * @param {number} parts - tiles per longer side, one of TILINGS
   * @param {number} quarters
   */
  inTiles(frame, parts, quarters = 0) {
    const view = shrink(frame, parts * INPUT_SIDE);
    return this.inWindows(frame, view, tiles(view.width, view.height, parts), quarters);
  }

  /**
   * Detects with black padding around the frame, to find a face that fills it.
   *
   * @param {Frame} frame
   * @param {number} quarters
   */
  inPadded(frame, quarters = 0) {
    const view = shrink(frame, INPUT_SIDE / 2);
    return this.inWindows(frame, view, withRoom(view.width, view.height), quarters);
  }

  /**
   * Detects in overlapping small windows, except those with next to no contrast.
   *
   * @param {Frame} frame
   * @param {number} side - of a window, in pixels of the frame
   * @param {number} quarters
   */
  inSmallWindows(frame, side, quarters) {
    const shown = Math.min(side, INPUT_SIDE);
    const view = shrink(frame, roundHalfEven((Math.max(frame.width, frame.height) * shown) / side));
    const textured = squares(view.width, view.height, shown).filter((window) => contrast(view, window) >= MIN_CONTRAST);
    return this.inWindows(frame, view, textured, quarters);
  }

  /**
   * Detects the same face again, at the best size and turned each of the four ways.
   *
   * @param {Frame} frame
   * @param {Detection} detection - in this frame
   * @returns {Detection} the one with the highest score
   */
  lookCloser(frame, detection) {
    if (detection.score >= CERTAINLY_UPRIGHT_SCORE) return detection;
    const window = around(detection.box);
    const crop = shrink(cut(frame, window), INPUT_SIDE);
    const scale = window[2] / crop.height;
    let best = detection;
    for (let quarters = 0; quarters < 4; quarters++) {
      for (const part of this.inImage(crop, quarters)) {
        const seen = mapped(part, [scale, scale], [window[0], window[1]]);
        const again = overlap(seen.box, detection.box) > MIN_SECOND_LOOK_OVERLAP;
        if (again && seen.score > best.score) best = seen;
      }
    }
    return best;
  }

  /**
   * Detects in windows of `view`, the shrunk frame; leaves out faces that a window cuts off.
   *
   * @param {Frame} frame
   * @param {Frame} view
   * @param {Window[]} windows
   * @param {number} quarters
   */
  inWindows(frame, view, windows, quarters) {
    return windows.flatMap((window) =>
      this.inImage(cut(view, window), quarters)
        .map((found) => mapped(found, [1, 1], [window[0], window[1]]))
        .filter(({box}) => !isCutOff(box, window, view))
        .map((found) => mapped(found, ratio(frame, view))),
    );
  }

  /**
   * Detects in the image turned left by `quarters`; boxes and points refer to the unturned image.
   *
   * @param {Frame} image
   * @param {number} quarters
   * @returns {Detection[]}
   */
  inImage(image, quarters) {
    const turned = turn(image, quarters);
    return this.detect(turned)
      .map((found) => detectionOf(found, image, turned, quarters))
      .filter(({box, score}) => box[2] > 0 && box[3] > 0 && (!quarters || score >= MIN_TURNED_SCORE));
  }
}

/**
 * @param {Found} found
 * @param {Frame} image
 * @param {Frame} turned
 * @param {number} quarters
 * @returns {Detection}
 */
function detectionOf({boundingBox: {originX, originY, width, height}, keypoints, categories}, image, turned, quarters) {
  const back = (/** @type {{x: number, y: number}} */ point) => {
    const [x, y] = turnBack(point, quarters);
    return [x * image.width, y * image.height];
  };
  const [[x, y], [u, v]] = [
    [originX, originY],
    [originX + width, originY + height],
  ].map(([across, down]) => back({x: across / turned.width, y: down / turned.height}));
  return {
    box: [Math.min(x, u), Math.min(y, v), Math.abs(u - x), Math.abs(v - y)],
    points: Float32Array.from(KEY_POINTS.flatMap((i) => back(keypoints[i])).map((value) => value - 0.5)),
    score: categories[0].score,
    quarters,
  };
}

/**
 * Whether the window, not the frame, cuts the face off; a neighbouring window then shows it whole.
 *
 * @param {import("../face.js").Box} box
 * @param {Window} window
 * @param {Frame} frame
 */
function isCutOff(box, window, frame) {
  return [frame.width, frame.height].some((limit, axis) => {
    const [start, length, low, side] = [box[axis], box[axis + 2], window[axis], window[axis + 2]];
    const margin = CUT_OFF_MARGIN * side;
    return (low > 0 && start < low + margin) || (low + side < limit && start + length > low + side - margin);
  });
}

/**
 * The range of pixel values in a window inside the image.
 *
 * @param {Frame} image
 * @param {Window} window
 */
function contrast({width, data}, [left, top, across, down]) {
  let [least, most] = [255, 0];
  for (let y = top; y < top + down; y++) {
    for (let i = 4 * (y * width + left); i < 4 * (y * width + left + across); i++) {
      if (i % 4 === 3) continue; // opacity
      least = Math.min(least, data[i]);
      most = Math.max(most, data[i]);
    }
  }
  return most - least;
}
