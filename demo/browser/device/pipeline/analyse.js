// From a frame to its faces and their attributes: find, align, predict. Like demo/pipeline/analyse.py.

import {align, placement} from "./align.js";
import {FaceFollower} from "./follow.js";
import {measureQuality, SteadyWarnings, warningsOf} from "./quality.js";
import {inReadingOrder} from "./reading_order.js";
import {roundHalfEven} from "./numeric/rounding.js";
import {sighting, Tracker} from "./track.js";

/**
 * @typedef {import("./face.js").Box} Box
 * @typedef {import("./face.js").Face} Face
 * @typedef {import("./quality.js").Quality} Quality
 * @typedef {import("./quality.js").Warning} Warning
 * @typedef {import("./numeric/resize.js").Frame} Frame
 *
 * @typedef {import("./numeric/similarity.js").Matrix} Matrix
 *
 * What is predicted for a crop: probabilities from 0 to 1 and, if asked for, the features that explain them.
 * @typedef {{probabilities: Float32Array, features: object | null}} Prediction
 *
 * Predicts aligned crops; the second argument asks for their features.
 * @typedef {(crops: Uint8ClampedArray[], explained: boolean) => Promise<Prediction[]>} Predict
 *
 * @typedef {{number: number, box: Box, crop: Uint8ClampedArray<ArrayBuffer>, quality: Quality, warnings: Warning[],
 *   placement: Matrix} & Prediction} FaceResult
 *
 * What to return beside the probabilities; `explained`: each face's features.
 * @typedef {{explained?: boolean}} Wanted
 *
 * How long the stages took, in milliseconds, for all faces together.
 * @typedef {{detect: number, align: number, infer: number}} Timings
 *
 * @typedef {{width: number, height: number, faces: FaceResult[], timings: Timings}} Analysis
 */

const MAX_PAUSE_SECONDS = 1.5; // faces aren't out of sight while no frames come: a pause counts as at most this long

export class Pipeline {
  /**
   * @param {Predict} predict
   * @param {import("./detect.js").FaceFinder} finder
   */
  constructor(predict, finder) {
    this.predict = predict;
    this.finder = finder;
  }

  /**
   * All faces of a photo, also small, sideways and upside-down ones, in reading order, numbered from 1.
   *
   * @param {Frame} frame
   * @param {Wanted} wanted
   */
  analysePhoto(frame, wanted = {}) {
    const began = performance.now();
    return this.read(frame, this.finder.findInPhoto(frame), began, wanted);
  }

  /**
   * The faces of a single webcam frame in reading order, numbered from 1. A camera's frames in their order belong to a
   * Stream, which follows the faces.
   *
   * @param {Frame} frame
   * @param {Wanted} wanted
   */
  analyseCameraFrame(frame, wanted = {}) {
    const began = performance.now();
    return this.read(frame, this.finder.findInCameraFrame(frame), began, wanted);
  }

  /**
   * Predicts the attributes of the faces found, all in one batch.
   *
   * @param {Frame} frame
   * @param {Face[]} found - in this frame
   * @param {number} began - when the search for them began, by `performance.now`
   * @param {Wanted} wanted
   * @returns {Promise<Analysis>}
   */
  async read(frame, found, began, {explained = false}) {
    const detected = performance.now();
    const faces = inReadingOrder(found);
    const crops = faces.map((face) => align(frame, face));
    const aligned = performance.now();
    const predictions = await this.predict(crops, explained);
    const timings = {detect: detected - began, align: aligned - detected, infer: performance.now() - aligned};
    const results = faces.map((face, i) => {
      const quality = measureQuality(face, crops[i], frame);
      const box = wholePixels(face.box, frame);
      return {
        number: i + 1,
        box,
        ...predictions[i],
        crop: crops[i],
        quality,
        warnings: warningsOf(quality),
        placement: placement(face),
      };
    });
    return {width: frame.width, height: frame.height, faces: results, timings};
  }
}

/** Analyses the frames of one camera in their order: follows the faces, and keeps their numbers. */
export class Stream {
  /** @param {Pipeline} pipeline */
  constructor(pipeline) {
    this.pipeline = pipeline;
    this.follower = new FaceFollower(pipeline.finder);
    this.tracker = new Tracker();
    this.seconds = 0; // of the last frame
    this.watchedSeconds = 0; // up to that frame, with long pauses cut short
    /** @type {Map<number, SteadyWarnings>} */
    this.warnings = new Map();
  }

  /**
   * The faces of the next frame, in the order of their numbers.
   *
   * @param {Frame} frame - its size may change
   * @param {number} seconds - when it was seen, on any clock that does not go back
   * @param {Wanted} wanted
   * @returns {Promise<Analysis>}
   */
  async analyse(frame, seconds, wanted = {}) {
    const began = performance.now();
    const analysis = await this.pipeline.read(frame, this.follower.find(frame, seconds), began, wanted);
    this.watchedSeconds += Math.min(seconds - this.seconds, MAX_PAUSE_SECONDS);
    this.seconds = seconds;
    const numbers = this.tracker.update(this.watchedSeconds, sightings(analysis));
    for (const number of numbers) if (!this.warnings.has(number)) this.warnings.set(number, new SteadyWarnings());
    const faces = analysis.faces.map((face, i) => {
      const warnings = this.warnings.get(numbers[i]).update(seconds, face.warnings);
      return {...face, number: numbers[i], warnings};
    });
    return {...analysis, faces: faces.sort((a, b) => a.number - b.number)};
  }
}

/**
 * The faces for the tracker. Boxes are shares of the frame's longer side, since frames may change size.
 *
 * @param {Analysis} analysis
 */
function sightings({width, height, faces}) {
  const side = Math.max(width, height);
  return faces.map(({box, probabilities}) =>
    sighting(/** @type {Box} */ (box.map((length) => length / side)), probabilities),
  );
}

/**
 * Rounds a box to whole pixels of the frame, at least one wide and high.
 *
 * @param {Box} box
 * @param {Frame} frame
 * @returns {Box}
 */
function wholePixels([x, y, across, down], {width, height}) {
  const [left, top] = [Math.min(roundHalfEven(x), width - 1), Math.min(roundHalfEven(y), height - 1)];
  const [right, bottom] = [Math.min(roundHalfEven(x + across), width), Math.min(roundHalfEven(y + down), height)];
  return [left, top, Math.max(1, right - left), Math.max(1, bottom - top)];
}
