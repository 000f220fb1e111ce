// Finds the faces in a frame, and the three points that align each, like demo/pipeline/detect.py, which explains the
// thresholds.

import {BlazeFace, INPUT_SIDE} from "./mediapipe/blazeface.js";
import {faceInside, mapped, sameFace, suppressOverlaps} from "./face.js";
import {yawByNose} from "./mediapipe/head_pose.js";
import {Landmarker} from "./mediapipe/landmarks.js";
import {ratio, shrink} from "./mediapipe/views.js";
import {smallSides, TILINGS} from "./mediapipe/windows.js";

/**
 * @typedef {import("./face.js").Detection} Detection
 * @typedef {import("./face.js").Face} Face
 * @typedef {import("./numeric/resize.js").Frame} Frame
 */

const TURNED_TILINGS = [2, 4];
const FEW_FACES = 4;
const SIMILAR_SHARE_OF_FEW = 0.5;
const MAX_PHOTO_ASPECT = 2;
const MIN_SCORE = 0.74;
const MIN_SMALL_SCORE = 0.82;
const MIN_KEYPOINT_SCORE = 0.8;
const MIN_PORTRAIT_SCORE = 0.6;
const PORTRAIT_SHARE = 0.25;
const MAX_SHIFT_FROM_DETECTION = 0.3;
const MAX_SHIFT_BETWEEN_FRAMES = 0.5;

export class FaceFinder {
  /**
   * @param {(image: Frame) => import("./mediapipe/blazeface.js").Found[]} detect - MediaPipe's FaceDetector
   * @param {(image: Frame) => import("./mediapipe/landmarks.js").Landmark[][]} findLandmarks - MediaPipe's FaceLandmarker
   */
  constructor(detect, findLandmarks) {
    this.detector = new BlazeFace(detect);
    this.landmarker = new Landmarker(findLandmarks);
  }

  /**
   * All faces of a photo, most certain first: small ones too and, if none is upright, sideways and upside-down ones.
   *
   * @param {Frame} frame
   */
  findInPhoto(frame) {
    return suppressOverlaps(this.faces(frame, best(this.searchPhoto(frame))));
  }

  /**
   * The upright faces of a webcam's frame: the known ones, then the others, most certain first. Small ones are looked
   * for only if there is no larger one.
   *
   * @param {Frame} frame
   * @param {Face[]} known - faces already found in this frame
   * @param {Detection[] | null} glanced - what `glance` has seen in this frame; null if it has not run yet
   */
  findInCameraFrame(frame, known = [], glanced = null) {
    const detections = this.look(frame, glanced, {far: !known.length});
    const unknown = detections.filter((part) => !known.some((face) => sameFace(part, face)));
    return suppressOverlaps([...known, ...this.faces(frame, unknown)]);
  }

  /**
   * Runs only the detector, on the whole frame: one detection for each face, best score first.
   *
   * @param {Frame} frame
   */
  glance(frame) {
    return best(this.detector.inWhole(frame));
  }

  /**
   * Finds a face of the previous frame again near where it was, using only the landmarker.
   *
   * @param {Frame} frame
   * @param {Face} face - if it has no landmarks, the result is null
   */
  follow(frame, {kind, box, points}) {
    return kind === "landmarks" ? this.landmarker.faceNear(frame, box, points, MAX_SHIFT_BETWEEN_FRAMES) : null;
  }

  /**
   * Detects faces near a webcam or, if there are none, distant ones: one detection for each face, best score first.
   *
   * @param {Frame} frame
   * @param {Detection[] | null} glanced - what `glance` has seen in this frame; null if it has not run yet
   * @param {object} options
   * @param {boolean} options.far - whether to look for small faces where there is no larger one
   */
  look(frame, glanced, {far}) {
    let detections = glanced ?? this.glance(frame);
    if (!detections.length) detections = this.detector.inPadded(frame);
    if (!detections.length && far) detections = this.detector.inTiles(frame, 2);
    return best(detections);
  }

