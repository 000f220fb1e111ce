// Says what has changed in the chosen face, at the pace that the visitor chose.

import {changeSentence, faceSentence} from "../../shared/attributes/sentence.js";

const SETTLED_MS = 1000; // a tick must last this long to be mentioned

/** @typedef {import("../../shared/language.js").Words} Words */
/** @typedef {import("../../shared/attributes/sentence.js").Reading} Reading */

export class Announcer {
  /** @param {(sentence: Words) => void} say */
  constructor(say) {
    this.say = say;
    this.spoken = -Infinity; // when, in milliseconds
    this.turnTo(null);
  }

  /** @param {number | null} number - of the face to follow from now on; the next sentence describes it in full */
  turnTo(number) {
    this.number = number;
    /** @type {Reading[]} */
    this.said = [];
    /** @type {Map<Words, {reading: Reading, since: number}>} */
    this.latest = new Map(); // name of an attribute -> its tick, and since when
    /** @type {Map<Words, Reading>} */
    this.settled = new Map();
  }

  /**
   * Takes a frame's ticks, and speaks when it is time.
   *
   * @param {number} number - of the face
   * @param {Words} face - the beginning of a full sentence
   * @param {Reading[]} readings
   * @param {number} pace - minimum seconds between two sentences; 0: says nothing
   * @param {number} now - milliseconds
   */
  follow(number, face, readings, pace, now) {
    if (number !== this.number) this.turnTo(number);
    for (const reading of readings) {
      const {name, tick} = reading;
      if (this.latest.get(name)?.reading.tick !== tick) this.latest.set(name, {reading, since: now});
      if (now - this.latest.get(name).since >= SETTLED_MS) this.settled.set(name, reading);
    }
    if (!pace || !this.settled.size || now - this.spoken < 1000 * pace) return;
    const settled = readings.map(({name}) => this.settled.get(name)).filter(Boolean);
    const sentence = this.said.length ? changeSentence(this.said, settled) : faceSentence(face, settled);
    if (!String(sentence)) return;
    [this.said, this.spoken] = [settled, now];
    this.say(sentence);
  }
}
