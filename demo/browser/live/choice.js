// Which face's attributes are shown.

const OUT_OF_SIGHT_MS = 1000; // how long the chosen face may be hidden before another takes its place

/** @typedef {import("./view.js").Face} Face */

export class Choice {
  constructor() {
    this.forget();
  }

  /** Forgets the choice: from now on, faces have other numbers. */
  forget() {
    /** @type {number | null} */
    this.number = null; // of the chosen face
    this.seen = 0; // milliseconds: when it was in the picture last
  }

  /**
   * Chooses a face on the page.
   *
   * @param {number} number
   * @param {number} now - milliseconds
   */
  take(number, now) {
    this.number = number;
    this.seen = now;
  }

  /**
   * Keeps the chosen face while it is there; after that chooses the largest, who sits nearest to the camera.
   *
   * @param {Face[]} faces - of a new frame
   * @param {number} now - milliseconds
   */
  follow(faces, now) {
    if (faces.some(({number}) => number === this.number)) this.seen = now;
    else if (faces.length && (this.number === null || now - this.seen > OUT_OF_SIGHT_MS)) {
      const area = (/** @type {Face} */ {box}) => box[2] * box[3];
      this.take(faces.reduce((largest, face) => (area(face) > area(largest) ? face : largest)).number, now);
    }
  }
}
