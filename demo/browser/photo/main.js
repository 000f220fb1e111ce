// Photo mode: each picture is read by the engine chosen at that moment, and its result is shown in its place.

import {engineChoice} from "../engines/choice.js";
import {NotReadHereError, devicePhotos} from "../engines/device_photos.js";
import {serverPhotos} from "../engines/server_photos.js";
import {EngineSwitch} from "../engines/switch.js";
import {bytesOf} from "../shared/files/base64.js";
import {closest, find} from "../shared/elements.js";
import {whenRefused} from "../shared/given.js";
import {joined, t, VisitorError} from "../shared/language.js";
import {choosePanel, chosenPanel, whenPanelChosen} from "../shared/panels.js";
import {shownIn} from "../shared/status.js";
import {translate} from "../shared/written.js";
import {Album} from "./album.js";
import {Downloads} from "./downloads.js";
import {readFile, takeFiles} from "./files.js";
import {ServerOffer} from "./offer.js";
import {Reading} from "./reading.js";
import {Snapshot} from "./snapshot.js";
import {allAsJson, asCsv, asJson} from "./tables.js";
import {View} from "./view.js";

export {ready} from "../shared/language.js";

/** @typedef {import("../engines/server_photos.js").PhotoServer} PhotoServer */
/** @typedef {import("../shared/language.js").Words} Words */
/** @typedef {import("./view.js").Answer} Answer */

/**
 * @param {HTMLElement} element - holds the panel
 * @param {Facts} facts
 * @param {PhotoServer | null} server - null on a page that has none
 */
export function start(element, facts, server) {
  const photo = find(element, "#photo", HTMLElement);
  const engines = engineChoice(facts, server !== null);
  translate(element);
  const view = new View(photo, facts);
  new EngineSwitch(photo, engines);
  const photos = new Photos(view, engines, server, facts);
  takeFiles(photo, (files) => photos.give(files.map((file) => fromFile(file, facts.largest_bytes))));
  whenRefused((sentence) => {
    if (chosenPanel() === "photo") view.say(sentence, "problem");
  });
  find(photo, ".examples", HTMLElement).addEventListener("click", (event) => {
    const example = closest(event, "[data-example]")?.dataset.example;
    if (example) photos.give([{name: example, file: false, request: async () => ({example})}]);
  });
  whenPanelChosen((panel) => {
    if (panel === "live") photos.snapshot.cancel();
  });
}

/**
 * @param {import("../shared/given.js").GivenFile} given
 * @param {number} largestBytes
 * @returns {import("./reading.js").Given}
 */
function fromFile({file, refusal}, largestBytes) {
  const {name, size} = file;
  const request = async () => {
    if (refusal) throw new VisitorError(refusal);
    const megabytes = Math.round(largestBytes / 2 ** 20);
    if (size > largestBytes) {
      throw new VisitorError(t("{name} is larger than {megabytes} MB. Choose a smaller picture.", {name, megabytes}));
    }
    if (size === 0) throw new VisitorError(t("{name} is empty. Choose another picture.", {name}));
    const picture = await readFile(file).catch(() => "");
    if (!picture) throw new VisitorError(t("The browser could not read {name}. Choose another picture.", {name}));
    return {picture, name};
  };
  return {name, file: true, request};
}

/** The photos that the visitor gives, and what the page shows for them. */
class Photos {
  /**
   * @param {View} view
   * @param {import("../engines/choice.js").EngineChoice} engines
   * @param {PhotoServer | null} server
   * @param {Facts} facts
   */
  constructor(view, engines, server, facts) {
    this.view = view;
    this.engines = engines;
    this.facts = facts;
    this.onDevice = devicePhotos(engines, facts);
    /** @type {Words} */
    this.awaited = ""; // what the page said last about a turn at the server
    this.atServer = server && serverPhotos(server, (sentence) => view.say((this.awaited = sentence), "waiting"));
    /** @type {WeakMap<Answer, import("../engines/server_photos.js").PhotoEngine>} */
    this.readBy = new WeakMap();
    this.snapshot = new Snapshot(view, (request) =>
      this.give([{name: request.name, file: false, request: async () => request}]),
    );
    /** @type {import("./reading.js").Given | null} */
    this.asked = null; // the photo that an engine is asked about, or waits for
    this.shownGift = 0; // the gift (photos given at once) that the photo on the page belongs to
    this.reading = new Reading(
      facts.most_photos,
      (photo, request, signal) => this.ask(photo, request, signal),
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
      (answer) => {
        this.snapshot.close();
        view.show(answer);
        view.tell();
        this.album.mark(answer);
        this.downloads.offer();
      },
      cancel,
    );
    view.why.ask = (answer, number) => this.explain(answer, number);
    this.downloads = new Downloads(view.photo, (kind) => this.file(kind));
  }

  /** @param {import("./reading.js").Given[]} photos */
  give(photos) {
    choosePanel("photo");
    this.snapshot.close();
    this.reading.give(photos);
  }

