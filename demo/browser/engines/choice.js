// Which engine reads the camera's frames: the server, or this device once its parts are here.

import {t} from "../shared/language.js";
import {Settings} from "../shared/settings.js";
import {deviceEngine, loadDeviceEngine} from "./device.js";
import {serverEngine} from "./server.js";

/** @typedef {import("./server.js").Engine} Engine */
/** @typedef {import("./device.js").DeviceReader} DeviceReader */
/** @typedef {"server" | "device"} Name */
/** @typedef {{loaded: number, total: number}} Progress - in bytes */

const IN_ADDRESS = /\bengine=(server|device)\b/;
const NOT_OFFERED = t(
  "This server does not hand out what reads faces on your device. Whoever runs it can add that, as the section About says.",
);

export class EngineChoice {
  /**
   * @param {import("./server.js").Server | null} server - null on a page that has none
   * @param {{base: string} | null} device - where the parts for this device lie; null where the server has none
   */
  constructor(server, device) {
    this.server = server;
    this.device = device;
    this.settings = new Settings();
    /** @type {Name} */
    this.chosen = "server";
    /** @type {"ready" | "loading" | "failed"} */
    this.state = "ready";
    this.problem = ""; // why it failed
    /** @type {Progress} */
    this.progress = {loaded: 0, total: 0};
    /** @type {DeviceReader | null} */
    this.reader = null; // kept once it is there: another switch costs nothing
    /** @type {(() => void)[]} */
    this.listeners = [];
    if (server) window.addEventListener("hashchange", () => this.obeyAddress());
  }

  /** Chooses what the address says, or else what the visitor chose before. To be called once listeners are there. */
  begin() {
    if (!this.server) this.choose("device");
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

  /** @param {Name} name */
  choose(name) {
    if (name === this.chosen && this.state !== "failed") return;
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
      if (this.chosen === "device") this.become("failed", error.message);
    }
  }

  /** What reads faces on this device. Throws an Error with a sentence where it cannot be had. */
  async load() {
    if (!this.device) throw new Error(NOT_OFFERED);
    this.reader ??= await loadDeviceEngine(this.device.base, (progress) => {
      this.progress = progress;
      this.tell();
    });
    return this.reader;
  }

  /**
   * @param {"ready" | "loading" | "failed"} state
   * @param {string} problem - why it failed
   */
  become(state, problem = "") {
    this.state = state;
    this.problem = problem;
    this.tell();
  }

  tell() {
    for (const listener of this.listeners) listener();
  }

  /**
   * The engine for a session; null while it is not ready.
   *
   * @returns {Engine | null}
   */
  open() {
    if (this.state !== "ready") return null;
    return this.chosen === "server" ? serverEngine(this.server) : deviceEngine(this.reader);
  }
}
