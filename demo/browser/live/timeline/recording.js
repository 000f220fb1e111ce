// A recording of what live mode shows: each face over time, in numbers, and files of these. No picture is kept.

import {asCell} from "../../shared/csv.js";
import {byRegion, mapOf} from "../../shared/why/map.js";

const LONGEST_MS = 30 * 60 * 1000; // not counting pauses
const PAUSE_MS = 10_000; // if no frame came for longer, as while the picture was frozen, nothing was recorded
const WHY_COLUMNS = 4;
const REGION_DECIMALS = 4; // of log-odds
const MOST_ROWS = 60000; // some 30 MB: 33 minutes of one face at 30 frames a second

/**
 * A face in a frame. `milliseconds`: since the first frame was painted; `captured`: when the camera took this one, in
 * milliseconds since 1970; `frame`: its size; `why`: what each region added to the log-odds of the attribute that the
 * visitor asked about, if any.
 *
 * @typedef {{milliseconds: number, face: number, probabilities: Float32Array, captured: number, box: number[],
 *   frame: number[], warnings: string[], why: {attribute: string, hair: number, eyes: number, mouth: number} | null}} Row
 */

/**
 * @typedef {Pick<import("../view.js").Face, "number" | "box" | "probabilities" | "warnings" | "why">} RecordedFace
 * @typedef {{faces: RecordedFace[], width: number, height: number}} Answer
 */

/** The numbers: one row per face and frame, in memory until they are discarded or the page is closed. */
export class Recording {
  /**
   * @param {string[]} attributes - names in the order of the probabilities
   * @param {Facts} facts
   */
  constructor(attributes, {recording_header: header, formula_starts: formulaStarts, weights}) {
    this.attributes = attributes;
    this.header = header;
    this.formulaStarts = formulaStarts;
    this.weights = weights;
    /** @type {Date | null} */
    this.started = null; // Date of the first frame
    this.origin = 0; // its milliseconds on the clock of `add`
    this.latest = 0; // the last frame's
    this.resumed = false; // whether the next frame is the first after a pause
    this.paused = 0; // milliseconds of all pauses
    /** @type {Row[]} */
    this.rows = [];
    /** @type {Map<number, {count: number, means: Float64Array, squares: Float64Array}>} */
    this.spreads = new Map(); // face -> how much its attributes vary
    this.before = 0; // the highest number of a face that was recorded before the page numbered its faces anew
  }

  /** Notes that the page numbers its faces anew: 1 is now another face, which gets a number of its own here. */
  forgetFaces() {
    this.before = Math.max(0, ...this.spreads.keys());
  }

  /**
   * @param {number} milliseconds - on a clock that never goes back
   * @param {Answer} answer - to one frame
   * @param {number} captured - when the camera took it, on the page's clock (performance.now)
   */
  add(milliseconds, {faces, width, height}, captured) {
    if (!this.started) {
      this.started = new Date();
      this.origin = milliseconds;
    } else if (this.resumed || milliseconds - this.latest > PAUSE_MS) {
      this.paused += milliseconds - this.latest;
    }
    this.latest = milliseconds;
    this.resumed = false;
    for (const {number, probabilities, box, warnings, why} of faces) {
      const row = {
        milliseconds: Math.round(milliseconds - this.origin),
        face: this.before + number,
        probabilities: Float32Array.from(probabilities),
        captured: Date.now() - (performance.now() - captured), // performance.timeOrigin forgets the time asleep
        box,
        frame: [width, height],
        warnings,
        why: why ? regionsOf(why) : null,
      };
      this.rows.push(row);
      this.note(row);
    }
  }

  /**
   * Welford's running variance.
   *
   * @param {Row} row
   */
  note({face, probabilities}) {
    const size = this.attributes.length;
    if (!this.spreads.has(face))
      this.spreads.set(face, {count: 0, means: new Float64Array(size), squares: new Float64Array(size)});
    const spread = this.spreads.get(face);
    spread.count++;
    probabilities.forEach((probability, index) => {
      const difference = probability - spread.means[index];
      spread.means[index] += difference / spread.count;
      spread.squares[index] += difference * (probability - spread.means[index]);
    });
  }

  get faces() {
    return [...this.spreads.keys()].sort((one, other) => one - other);
  }

  /**
   * @param {number} face
   * @param {number} from - milliseconds since the first frame
   */
  rowsOf(face, from) {
    const first = this.rows.findLastIndex(({milliseconds}) => milliseconds < from) + 1;
    return this.rows.slice(first).filter((row) => row.face === face);
  }

  get length() {
    return this.rows.at(-1)?.milliseconds ?? 0;
  }

  /** How long it has recorded, without pauses. */
  get recorded() {
    return this.length - this.paused;
  }

  get full() {
    return this.recorded >= LONGEST_MS || this.rows.length >= MOST_ROWS;
  }

  /**
   * Indices of the attributes that vary most for a face, most varying first.
   *
   * @param {number} face
   * @param {number} count - of attributes
   * @param {(index: number) => boolean} shows - whether an attribute counts
   * @returns {number[]}
   */
  varying(face, count, shows) {
    const squares = this.spreads.get(face)?.squares ?? new Float64Array();
    const places = this.attributes.map((_, index) => index).filter(shows);
    return places.sort((one, other) => squares[other] - squares[one]).slice(0, count);
  }

  csv() {
    const rows = this.rows.map(({milliseconds, face, probabilities, captured, box, frame, warnings, why}) => {
      const shares = Array.from(probabilities, (probability) => probability.toFixed(6));
      const reasons = why
        ? [asCell(why.attribute, this.formulaStarts), why.hair, why.eyes, why.mouth]
        : Array(WHY_COLUMNS).fill("");
      const seen = [isoTime(captured), ...box, ...frame, warnings.join(" ")];
      return [milliseconds, face, ...shares, ...seen, ...reasons].join(",");
    });
    return this.header + [...rows, ""].join("\n");
  }

  /** {started, weights, attributes, rows: [Row with its time in ISO 8601 and probabilities in the order of attributes]} */
  json() {
    const rows = this.rows.map((row) => ({
      ...row,
      probabilities: Array.from(row.probabilities, (probability) => Number(probability.toFixed(6))),
      captured: isoTime(row.captured),
    }));
    return JSON.stringify({started: this.started, weights: this.weights, attributes: this.attributes, rows});
  }
}

/**
 * @param {import("../../shared/why/map.js").Maps} maps - of one attribute
 * @returns {Row["why"]}
 */
function regionsOf(maps) {
  const [attribute] = maps.attributes;
  const {hair, eyes, mouth} = byRegion(mapOf(maps, attribute));
  const [above, middle, below] = [hair, eyes, mouth].map((value) => Number(value.toFixed(REGION_DECIMALS)));
  return {attribute, hair: above, eyes: middle, mouth: below};
}

/** @param {number} milliseconds - since 1970 */
function isoTime(milliseconds) {
  return new Date(milliseconds).toISOString();
}
