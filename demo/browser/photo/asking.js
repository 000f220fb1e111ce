// Has photos read and explained, each by the engine that is chosen at that moment.

import {devicePhotos} from "../engines/device_photos.js";
import {serverPhotos} from "../engines/server_photos.js";

/** @typedef {import("../engines/server_photos.js").PhotoEngine} PhotoEngine */
/** @typedef {import("../engines/server_photos.js").PhotoRequest} PhotoRequest */
/** @typedef {import("../shared/language.js").Words} Words */
/** @typedef {import("./reading.js").Given} Given */
/** @typedef {import("./view.js").Answer} Answer */

export class Asking {
  /**
   * @param {import("../engines/choice.js").EngineChoice} engines
   * @param {import("../engines/server_photos.js").PhotoServer | null} server - null on a page that has none
   * @param {Facts} facts
   * @param {() => void} onAwaited - called when what a photo waits for may have changed
   * @param {(sentence: Words) => void} onTurn - called with what to say about a turn at the server
   */
  constructor(engines, server, facts, onAwaited, onTurn) {
    this.engines = engines;
    this.onDevice = devicePhotos(engines, facts);
    this.atServer = server && serverPhotos(server, onTurn);
    this.onAwaited = onAwaited;
    /** @type {WeakMap<Answer, PhotoEngine>} */
    this.readBy = new WeakMap();
    /** @type {Given | null} */
    this.asked = null; // the photo that an engine is asked about, or waits for
  }

  /**
   * Has a photo read.
   *
   * @param {Given} photo
   * @param {PhotoRequest} request
   * @param {AbortSignal} signal - aborted once it is cancelled
   * @returns {Promise<Answer | null>} null if it is no longer wanted
   */
  async ask(photo, request, signal) {
    const isWanted = () => !signal.aborted;
    this.asked = photo;
    if (photo.atServer && isWanted()) this.onAwaited();
    while (isWanted()) {
      const engine = photo.atServer ? this.atServer : await this.readyEngine(isWanted);
      // If the server had no room for a photo, it is not sent again once the visitor has switched to this device.
      const goesOn = () => isWanted() && (photo.atServer || engine === this.chosenEngine);
      const answer = await this.whileWanted(goesOn, signal, (ending) => engine?.read(request, goesOn, ending));
      if (!answer) {
        if (isWanted()) this.onAwaited(); // what was said of its turn holds no more
        continue;
      }
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

  /**
   * Asks for the maps of a face. Sends nothing if this device read the photo, or is chosen by now.
   *
   * @param {Answer} answer - to the photo
   * @param {number} number - of the face
   * @param {PhotoRequest} request - as it was read
   * @param {Given} photo
   * @param {AbortSignal} signal - aborted once it is cancelled
   * @returns {Promise<import("../shared/why/map.js").Maps | null>} null if they are no longer wanted
   */
  async explain(answer, number, request, photo, signal) {
    const {engines, onDevice} = this;
    const engine = this.readBy.get(answer);
    const goesOn = () => !signal.aborted && (engine === onDevice || photo.atServer || engines.chosen === "server");
    const ask = (/** @type {AbortSignal} */ ending) => engine.explain(request, answer, number, goesOn, ending);
    const maps = goesOn() ? await this.whileWanted(goesOn, signal, ask) : null;
    if (maps || goesOn() || signal.aborted) return maps;
    return onDevice.explain(request, answer, number, () => !signal.aborted, signal);
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
        this.onAwaited();
        await engines.nextChange();
      } while (waits());
      if (isWanted()) this.onAwaited();
    }
    return isWanted() ? this.chosenEngine : null;
  }

  /** The state of the engine that the next photo needs. */
  get engineState() {
    return this.asked?.atServer ? "ready" : this.engines.state;
  }
}