  /**
   * Detects faces of any size; if none is upright, also turned ones.
   *
   * @param {Frame} frame
   */
  searchPhoto(frame) {
    const view = searchable(frame);
    let detections = this.inTiles(view, TILINGS);
    for (const quarters of [2, 1, 3]) {
      if (!detections.length) detections = this.inTiles(view, TURNED_TILINGS, quarters);
    }
    detections = best(detections).map((detection) => mapped(detection, ratio(frame, view)));
    const closer = this.withSmall(frame, detections).map((part) => this.detector.lookCloser(frame, part));
    return certain(closer, frame);
  }

  /**
   * Detects in the whole frame and in tiles; if that finds none, with padding around the frame.
   *
   * @param {Frame} frame
   * @param {number[]} tilings
   * @param {number} quarters
   */
  inTiles(frame, tilings, quarters = 0) {
    const detections = this.detector.inWhole(frame, quarters);
    for (const parts of tilings) detections.push(...this.detector.inTiles(frame, parts, quarters));
    return detections.length ? detections : this.detector.inPadded(frame, quarters);
  }

  /**
   * Adds faces found in small windows, going down in size as long as smaller faces are likely.
   *
   * @param {Frame} frame
   * @param {Detection[]} detections
   */
  withSmall(frame, detections) {
    const [longer, shorter] = [Math.max(frame.width, frame.height), Math.min(frame.width, frame.height)];
    let found = detections;
    for (const side of smallSides(frame.width, frame.height)) {
      const sure = certain(found, frame);
      const smallest = Math.min(...sure.map(({box}) => Math.max(box[2], box[3])));
      const expected = side * (sure.length <= FEW_FACES ? SIMILAR_SHARE_OF_FEW : 1);
      if (longer <= MAX_PHOTO_ASPECT * shorter && sure.length && smallest > expected) break;
      for (const quarters of new Set([0, ...sure.map((part) => part.quarters).sort()])) {
        const unknown = best(this.detector.inSmallWindows(frame, side, quarters)).filter(
          (part) => !sure.some((other) => sameFace(part, other)),
        );
        const closer = unknown.map((part) => this.detector.lookCloser(frame, part));
        found = best([...found, ...closer.filter(({score}) => score >= MIN_SMALL_SCORE)]);
      }
    }
    return found;
  }

  /**
   * Confirms and refines detections.
   *
   * @param {Frame} frame
   * @param {Detection[]} detections
   */
  faces(frame, detections) {
    return detections.map((detection) => this.face(frame, detection)).filter((face) => face !== null);
  }

  /**
   * Confirms and refines a detection by its landmarks or, without them, by the detector's score.
   *
   * @param {Frame} frame
   * @param {Detection} detection
   * @returns {Face | null}
   */
  face(frame, detection) {
    const {box, score, quarters} = detection;
    const points = detection.points.subarray(0, 6);
    const face = this.landmarker.faceNear(frame, box, points, MAX_SHIFT_FROM_DETECTION, quarters);
    if (face || score < scoreNeeded(detection, frame, MIN_KEYPOINT_SCORE)) return face;
    return faceInside(frame, {box, points, kind: "keypoints", yaw: yawByNose(detection.points), pitch: 0});
  }
}

/**
 * Shrinks the frame once, to the size at which the smallest tiles still fill the detector's input.
 *
 * @param {Frame} frame
 */
function searchable(frame) {
  return shrink(frame, Math.max(...TILINGS) * INPUT_SIDE);
}

/**
 * One detection for each face, best score first.
 *
 * @param {Detection[]} detections
 */
function best(detections) {
  return suppressOverlaps([...detections].sort((a, b) => b.score - a.score));
}

/**
 * The detections of a photo whose score is high enough.
 *
 * @param {Detection[]} detections
 * @param {Frame} frame
 */
function certain(detections, frame) {
  return detections.filter((part) => part.score >= scoreNeeded(part, frame, MIN_SCORE));
}

/**
 * The score that a detection needs: the usual one, or less if it is as large as in a portrait.
 *
 * @param {Detection} detection
 * @param {Frame} frame
 * @param {number} usual
 */
function scoreNeeded({box}, {width, height}, usual) {
  return Math.max(box[2], box[3]) >= PORTRAIT_SHARE * Math.min(width, height) ? MIN_PORTRAIT_SCORE : usual;
}
