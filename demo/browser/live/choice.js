// Which face it is whose attributes are shown.

const OUT_OF_SIGHT_MS = 1000; // the chosen face may be hidden for as long before another one takes its place

/** @typedef {import("./view.js").Face} Face */

export class Choice {
  constructor() {
    this.forget();
  }

  /** Faces that come from now on have other numbers. */
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
   * The chosen face stays it while it is there; of new ones the largest is taken, who sits before the camera.
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
