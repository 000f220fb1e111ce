// Probabilities over time, as lines on a canvas.

import {percentage} from "../../shared/attributes/percentage.js";

const GAP_MS = 2000; // if a face was away for longer, its line has a gap
const HEIGHT = 150; // pixels at the default font size; with a larger font the whole plot is larger

/** Lines over time on a canvas, from 0 to 100 %. */
export class Plot {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
  }

  /**
   * @param {import("./recording.js").Row[]} rows - of one face
   * @param {{index: number, colour: string}[]} lines - places of the attributes
   * @param {number} from - milliseconds
   * @param {number} to - milliseconds
   */
  draw(rows, lines, from, to) {
    const {clientWidth, clientHeight} = this.canvas;
    const ratio = window.devicePixelRatio;
    const scale = clientHeight / HEIGHT;
    this.canvas.width = Math.round(clientWidth * ratio);
    this.canvas.height = Math.round(clientHeight * ratio);
    this.context = this.canvas.getContext("2d");
    this.context.scale(scale * ratio, scale * ratio);
    const [left, right, top, bottom] = [40, clientWidth / scale - 4, 8, HEIGHT - 18];
    const x = (/** @type {number} */ milliseconds) =>
      left + ((right - left) * (milliseconds - from)) / Math.max(1, to - from);
    const y = (/** @type {number} */ probability) => bottom + (top - bottom) * probability;
    this.drawAxes(left, right, y, from, to);
    const first = rows.findIndex(({milliseconds}) => milliseconds >= from);
    for (const {index, colour} of lines) this.drawLine(rows.slice(Math.max(0, first)), index, colour, x, y);
  }

  /**
   * @param {number} left
   * @param {number} right
   * @param {(probability: number) => number} y - its place on the canvas
   * @param {number} from - milliseconds
   * @param {number} to - milliseconds
   */
  drawAxes(left, right, y, from, to) {
    const style = getComputedStyle(this.canvas);
    const context = this.context;
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = style.getPropertyValue("--soft");
    context.strokeStyle = style.getPropertyValue("--line");
    context.textBaseline = "middle";
    context.textAlign = "right";
    for (const probability of [0, 0.5, 1]) {
      context.fillText(String(percentage(probability)), left - 5, y(probability));
      context.beginPath();
      context.moveTo(left, y(probability));
      context.lineTo(right, y(probability));
      context.stroke();
    }
    context.textBaseline = "top";
    context.fillText(minutes(to), right, y(0) + 6);
    context.textAlign = "left";
    context.fillText(minutes(from), left, y(0) + 6);
  }

  /**
   * @param {import("./recording.js").Row[]} rows
   * @param {number} index - of the attribute
   * @param {string} colour
   * @param {(milliseconds: number) => number} x - their place on the canvas
   * @param {(probability: number) => number} y - its place on the canvas
   */
  drawLine(rows, index, colour, x, y) {
    this.context.strokeStyle = colour;
    this.context.lineWidth = 1.75;
    this.context.lineJoin = this.context.lineCap = "round";
    this.context.beginPath();
    let last = -Infinity;
    for (const {milliseconds, probabilities} of rows) {
      const [left, top] = [x(milliseconds), y(probabilities[index])];
      if (milliseconds - last > GAP_MS) this.context.moveTo(left, top);
      this.context.lineTo(left, top); // a single point is a dot
      last = milliseconds;
    }
    this.context.stroke();
  }
}

/**
 * Minutes and seconds, as 2:05.
 *
 * @param {number} milliseconds
 */
export function minutes(milliseconds) {
  const seconds = Math.floor(milliseconds / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
