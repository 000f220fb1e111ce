// Which engine reads pictures: the server, or this device once its parts are here. Live and Photo share one choice.

import {createDeviceEngine} from "../device/engine.js";
import {t, VisitorError, wordsOf} from "../shared/language.js";
import {Settings} from "../shared/settings.js";
import {deviceEngine} from "./device.js";
import {SentBytes} from "./sent_bytes.js";
import {serverEngine} from "./server.js";

/** @typedef {import("../device/engine.js").DeviceEngine} DeviceReader */
/** @typedef {import("../shared/language.js").Words} Words */
/** @typedef {"server" | "device"} Name */
/** @typedef {{loaded: number, total: number}} Progress - in bytes */

/**
 * Addresses of two folders, each with a slash at its end: of what reads faces, and of the example pictures.
 *
 * @typedef {{base: string, examples: string}} DeviceParts
 */

const IN_ADDRESS = /\bengine=(server|device)\b/;
const NOT_OFFERED = t(
  "This server does not hand out what reads faces on your device. Whoever runs it can add that, as the section About says.",
);

export class EngineChoice {
  /**
   * @param {DeviceParts | null} device - null where the server does not hand them out
   * @param {boolean} hasServer - whether there is anything to choose
   */
  constructor(device, hasServer) {
    this.device = device;
    this.hasServer = hasServer;
    this.settings = new Settings();
    this.sentBytes = new SentBytes(() => this.tell());
    /** @type {Name} */
    this.chosen = "server";
    /** @type {"ready" | "loading" | "failed"} */
    this.state = "ready";
    /** @type {Words} */
    this.problem = ""; // why it failed
    /** @type {Progress} */
    this.progress = {loaded: 0, total: 0};
    /** @type {DeviceReader | null} */
    this.reader = null; // kept once it is there: another switch costs nothing
    /** @type {Promise<DeviceReader> | null} */
    this.loading = null;
    /** @type {(() => void)[]} */
    this.listeners = [];
    /** @type {(() => void)[]} */
    this.waiting = []; // for the next change alone
    if (hasServer) window.addEventListener("hashchange", () => this.obeyAddress());
  }

  /** Chooses what the address says, or else what the visitor chose before. */
  begin() {
    if (!this.hasServer) this.choose("device");
    else if (!this.obeyAddress() && this.settings.values.engine) this.choose(this.settings.values.engine);
  }

  /** @returns {boolean} whether the address says anything */
  obeyAddress() {
    const [, name] = IN_ADDRESS.exec(location.hash) ?? [];
    if (name === "server" || name === "device") this.choose(name);
    return Boolean(name);
  }

  /** @param {() => void} listener - called when another engine is chosen, or its state has changed */
  onChange(listener) {
    this.listeners.push(listener);
  }

  /** Resolved with the next change. */
  nextChange() {
    return new Promise((resolve) => {
      this.waiting.push(() => resolve(undefined));
    });
  }

  /**
   * The visitor's own choice, which is kept for the next visit.
   *
   * @param {Name} name
   */
  keep(name) {
    this.settings.change({engine: name});
    if (IN_ADDRESS.test(location.hash)) {
      history.replaceState(history.state, "", location.hash.replace(IN_ADDRESS, `engine=${name}`));
    }
    this.choose(name);
  }

  /** @param {Name} name - one that has failed is tried once more */
  choose(name) {
    if (name === this.chosen && this.state !== "failed") return;
    if (name === "server") this.sentBytes.stop();
    else if (this.chosen === "server") this.sentBytes.start();
    this.chosen = name;
    if (name === "server") this.become("ready");
    else this.useDevice();
  }

  async useDevice() {
    this.become(this.reader ? "ready" : "loading");
    try {
      await this.load();
      if (this.chosen === "device" && this.state !== "ready") this.become("ready");
    } catch (error) {
      if (this.chosen === "device") this.become("failed", wordsOf(error));
    }
  }

  /** What reads faces on this device, loaded once. Throws a VisitorError where it cannot be had. */
  async load() {
    if (!this.device) throw new VisitorError(NOT_OFFERED);
    const onProgress = (/** @type {Progress} */ progress) => {
      this.progress = progress;
      this.tell();
    };
    this.loading ??= createDeviceEngine({base: this.device.base, onProgress});
    try {
      this.reader = await this.loading;
    } catch (error) {
      this.loading = null; // another try may succeed
      this.progress = {loaded: 0, total: 0};
      throw error;
    }
    return this.reader;
  }

  /**
   * @param {"ready" | "loading" | "failed"} state
   * @param {Words} problem - why it failed
   */
  become(state, problem = "") {
    this.state = state;
    this.problem = problem;
    this.tell();
  }

  tell() {
    for (const listener of this.listeners) listener();
    for (const goOn of this.waiting.splice(0)) goOn();
  }

  /**
   * The engine for a session of live mode; null while it is not ready.
   *
   * @param {import("./server.js").Server | null} server - null on a page that has none
   * @returns {import("./server.js").Engine | null}
   */
  open(server) {
    if (this.state !== "ready") return null;
    return this.chosen === "server" ? serverEngine(server) : deviceEngine(this.reader);
  }
}

/** @type {EngineChoice | null} */
let ofThisPage = null;

/**
 * The page's one choice, made by the panel that starts first.
 *
 * @param {Facts} facts - of either panel
 * @param {boolean} hasServer - whether the page has one
 */
export function engineChoice({device}, hasServer) {
  if (!ofThisPage) {
    const address = (/** @type {string} */ path) => new URL(`${window.gradio_config.root}/${path}`, location.href).href;
    const parts = device && {base: address(device.base), examples: address(device.examples)};
    ofThisPage = new EngineChoice(parts, hasServer);
    ofThisPage.begin();
  }
  return ofThisPage;
}
