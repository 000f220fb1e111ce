// Follows faces through a camera's frames, like demo/pipeline/follow.py: the detector moves them along, and landmarks
// are refreshed now and then.

import {faceInside, overlap, sameFace, suppressOverlaps} from "./face.js";
import {scaleOf, similarity, transformed, transformedPoints} from "./numeric/similarity.js";

/**
 * @typedef {import("./face.js").Detection} Detection
 * @typedef {import("./face.js").Face} Face
 * @typedef {import("./face.js").Points} Points
 * @typedef {import("./numeric/resize.js").Frame} Frame
 *
 * A face in the present frame, with what is known from the frame in which its landmarks were found: the face as it was
 * there, the detector's points (null if it missed the face), and when that frame was seen.
 * @typedef {{face: Face, box: import("./face.js").Box, landmarked: Face, keyPoints: Points | null, seconds: number}} Followed
 */

const LANDMARK_INTERVAL_SECONDS = 0.15; // then the landmarker runs on a face again
const MAX_RESIDUAL = 0.06; // how far key points may lie from where the similarity puts them, as a share of the box
const SEARCH_INTERVAL_SECONDS = 0.15; // new faces are looked for at most this often
// A detection may be a face that has moved, by at most this many of its widths, with about its size.
const MAX_WIDTHS_PER_SECOND = 4;
const MAX_SIZE_RATIO = 1.5;

export class FaceFollower {
  /** @param {import("./detect.js").FaceFinder} finder */
  constructor(finder) {
    this.finder = finder;
    /** @type {Followed[]} */
    this.followed = [];
    this.size = "";
    this.searched = -Infinity; // when, in seconds
    this.seconds = -Infinity; // of the previous frame
  }

  /**
   * All faces of the next frame, those already followed before the new ones.
   *
   * @param {Frame} frame
   * @param {number} seconds - when it was seen, on any clock that does not go back
   * @returns {Face[]}
   */
  find(frame, seconds) {
    const size = `${frame.width}x${frame.height}`;
    if (size !== this.size) Object.assign(this, {followed: [], size, searched: -Infinity});
    const before = this.followed.length;
    const seen = before ? this.finder.glance(frame) : null;
    const detections = seen ?? [];
    const faces = this.follow(frame, detections, seconds);
    const isOneLost = faces.length < before;
    const isOneNew = detections.some((detection) => !faces.some((face) => sameFace(detection, face)));
    const isSearchDue = seconds - this.searched >= SEARCH_INTERVAL_SECONDS;
    if (isOneLost || ((isOneNew || !faces.length) && isSearchDue)) {
      const known = faces.map(({face}) => face);
      const found = this.finder.findInCameraFrame(frame, known, seen).slice(known.length);
      faces.push(...found.map((face) => landmarked(face, detections, seconds)));
      this.searched = seconds;
    }
    Object.assign(this, {followed: faces, seconds});
    return faces.map(({face}) => face);
  }

  /**
   * The faces of the previous frame that are found again.
   *
   * @param {Frame} frame
   * @param {Detection[]} detections
   * @param {number} seconds
   */
  follow(frame, detections, seconds) {
    const {pairs, free} = matched(this.followed, detections);
    /** @type {Map<Followed, Followed | null>} */
    const moves = new Map(pairs.map(([old, part]) => [old, moved(old, part, frame)]));
    const due = this.followed.filter((old) => moves.get(old) && seconds - old.seconds >= LANDMARK_INTERVAL_SECONDS);
    const longest = Math.min(...due.map((old) => old.seconds));
    const oldest = due.find((old) => old.seconds === longest);
    const faces = this.followed.flatMap((old) => {
      const move = moves.get(old);
      if (move && old !== oldest) return [move];
      if (!moves.has(old) && this.hasMovedAway(old, free, seconds)) return [];
      const again = this.finder.follow(frame, (move ?? old).face);
      return again ? [landmarked(again, detections, seconds)] : [];
    });
    return suppressOverlaps(faces);
  }

  /**
   * Whether a detection is probably this face, moved out of the landmarker's reach; if so, removes it from `free`.
   *
   * @param {Followed} old
   * @param {Set<Detection>} free
   * @param {number} seconds
   */
  hasMovedAway({box}, free, seconds) {
    const reach = MAX_WIDTHS_PER_SECOND * (seconds - this.seconds);
    const elsewhere = [...free].find((detection) => mayBe(box, detection.box, reach));
    return free.delete(elsewhere);
  }
}

/**
 * Whether a detection has about a face's size and is at most `reach` face widths away from it.
 *
 * @param {import("./face.js").Box} face
 * @param {import("./face.js").Box} detection
 * @param {number} reach
 */
function mayBe(face, detection, reach) {
  const [across, down] = [0, 1].map((i) => detection[i] + detection[i + 2] / 2 - face[i] - face[i + 2] / 2);
  const size = Math.max(face[2], face[3]);
  const ratio = Math.max(detection[2], detection[3]) / size;
  const isNear = Math.hypot(across, down) <= reach * size;
  return isNear && ratio >= 1 / MAX_SIZE_RATIO && ratio <= MAX_SIZE_RATIO;
}

/**
 * Moves the landmarks along with a detection; null if it doesn't show where they are.
 *
 * @param {Followed} followed
 * @param {Detection} detection
 * @param {Frame} frame
 * @returns {Followed | null}
 */
function moved({landmarked: old, keyPoints, seconds}, detection, frame) {
  if (!keyPoints) return null;
  const matrix = similarity(keyPoints, detection.points);
  const expected = transformedPoints(matrix, keyPoints);
  const residual = Math.max(...expected.map((value, i) => Math.abs(value - detection.points[i])));
  if (residual > MAX_RESIDUAL * Math.max(detection.box[2], detection.box[3])) return null;
  const [x, y, width, height] = old.box;
  const scale = scaleOf(matrix);
  const [middleX, middleY] = transformed(matrix, x + width / 2, y + height / 2);
  /** @type {import("./face.js").Box} */
  const box = [middleX - (scale * width) / 2, middleY - (scale * height) / 2, scale * width, scale * height];
  const face = faceInside(frame, {...old, box, points: transformedPoints(matrix, old.points)});
  return face && {face, box: face.box, landmarked: old, keyPoints, seconds};
}

/**
 * A face whose landmarks were found in this frame.
 *
 * @param {Face} face
 * @param {Detection[]} detections
 * @param {number} seconds
 * @returns {Followed}
 */
function landmarked(face, detections, seconds) {
  const keyPoints = detections.find((detection) => sameFace(detection, face))?.points ?? null;
  return {face, box: face.box, landmarked: face, keyPoints, seconds};
}

/**
 * Matches faces with detections by overlap, greedily, each at most once; `free` holds the detections left over.
 *
 * @param {Followed[]} followed
 * @param {Detection[]} detections
 */
function matched(followed, detections) {
  const free = new Set(detections);
  const pairs = followed.flatMap((face) => {
    /** @type {[Followed, Detection][]} */
    const near = [...free].filter((detection) => sameFace(face, detection)).map((detection) => [face, detection]);
    if (!near.length) return [];
    const closest = near.reduce((best, pair) => (closeness(pair) > closeness(best) ? pair : best));
    free.delete(closest[1]);
    return [closest];
  });
  return {pairs, free};
}

/** @param {[Followed, Detection]} pair */
function closeness([face, detection]) {
  return overlap(face.box, detection.box);
}