  /**
   * Has a photo read.
   *
   * @param {import("./reading.js").Given} photo
   * @param {import("../engines/server_photos.js").PhotoRequest} request
   * @param {AbortSignal} signal - aborted once it is cancelled
   * @returns {Promise<Answer | null>} null if it is no longer wanted
   */
  async ask(photo, request, signal) {
    const isWanted = () => !signal.aborted;
    this.asked = photo;
    if (photo.atServer && isWanted()) this.sayWhatIsAwaited();
    while (isWanted()) {
      const engine = photo.atServer ? this.atServer : await this.readyEngine(isWanted);
      // If the server had no room for a photo, it is not sent again once the visitor has switched to this device.
      const goesOn = () => isWanted() && (photo.atServer || engine === this.chosenEngine);
      const answer = await this.whileWanted(goesOn, signal, (ending) => engine?.read(request, goesOn, ending));
      if (!answer) continue;
      this.readBy.set(answer, engine);
      return answer;
    }
    return null;
  }

  /**
   * Asks an engine, and aborts what is under way once that is no longer wanted: when the visitor has switched to this
   * device, even the rest of a photo is not sent.
   *
   * @template T
   * @param {() => boolean} goesOn
   * @param {AbortSignal} signal - aborted once it is cancelled
   * @param {(signal: AbortSignal) => Promise<T>} ask
   */
  async whileWanted(goesOn, signal, ask) {
    const ending = new AbortController();
    const endUnlessWanted = () => {
      if (!goesOn()) ending.abort();
    };
    signal.addEventListener("abort", endUnlessWanted);
    const stopWatching = this.engines.onChange(endUnlessWanted);
    endUnlessWanted();
    try {
      return await ask(ending.signal);
    } finally {
      signal.removeEventListener("abort", endUnlessWanted);
      stopWatching(); // else the photo would stay in memory
    }
  }

  get chosenEngine() {
    return this.engines.chosen === "server" ? this.atServer : this.onDevice;
  }

  /**
   * The chosen engine, once it is ready; null if it is no longer wanted. This waits even if the engine fails, since the
   * visitor may have it try again or choose the other one.
   *
   * @param {() => boolean} isWanted
   */
  async readyEngine(isWanted) {
    const {engines} = this;
    const waits = () => engines.state !== "ready" && isWanted();
    if (waits()) {
      do {
        this.sayWhatIsAwaited();
        await engines.nextChange();
      } while (waits());
      if (isWanted()) this.sayWhatIsAwaited();
    }
    return isWanted() ? this.chosenEngine : null;
  }

  /**
   * Asks for the maps of a face. Sends nothing if this device read the photo, or is chosen by now.
   *
   * @param {Answer} answer
   * @param {number} number - of the face
   * @returns {Promise<import("../shared/why/map.js").Maps>}
   */
  async explain(answer, number) {
    const {engines, onDevice, reading, view} = this;
    const asked = reading.aside.signal;
    try {
      return await reading.askAgain(answer, async (request, photo, signal) => {
        const engine = this.readBy.get(answer);
        const goesOn = () => !signal.aborted && (engine === onDevice || photo.atServer || engines.chosen === "server");
        const ask = (/** @type {AbortSignal} */ ending) => engine.explain(request, answer, number, goesOn, ending);
        const maps = goesOn() ? await this.whileWanted(goesOn, signal, ask) : null;
        if (maps || goesOn() || signal.aborted) return maps;
        return onDevice.explain(request, answer, number, () => !signal.aborted, signal);
      });
    } finally {
      // If this made way, the status line says for what.
      const isStillAwaited = this.awaited && String(shownIn(view.statusLine)) === String(this.awaited);
      if (isStillAwaited && !reading.busy && !asked.aborted) view.sayWhatIsShown();
    }
  }

  /** Whether the next photo read will replace what the page shows. */
  get isNextAwaited() {
    return this.reading.busy && this.shownGift < this.reading.gifts;
  }

  /** The state of the engine that the next photo needs. */
  get engineState() {
    return this.asked?.atServer ? "ready" : this.engines.state;
  }

  sayWhatIsAwaited() {
    this.view.await(this.reading.total, this.engineState, this.isNextAwaited);
    this.showAlbum();
  }

  showAlbum() {
    this.album.show(this.reading, this.view.shown, this.engineState !== "ready");
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
      this.showAlbum();
    }
    this.offer.show(this.atServer ? reading.failed.filter(({error}) => error instanceof NotReadHereError) : []);
    if (!reading.busy || answer) this.downloads.offer();
    if (!reading.busy) this.sayHowItEnded();
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

  /**
   * @param {string} kind - of a download
   * @returns {import("./downloads.js").Download}
   */
  file(kind) {
    const {view, reading, facts} = this;
    const {panel, shown} = view;
    const decided = {attributes: panel.attributes, rule: panel.rule, point: panel.toolbar.point};
    const {stem} = view;
    const json = "application/json";
    switch (shown ? kind : "") {
      case "json":
        return {name: `${stem}-faces.json`, type: json, content: asJson(shown, decided, facts)};
      case "csv":
        return {name: `${stem}-faces.csv`, type: "text/csv", content: asCsv([shown], decided, facts)};
      case "picture":
        return {name: `${stem}-faces.jpg`, type: "image/jpeg", content: bytesOf(shown.annotated)};
      case "all-json": {
        const content = allAsJson(reading.answers, reading.failed, decided, facts);
        return {name: "photos-faces.json", type: json, content};
      }
      case "all-csv":
        return {name: "photos-faces.csv", type: "text/csv", content: asCsv(reading.answers, decided, facts)};
      default:
        return {name: "", type: "", content: ""};
    }
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
