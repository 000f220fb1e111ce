// Frames a second, and where the milliseconds go.

import {find} from "../shared/elements.js";
import {joined, number, t} from "../shared/language.js";
import {write} from "../shared/written.js";

/** @type {Object<string, [import("../shared/language.js").Words, string]>} */
export const STAGES = {
  capture: [t("Camera"), "#94a3b8"],
  encode: [t("Encode"), "#c4b5fd"],
  network: [t("Sending"), "#60a5fa"],
  wait: [t("Wait for a turn"), "#fb7185"],
  decode: [t("Decode"), "#fcd34d"],
  detect: [t("Find faces"), "#fb923c"],
  align: [t("Align"), "#a3e635"],
  infer: [t("Read attributes"), "#2dd4bf"],
  paint: [t("Paint"), "#e879f9"],
};
const ONE_DECIMAL = {minimumFractionDigits: 1, maximumFractionDigits: 1};
const SPEED_WINDOW_MS = 2000;
const SPEED_REFRESH_MS = 500;
const SILENCE_MS = 1000; // without a frame; if frames are slower than that, twice their interval

/** @typedef {{now: number, latency: number, stages: Object<string, number>}} Frame - all in milliseconds */

export class SpeedPanel {
  /**
   * @param {HTMLElement} root
   * @param {(framesPerSecond: number, latency: number) => void} onFigures - called with new figures; latency in ms
   * @param {() => void} onSilence - called when the next frame is overdue
   */
  constructor(root, onFigures = () => {}, onSilence = () => {}) {
    this.onFigures = onFigures;
    this.onSilence = onSilence;
    this.rate = find(root, ".rate", HTMLElement);
    this.delay = find(root, ".delay", HTMLElement);
    this.bar = find(root, ".split", HTMLElement);
    this.list = find(root, ".stages", HTMLElement);
    this.parts = Object.entries(STAGES).map(([stage, [name, colour]]) => this.build(stage, name, colour));
    this.clear();
  }

  /**
   * @param {string} stage - key of STAGES
   * @param {import("../shared/language.js").Words} name - of the stage, for people
   * @param {string} colour
   */
  build(stage, name, colour) {
    const part = document.createElement("i");
    const row = document.createElement("li");
    const label = document.createElement("span");
    const value = document.createElement("span");
    part.style.background = colour;
    row.style.setProperty("--stage-colour", colour);
    row.dataset.stage = stage;
    write(label, name);
    row.append(label, value);
    this.bar.append(part);
    this.list.append(row);
    return {stage, part, value};
  }

  clear() {
    /** @type {Frame[]} */
    this.frames = []; // of the last two seconds
    this.blank();
  }

  /** Shows dashes until there are new figures. */
  blank() {
    clearTimeout(this.overdue);
    for (const {part} of this.parts) part.style.flexGrow = "0";
    for (const figure of [this.rate, this.delay, ...this.parts.map(({value}) => value)]) write(figure, "–");
  }

  /**
   * @param {number} now - milliseconds, when a frame was painted
   * @param {number} latency - milliseconds since the camera took it
   * @param {Object<string, number>} stages - milliseconds of each of STAGES
   */
  note(now, latency, stages) {
    // A frame taken this long after the last one was painted ends a pause, in which none was wanted.
    const paused = this.frames.length === 0 || now - latency - this.frames.at(-1).now > SPEED_WINDOW_MS;
    if (paused) {
      this.frames = [];
      this.refreshed = now;
    }
    while (this.frames.length > 1 && this.frames[0].now < now - SPEED_WINDOW_MS) this.frames.shift();
    this.frames.push({now, latency, stages});
    this.expectNext();
    if (now - this.refreshed < SPEED_REFRESH_MS) return;
    this.refreshed = now;
    this.showFigures(now);
  }

  expectNext() {
    const [last, before] = [this.frames.at(-1), this.frames.at(-2) ?? this.frames.at(-1)];
    clearTimeout(this.overdue);
    this.overdue = setTimeout(
      () => {
        this.blank();
        this.onSilence();
      },
      Math.max(SILENCE_MS, 2 * (last.now - before.now)),
    );
  }

  /** @param {number} now - milliseconds */
  showFigures(now) {
    const seconds = (now - this.frames[0].now) / 1000;
    /** @param {(frame: Frame) => number} get */
    const mean = (get) => this.frames.reduce((sum, frame) => sum + get(frame), 0) / this.frames.length;
    const framesPerSecond = (this.frames.length - 1) / seconds;
    const latency = mean((frame) => frame.latency);
    write(this.rate, framesPerSecond < 1 ? number(framesPerSecond, ONE_DECIMAL) : String(Math.round(framesPerSecond)));
    write(this.delay, String(Math.round(latency)));
    this.onFigures(framesPerSecond, latency);
    for (const {stage, part, value} of this.parts) {
      const milliseconds = mean((frame) => frame.stages[stage] ?? 0); // some engines lack some stages
      part.style.flexGrow = milliseconds.toFixed(1);
      write(value, joined([number(milliseconds, ONE_DECIMAL), "ms"]));
    }
  }
}
