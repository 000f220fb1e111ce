// Frames a second, and where the milliseconds of a frame go.

import {find} from "../shared/elements.js";

export const STAGES = {
  capture: ["Camera", "#94a3b8"],
  encode: ["Encode", "#c4b5fd"],
  network: ["Sending", "#60a5fa"],
  wait: ["Wait for a turn", "#fb7185"],
  decode: ["Decode", "#fcd34d"],
  detect: ["Find faces", "#fb923c"],
  align: ["Align", "#a3e635"],
  infer: ["Read attributes", "#2dd4bf"],
  paint: ["Paint", "#e879f9"],
};
const SPEED_WINDOW_MS = 2000;
const SPEED_REFRESH_MS = 500;

/** @typedef {{now: number, latency: number, stages: Object<string, number>}} Frame - all in milliseconds */

export class SpeedPanel {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.rate = find(root, ".rate", HTMLElement);
    this.delay = find(root, ".delay", HTMLElement);
    this.bar = find(root, ".split", HTMLElement);
    this.list = find(root, ".stages", HTMLElement);
    this.parts = Object.entries(STAGES).map(([stage, [name, colour]]) => this.build(stage, name, colour));
    this.clear();
  }

  /**
   * @param {string} stage - key of STAGES
   * @param {string} name - of the stage, for people
   * @param {string} colour
   */
  build(stage, name, colour) {
    const part = document.createElement("i");
    const row = document.createElement("li");
    const value = document.createElement("span");
    part.style.background = colour;
    row.style.setProperty("--stage-colour", colour);
    row.dataset.stage = stage;
    row.append(name, value);
    this.bar.append(part);
    this.list.append(row);
    return {stage, part, value};
  }

  clear() {
    /** @type {Frame[]} */
    this.frames = []; // of the last two seconds
    this.rate.textContent = this.delay.textContent = "–";
    for (const {part, value} of this.parts) {
      part.style.flexGrow = "0";
      value.textContent = "–";
    }
  }

  /**
   * @param {number} now - milliseconds, when a frame was painted
   * @param {number} latency - milliseconds since the camera took it
   * @param {Object<string, number>} stages - milliseconds of each of STAGES
   */
  note(now, latency, stages) {
    // A frame that was taken so long after the last one was painted ends a pause: until then none was wanted.
    const paused = this.frames.length === 0 || now - latency - this.frames.at(-1).now > SPEED_WINDOW_MS;
    if (paused) {
      this.frames = [];
      this.refreshed = now;
    }
    while (this.frames.length > 1 && this.frames[0].now < now - SPEED_WINDOW_MS) this.frames.shift();
    this.frames.push({now, latency, stages});
    if (now - this.refreshed < SPEED_REFRESH_MS) return;
    this.refreshed = now;
    const seconds = (now - this.frames[0].now) / 1000;
    /** @param {(frame: Frame) => number} get */
    const mean = (get) => this.frames.reduce((sum, frame) => sum + get(frame), 0) / this.frames.length;
    this.rate.textContent = String(Math.round((this.frames.length - 1) / seconds));
    this.delay.textContent = String(Math.round(mean((frame) => frame.latency)));
    for (const {stage, part, value} of this.parts) {
      const milliseconds = mean((frame) => frame.stages[stage]);
      part.style.flexGrow = milliseconds.toFixed(1);
      value.textContent = `${milliseconds.toFixed(1)} ms`;
    }
  }
}
