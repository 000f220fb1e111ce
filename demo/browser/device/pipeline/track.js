// Tracks faces: each keeps its number while it moves, crosses another or is hidden for a moment. Like
// demo/pipeline/track.py, which explains the constants.

import {leastCost} from "./numeric/assignment.js";

const REMEMBERED_SECONDS = 2; // a face unseen for longer counts as new
const RESERVED_SECONDS = 5; // that its number stays reserved
const COASTING_SECONDS = 0.3;
const VELOCITY_SECONDS = 0.1;
const APPEARANCE_SECONDS = 0.5;
const [REACH, REACH_PER_SECOND] = [0.6, 2]; // widths of a face
const SIZE_CHANGE = 0.5;
const APPEARANCE_CHANGE = 1.5;
const MAX_COST = 2;
const MAX_LOGIT = 6;
const IN_SIGHT_SECONDS = 0.4;

/**
 * A face in one frame: the middle of its box, the side of a square of the same area, and its logits.
 *
 * @typedef {{x: number, y: number, size: number, logits: number[]}} Sighting
 *
 * One person: where and when last seen, velocity per second, and recent looks.
 * @typedef {Sighting & {number: number, seconds: number, velocity: [number, number]}} Track
 */

/**
 * @param {import("./face.js").Box} box - in the same unit for frames of any size
 * @param {Float32Array} probabilities
 * @returns {Sighting}
 */
export function sighting([x, y, width, height], probabilities) {
  const edge = 1 / (1 + Math.exp(MAX_LOGIT)); // logits far from 0 say little more, and vary most
  const logits = Array.from(probabilities, (probability) => {
    const clipped = Math.min(Math.max(probability, edge), 1 - edge);
    return Math.log(clipped / (1 - clipped));
  });
  return {x: x + width / 2, y: y + height / 2, size: Math.sqrt(width * height), logits};
}

/** Numbers the faces of one camera, from 1. */
export class Tracker {
  constructor() {
    /** @type {Track[]} */
    this.tracks = [];
  }

  /**
   * Gives each face of the next frame a number of its own.
   *
   * @param {number} seconds - when the frame was seen, on any clock that does not go back
   * @param {Sighting[]} sightings - all faces of the frame
   */
  update(seconds, sightings) {
    this.tracks = this.tracks.filter((track) => seconds - track.seconds <= RESERVED_SECONDS);
    const known = this.tracks.filter((track) => seconds - track.seconds <= REMEMBERED_SECONDS);
    /** @type {number[]} */
    const numbers = sightings.map(() => 0);
    for (const [row, track] of assigned(seconds, sightings, known)) {
      goOn(track, seconds, sightings[row]);
      numbers[row] = track.number;
    }
    return numbers.map((number, row) => number || this.begin(seconds, sightings[row]));
  }

  /**
   * @param {number} seconds
   * @param {Sighting} face
   */
  begin(seconds, face) {
    const taken = new Set(this.tracks.map((track) => track.number));
    let number = 1;
    while (taken.has(number)) number++;
    this.tracks.push({...face, number, seconds, velocity: [0, 0]});
    return number;
  }
}

/**
 * Pairs of a face's index and its track, for those alike enough.
 *
 * @param {number} seconds
 * @param {Sighting[]} seen
 * @param {Track[]} known
 * @returns {[number, Track][]}
 */
function assigned(seconds, seen, known) {
  if (!known.length) return [];
  // Without the bound, a pair that is no match could cost another pair its match.
  const costs = seen.map((face) => known.map((track) => Math.min(MAX_COST, costOf(track, seconds, face))));
  return leastCost(costs).flatMap(([row, column]) =>
    costs[row][column] < MAX_COST ? [/** @type {[number, Track]} */ ([row, known[column]])] : [],
  );
}

/**
 * How unlike a track a face is; at MAX_COST or more it is somebody else.
 *
 * @param {Track} track
 * @param {number} seconds
 * @param {Sighting} face
 */
function costOf(track, seconds, face) {
  const unseen = seconds - track.seconds;
  const coasted = COASTING_SECONDS * (1 - Math.exp(-unseen / COASTING_SECONDS));
  const [offX, offY] = [face.x - track.x - track.velocity[0] * coasted, face.y - track.y - track.velocity[1] * coasted];
  const distance = Math.hypot(offX, offY) / Math.max(face.size, track.size);
  const motion = distance / (REACH + REACH_PER_SECOND * unseen);
  const growth = Math.abs(Math.log(face.size / track.size)) / SIZE_CHANGE;
  const squares = face.logits.reduce((sum, logit, i) => sum + (logit - track.logits[i]) ** 2, 0);
  const appearance = Math.sqrt(squares / face.logits.length) / APPEARANCE_CHANGE;
  return motion + growth + (unseen < IN_SIGHT_SECONDS ? Math.min(1, appearance) : appearance);
}

/**
 * Continues a track with the face assigned to it.
 *
 * @param {Track} track
 * @param {number} seconds
 * @param {Sighting} face
 */
function goOn(track, seconds, {x, y, size, logits}) {
  const unseen = seconds - track.seconds;
  if (unseen > 0) {
    const weight = newestWeight(unseen, VELOCITY_SECONDS);
    track.velocity[0] += weight * ((x - track.x) / unseen - track.velocity[0]);
    track.velocity[1] += weight * ((y - track.y) / unseen - track.velocity[1]);
  }
  const weight = newestWeight(unseen, APPEARANCE_SECONDS);
  track.logits = track.logits.map((logit, i) => logit + weight * (logits[i] - logit));
  Object.assign(track, {seconds, x, y, size});
}

/**
 * The weight of the newest value in an exponential moving average (EMA) with uneven intervals.
 *
 * @param {number} elapsed
 * @param {number} timeConstant
 */
function newestWeight(elapsed, timeConstant) {
  return 1 - Math.exp(-elapsed / timeConstant);
}
