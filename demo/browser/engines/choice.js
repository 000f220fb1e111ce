// Which engine reads pictures: the server, or this device once its parts are loaded. Live and Photo share the choice.

import {CLOSED, createDeviceEngine} from "../device/engine.js";
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
 * Addresses of two folders, ending in a slash: one with the engine's parts, one with the example pictures.
 *
 * @typedef {{base: string, examples: string}} DeviceParts
 */

const IN_ADDRESS = /\bengine=(server|device)\b/;
const NOT_OFFERED = t(
  "This server does not offer reading on your own device. Whoever runs it can add that: see “About”.",
);

export class EngineChoice {
  /**
   * @param {DeviceParts | null} device - null if the server does not hand them out
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
    this.reader = null; // kept, so that switching back costs nothing
    /** @type {Promise<DeviceReader> | null} */
    this.loading = null;
    /** @type {Set<() => void>} */
    this.listeners = new Set();
    /** @type {(() => void)[]} */
    this.waiting = []; // for the next change only
    if (hasServer) window.addEventListener("hashchange", () => this.obeyAddress());
  }

  /** Makes the choice that the address names, or else the visitor's last one. */
  begin() {
    if (!this.hasServer) this.choose("device");
    else if (!this.obeyAddress() && this.settings.values.engine) this.choose(this.settings.values.engine);
  }

  /** @returns {boolean} whether the address names an engine */
  obeyAddress() {
    const [, name] = IN_ADDRESS.exec(location.hash) ?? [];
    if (name === "server" || name === "device") this.choose(name);
    return Boolean(name);
  }

  /**
   * @param {() => void} listener - called when another engine is chosen, or its state has changed
   * @returns {() => void} to be called once it need not be any more
   */
  onChange(listener) {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** Resolves at the next change. */
  nextChange() {
    return new Promise((resolve) => {
      this.waiting.push(() => resolve(undefined));
    });
  }

  /**
   * Makes the visitor's own choice and keeps it for the next visit.
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

  /** @param {Name} name - if it has failed, it is tried again */
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

  /** The engine on this device, loaded once. Throws a VisitorError if it can't be loaded. */
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
      this.loading = null; // the next try may succeed
      this.progress = {loaded: 0, total: 0};
      throw error;
    }
    this.reader.whenLost(() => this.lose());
    if (this.chosen === "device" && this.state === "failed") this.become("ready"); // somebody else had it loaded
    return this.reader;
  }

  /** Forgets the engine on this device, which has ended by itself: the next try loads another one. */
  lose() {
    this.reader = this.loading = null;
    this.progress = {loaded: 0, total: 0};
    if (this.chosen === "device") this.become("failed", CLOSED);
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
    for (const listener of [...this.listeners]) listener();
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
 * The page's single choice, created by whichever panel starts first.
 *
 * @param {Facts} facts - of either panel
 * @param {boolean} hasServer - whether the page has a server
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
