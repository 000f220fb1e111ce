// Which of the photos that were given wait, were read, or failed and why. They are read one after another.

import {wordsOf} from "../shared/language.js";

/** @typedef {import("./view.js").Answer} Answer */
/** @typedef {import("../engines/server_photos.js").PhotoRequest} PhotoRequest */
/** @typedef {{name: string, reason: import("../shared/language.js").Words, error: Error, photo: Given}} Failure */

/**
 * A photo as it was given: `request` makes what an engine is asked, and throws a VisitorError where it cannot.
 * With `atServer` the visitor has agreed that the server reads this one.
 *
 * @typedef {{name: string, file: boolean, request: () => Promise<PhotoRequest>, atServer?: boolean}} Given
 */

/** Does one thing after another. */
class Turns {
  constructor() {
    /** @type {Promise<any>} */
    this.last = Promise.resolve();
  }

  /**
   * @template T
   * @param {() => Promise<T>} work - begun once all before it is done
   * @returns {Promise<T>}
   */
  take(work) {
    const mine = this.last.then(work);
    this.last = mine.catch(() => {});
    return mine;
  }
}

export class Reading {
  /**
   * @param {number} most - photos of a set
   * @param {(photo: Given, request: PhotoRequest, isWanted: () => boolean) => Promise<Answer | null>} ask - null once it
   *   is not wanted; throws a VisitorError where there is no answer
   * @param {(answer: Answer | null, gift: number) => void} onChange - called whenever a photo was given, read, or failed;
   *   with the answer, and with the gift that the photo belongs to, where it was read
   */
  constructor(most, ask, onChange) {
    this.most = most;
    this.ask = ask;
    this.onChange = onChange;
    this.files = new Turns(); // one file's content at a time is in memory; examples and snapshots need not wait for it
    this.questions = new Turns();
    this.gifts = 0;
    this.round = 0; // those that wait when it ends are dropped
    this.total = 0; // photos of the set
    this.done = 0; // of these, read or failed
    this.refused = 0; // photos beyond the most
    this.cancelled = false;
    /** @type {Answer[]} */
    this.answers = []; // those of the set before, until the first photo of this one is read
    this.fresh = true; // whether they are
    /** @type {Failure[]} */
    this.failed = [];
    /** @type {WeakMap<Answer, Given>} */
    this.sources = new WeakMap(); // answer -> the photo that it is about
  }

  get busy() {
    return this.done < this.total;
  }

  /**
   * Photos that are given while others wait join them; else they begin a set.
   *
   * @param {Given[]} photos
   */
  give(photos) {
    if (!this.busy) this.begin();
    const taken = photos.slice(0, this.most - this.total);
    this.refused += photos.length - taken.length;
    this.total += taken.length;
    if (taken.length) this.gifts++;
    for (const photo of taken) this.read(photo, this.gifts, this.round);
    this.onChange(null, 0);
  }

  begin() {
    this.round++;
    this.total = this.done = this.refused = 0;
    this.failed = [];
    this.fresh = true;
    this.cancelled = false;
  }

  /** Drops the photos that wait. What was read stays. */
  cancel() {
    this.round++;
    this.files = new Turns(); // one may never come from its disk
    this.total = this.done;
    this.cancelled = true;
    this.onChange(null, 0);
  }

  /**
   * Has the server read photos of the set that this device could not. What was read of the set stays.
   *
   * @param {Failure[]} failures
   */
  readAtServer(failures) {
    this.failed = this.failed.filter((failure) => !failures.includes(failure));
    this.done -= failures.length;
    this.cancelled = false;
    this.gifts++;
    for (const {photo} of failures) this.read({...photo, atServer: true}, this.gifts, this.round);
    this.onChange(null, 0);
  }

  /**
   * Asks something else about a photo that was read, after those that wait.
   *
   * @template T
   * @param {Answer} answer - to the photo
   * @param {(request: PhotoRequest, photo: Given) => Promise<T>} ask
   */
  async askAgain(answer, ask) {
    const photo = this.sources.get(answer);
    const request = await photo.request();
    return this.questions.take(() => ask(request, photo));
  }

  /**
   * @param {Given} photo
   * @param {number} gift
   * @param {number} round
   */
  async read(photo, gift, round) {
    const isWanted = () => round === this.round;
    const ask = (/** @type {PhotoRequest} */ request) =>
      this.questions.take(async () => (isWanted() ? this.ask(photo, request, isWanted) : null));
    const fromFile = async () => (isWanted() ? ask(await photo.request()) : null);
    /** @type {Answer | null} */
    let answer = null;
    try {
      answer = await (photo.file ? this.files.take(fromFile) : photo.request().then(ask));
      if (!isWanted()) return;
      this.sources.set(answer, photo);
      if (this.fresh) this.answers = [];
      this.fresh = false;
      this.answers.push(answer);
    } catch (error) {
      if (!isWanted()) return;
      this.failed.push({name: photo.name, reason: wordsOf(error), error, photo});
    }
    this.done++;
    this.onChange(answer, gift);
  }
}
