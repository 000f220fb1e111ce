// The photos that the visitor gives, and what the page shows for them.

import {NotReadHereError} from "../engines/device_photos.js";
import {find} from "../shared/elements.js";
import {joined, t} from "../shared/language.js";
import {choosePanel} from "../shared/panels.js";
import {shownIn} from "../shared/status.js";
import {Album} from "./album.js";
import {Asking} from "./asking.js";
import {Downloads} from "./downloads.js";
import {ServerOffer} from "./offer.js";
import {Reading} from "./reading.js";
import {Snapshot} from "./snapshot.js";

/** @typedef {import("../shared/language.js").Words} Words */
/** @typedef {import("./reading.js").Given} Given */
/** @typedef {import("./view.js").Answer} Answer */

export class Photos {
  /**
   * @param {import("./view.js").View} view
   * @param {import("../engines/choice.js").EngineChoice} engines
   * @param {import("../engines/server_photos.js").PhotoServer | null} server - null on a page that has none
   * @param {Facts} facts
   */
  constructor(view, engines, server, facts) {
    this.view = view;
    /** @type {Words} */
    this.turnNotice = ""; // what the page said last about a turn at the server
    const sayTurn = (/** @type {Words} */ sentence) => view.say((this.turnNotice = sentence), "waiting");
    this.asking = new Asking(engines, server, facts, () => this.sayWhatIsAwaited(), sayTurn);
    this.snapshot = new Snapshot(view, (request) =>
      this.give([{name: request.name, file: false, request: async () => request}]),
    );
    this.shownGift = 0; // the gift (photos given at once) that the photo on the page belongs to
    this.reading = new Reading(
      facts.most_photos,
      (photo, request, signal) => this.asking.ask(photo, request, signal),
      (answer, gift) => this.update(answer, gift),
    );
    this.offer = new ServerOffer(view.photo, (failures) => this.reading.readAtServer(failures));
    const cancel = () => {
      this.reading.cancel();
      engines.tell(); // a photo that waits for an engine stops waiting
    };
    view.cancel.addEventListener("click", cancel);
    this.album = new Album(
      find(view.photo, ".album", HTMLElement),
      view.another,
      (answer) => this.turnTo(answer),
      cancel,
    );
    view.why.ask = (answer, number) => this.explain(answer, number);
    this.downloads = new Downloads(view, this.reading, facts);
  }

  /** @param {Given[]} photos */
  give(photos) {
    choosePanel("photo");
    this.snapshot.close();
    this.reading.give(photos);
  }

  /** @param {Answer} answer - to a photo that the visitor has chosen */
  turnTo(answer) {
    this.snapshot.close();
    this.view.show(answer);
    this.view.tell();
    this.album.mark(answer);
    this.downloads.offer();
  }

  /**
   * Asks for the maps of a face in a photo already read.
   *
   * @param {Answer} answer
   * @param {number} number - of the face
   * @returns {Promise<import("../shared/why/map.js").Maps>}
   */
  async explain(answer, number) {
    const {asking, reading, view} = this;
    const asked = reading.aside.signal;
    try {
      return await reading.askAgain(answer, (request, photo, signal) =>
        asking.explain(answer, number, request, photo, signal),
      );
    } finally {
      // If this made way, the status line says for what.
      if (this.isTurnSaid && !reading.busy && !asked.aborted) view.sayWhatIsShown();
    }
  }

  /** Whether the page still says what the server said of somebody's turn. */
  get isTurnSaid() {
    return Boolean(this.turnNotice) && String(shownIn(this.view.statusLine)) === String(this.turnNotice);
  }

  /** Whether the next photo read will replace what the page shows. */
  get isNextAwaited() {
    return this.reading.busy && this.shownGift < this.reading.gifts;
  }

  sayWhatIsAwaited() {
    this.view.await(this.reading.total, this.asking.engineState, this.isNextAwaited);
    this.showAlbum();
  }

  showAlbum() {
    this.album.show(this.reading, this.view.shown, this.asking.engineState !== "ready");
  }

  /**
   * Shows what has changed. If that fails, the page says so and waits for nothing.
   *
   * @param {Answer | null} answer - the latest one
   * @param {number} gift - that it belongs to
   */
  update(answer, gift) {
    try {
      this.showProgress(answer, gift);
    } catch (error) {
      this.view.arrive();
      this.view.say(t("The result could not be shown ({error}).", {error: error.message}), "problem");
      reportError(error);
    }
  }

  /**
   * Keeps the photo on the page until one of a later gift has been read; the visitor can then choose the others.
   *
   * @param {Answer | null} answer - the latest one
   * @param {number} gift - that it belongs to
   */
  showProgress(answer, gift) {
    const {view, reading} = this;
    if (answer && gift > this.shownGift) {
      this.shownGift = gift;
      this.snapshot.close(); // in case one was begun while waiting for the answer
      view.keep("");
      view.show(answer);
    }
    if (this.isNextAwaited) this.sayWhatIsAwaited();
    else {
      view.arrive();
      if (answer && this.isTurnSaid) view.sayWhatIsShown();
      this.showAlbum();
    }
    this.offer.show(this.asking.atServer ? reading.failed.filter(({error}) => error instanceof NotReadHereError) : []);
    if (!reading.busy || answer) this.downloads.offer();
    if (reading.busy) return;
    // A question about the photo on the page has made way, and its promise learns of that only after this call.
    if (!answer) setTimeout(() => view.why.update());
    this.sayHowItEnded();
  }

  sayHowItEnded() {
    const {view, reading} = this;
    const {total, failed, refused, cancelled, fresh, answers} = reading;
    const leftOut = refused ? t("Not read: {count}", {count: failed.length + refused}) : "";
    if (fresh) view.keep(whyNone(failed, cancelled));
    const say = (/** @type {Words} */ text) =>
      view.say(joined([text, leftOut, view.kept]), failed.length ? "problem" : "plain");
    if (cancelled && fresh) say(t("Cancelled."));
    else if (cancelled) say(t("Cancelled. Photos read before: {count}.", {count: answers.length}));
    else if (total === 1 && failed.length) say(failed[0].reason);
    else if (failed.length) say(t("{count} of {total} photos could not be read.", {count: failed.length, total}));
    else if (total > 1) say(t("{count} photos were read. Choose one to see its faces.", {count: total}));
    else view.sayWhatIsShown();
  }
}

/**
 * Why none of the last photos given is on the page.
 *
 * @param {import("./reading.js").Failure[]} failed
 * @param {boolean} cancelled
 */
function whyNone(failed, cancelled) {
  if (failed.length > 1) return t("None of the new photos could be read.");
  if (failed.length) return t("{name} could not be read.", {name: failed[0].name});
  return cancelled ? t("No new photo was read.") : "";
}
