// A recording of what live mode tells: the probabilities of each face over time, and the files of them. No picture is kept.

const LONGEST_MS = 30 * 60 * 1000; // without pauses
const MOST_ROWS = 60000; // some 30 MB: 33 minutes of one face at 30 frames a second

/**
 * A face in a frame.
 *
 * @typedef {{milliseconds: number, face: number, probabilities: Float32Array}} Row - since the first frame
 */

/** The numbers: one row for each face of each frame, in memory until they are discarded or the page is closed. */
export class Recording {
  /**
   * @param {string[]} attributes - names in the order of the probabilities
   * @param {string} header - the first line of a CSV file, with its line feed
   */
  constructor(attributes, header) {
    this.attributes = attributes;
    this.header = header;
    /** @type {Date | null} */
    this.started = null; // Date of the first frame
    this.origin = 0; // its milliseconds on the clock that `add` is given
    this.latest = 0; // those of the last frame
    this.resumed = false; // whether the next frame is the first one after a pause
    this.paused = 0; // milliseconds of all pauses together
    /** @type {Row[]} */
    this.rows = [];
    /** @type {Map<number, {count: number, means: Float64Array, squares: Float64Array}>} */
    this.spreads = new Map(); // face -> how its attributes vary
  }

  /**
   * @param {number} milliseconds - on a clock that never goes back
   * @param {{number: number, probabilities: number[]}[]} faces - of one frame
   */
  add(milliseconds, faces) {
    if (!this.started) {
      this.started = new Date();
      this.origin = milliseconds;
    } else if (this.resumed) {
      this.paused += milliseconds - this.latest;
    }
    this.latest = milliseconds;
    this.resumed = false;
    for (const {number, probabilities} of faces) {
      const row = {
        milliseconds: Math.round(milliseconds - this.origin),
        face: number,
        probabilities: Float32Array.from(probabilities),
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

  get length() {
    return this.rows.at(-1)?.milliseconds ?? 0;
  }

  /** How much of its length was recorded. */
  get recorded() {
    return this.length - this.paused;
  }

  get full() {
    return this.recorded >= LONGEST_MS || this.rows.length >= MOST_ROWS;
  }

  /**
   * Places of the attributes that vary most for a face, those that vary more first.
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
    const rows = this.rows.map(({milliseconds, face, probabilities}) =>
      [milliseconds, face, ...Array.from(probabilities, (probability) => probability.toFixed(6))].join(","),
    );
    return this.header + [...rows, ""].join("\n");
  }

  /** {started, attributes, rows: [{milliseconds, face, probabilities in the order of attributes}]} */
  json() {
    const rows = this.rows.map(({milliseconds, face, probabilities}) => ({
      milliseconds,
      face,
      probabilities: Array.from(probabilities, (probability) => Number(probability.toFixed(6))),
    }));
    return JSON.stringify({started: this.started, attributes: this.attributes, rows});
  }
}
