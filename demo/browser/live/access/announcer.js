// At the pace that the visitor chose, what has changed in the chosen face is said.

import {changeSentence, faceSentence} from "../../shared/attributes/sentence.js";

const SETTLED_MS = 1000; // a tick that stands for a shorter time is not worth a word

/** @typedef {import("../../shared/language.js").Words} Words */
/** @typedef {import("../../shared/attributes/sentence.js").Reading} Reading */

export class Announcer {
  /** @param {(sentence: Words) => void} say */
  constructor(say) {
    this.say = say;
    this.spoken = -Infinity; // when, in milliseconds
    this.turnTo(null);
  }

  /** @param {number | null} number - of the face that is followed from now on; the next sentence says all of it */
  turnTo(number) {
    this.number = number;
    /** @type {Reading[]} */
    this.said = [];
    /** @type {Map<Words, {reading: Reading, since: number}>} */
    this.latest = new Map(); // name of an attribute -> its tick, and since when it stands
    /** @type {Map<Words, Reading>} */
    this.settled = new Map();
  }

  /**
   * Takes the ticks of a frame, and says them when it is time.
   *
   * @param {number} number - of the face
   * @param {Words} face - what a whole sentence begins with
   * @param {Reading[]} readings
   * @param {number} pace - least seconds between two sentences; 0: none is said
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
