// Reads the given photos one after another, and knows which are waiting, which are done, and which failed and why.

import {t, VisitorError, wordsOf} from "../shared/language.js";

/** @typedef {import("./view.js").Answer} Answer */
/** @typedef {import("../engines/server_photos.js").PhotoRequest} PhotoRequest */
/** @typedef {{name: string, reason: import("../shared/language.js").Words, error: Error, photo: Given}} Failure */

/**
 * A photo as given: `request` makes the request for an engine, or throws a VisitorError if it can't. `atServer`: the
 * visitor has agreed that the server may read this one.
 *
 * @typedef {{name: string, file: boolean, request: () => Promise<PhotoRequest>, atServer?: boolean}} Given
 */

/** Work was cancelled before its end. */
export class CancelledError extends VisitorError {
  name = "CancelledError";
}

/** Runs one task after another. */
class Turns {
  constructor() {
    /** @type {Promise<any>} */
    this.last = Promise.resolve();
  }

  /**
   * @template T
   * @param {() => Promise<T>} work - begins once all earlier work is done
   * @returns {Promise<T>}
   */
  take(work) {
    const mine = this.last.then(work);
    this.last = mine.catch(() => {});
    return mine;
  }
}

/**
 * Does work unless it is cancelled. Whoever waits need not wait for work that is: it may take long to notice.
 *
 * @template T
 * @param {AbortSignal} signal - aborted when it is cancelled
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 * @throws {CancelledError}
 */
async function unlessCancelled(signal, work) {
  const isOver = () => new CancelledError(t("Cancelled."));
  if (signal.aborted) throw isOver();
  let stop = () => {};
  const cancelled = new Promise((_, reject) => {
    stop = () => reject(isOver());
  });
  signal.addEventListener("abort", stop);
  try {
    return await Promise.race([work(), cancelled]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

export class Reading {
  /**
   * @param {number} most - photos in a set
   * @param {(photo: Given, request: PhotoRequest, signal: AbortSignal) => Promise<Answer | null>} ask - null if it is no
   *   longer wanted, as the signal says; throws a VisitorError if there is no answer
   * @param {(answer: Answer | null, gift: number) => void} onChange - called when photos are given, or when one is read
   *   or fails; once read, with the answer and the number of the gift (photos given at once) that it came with
   */
  constructor(most, ask, onChange) {
    this.most = most;
    this.ask = ask;
    this.onChange = onChange;
    this.files = new Turns(); // keeps one file at a time in memory; examples and snapshots need not wait for it
    this.questions = new Turns();
    this.gifts = 0;
    this.round = new AbortController(); // photos still waiting when it ends are dropped
    this.aside = new AbortController(); // of what is asked about photos already read
    this.total = 0; // photos in the set
    this.done = 0; // photos read or failed
    this.refused = 0; // photos beyond `most`
    this.cancelled = false;
    /** @type {Answer[]} */
    this.answers = []; // the previous set's, until the first photo of this one is read
    this.fresh = true; // whether none of this set has been read yet
    /** @type {Failure[]} */
    this.failed = [];
    /** @type {WeakMap<Answer, Given>} */
    this.sources = new WeakMap(); // answer -> its photo
  }

  get busy() {
    return this.done < this.total;
  }

  /**
   * Takes photos: they join those still waiting, or else begin a new set.
   *
   * @param {Given[]} photos
   */
  give(photos) {
    if (!this.busy) this.begin();
    const taken = photos.slice(0, this.most - this.total);
    this.refused += photos.length - taken.length;
    this.total += taken.length;
    if (taken.length) {
      this.dropQuestions();
      this.gifts++;
    }
    for (const photo of taken) this.read(photo, this.gifts, this.round.signal);
    this.onChange(null, 0);
  }

  begin() {
    this.endRound();
    this.total = this.done = this.refused = 0;
    this.failed = [];
    this.fresh = true;
    this.cancelled = false;
  }

  endRound() {
    this.round.abort();
    this.round = new AbortController();
  }

  /** Drops what is asked about photos already read, so that it holds nothing up. */
  dropQuestions() {
    this.aside.abort();
    this.aside = new AbortController();
  }

  /** Drops the waiting photos. Those already read stay. */
  cancel() {
    this.dropQuestions();
    this.endRound();
    this.files = new Turns(); // in case a file never arrives from its disk
    this.total = this.done;
    this.cancelled = true;
    this.onChange(null, 0);
  }

  /**
   * Has the server read those photos of the set that this device could not. Those already read stay.
   *
   * @param {Failure[]} failures
   */
  readAtServer(failures) {
    this.failed = this.failed.filter((failure) => !failures.includes(failure));
    this.done -= failures.length;
    this.cancelled = false;
    this.gifts++;
    for (const {photo} of failures) this.read({...photo, atServer: true}, this.gifts, this.round.signal);
    this.onChange(null, 0);
  }

  /**
   * Asks something else about a photo already read, after those waiting. It makes way for the next photo given.
   *
   * @template T
   * @param {Answer} answer - to the photo
   * @param {(request: PhotoRequest, photo: Given, signal: AbortSignal) => Promise<T>} ask
   * @returns {Promise<T>}
   * @throws {CancelledError} it made way
   */
  askAgain(answer, ask) {
    const photo = this.sources.get(answer);
    const {signal} = this.aside;
    const asked = async () => ask(await photo.request(), photo, signal);
    return this.questions.take(() => unlessCancelled(signal, asked));
  }

  /**
   * @param {Given} photo
   * @param {number} gift
   * @param {AbortSignal} signal - of its round
   */
  async read(photo, gift, signal) {
    const ask = (/** @type {PhotoRequest} */ request) =>
      this.questions.take(() => unlessCancelled(signal, () => this.ask(photo, request, signal)));
    const fromFile = async () => (signal.aborted ? null : ask(await photo.request()));
    /** @type {Answer | null} */
    let answer = null;
    try {
      answer = await (photo.file ? this.files.take(fromFile) : photo.request().then(ask));
      if (signal.aborted) return;
      this.sources.set(answer, photo);
      if (this.fresh) this.answers = [];
      this.fresh = false;
      this.answers.push(answer);
    } catch (error) {
      if (signal.aborted) return;
      this.failed.push({name: photo.name, reason: wordsOf(error), error, photo});
    }
    this.done++;
    this.onChange(answer, gift);
  }
}
