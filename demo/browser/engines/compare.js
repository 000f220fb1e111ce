// Reads one picture both ways: the server and this device get the same JPEG file.

import {LARGEST_WIDTH} from "./frame_size.js";
import {ANSWER_MS} from "./server.js";
import {drawScaled, encodeFrame} from "../shared/camera.js";
import {find} from "../shared/elements.js";
import {number, t, wordsOf} from "../shared/language.js";
import {askServer, newVisitor} from "../shared/server.js";
import {write} from "../shared/written.js";

const QUALITY = 0.92; // of the JPEG

/** @typedef {import("../live/view.js").Face} Face */

/** The button that has the last picture read both ways, and the line with the result. */
export class Comparison {
  /**
   * @param {HTMLElement} live - the panel
   * @param {import("./choice.js").EngineChoice} engines
   * @param {import("./server.js").Server | null} server - null on a page that has none
   * @param {() => HTMLCanvasElement | null} lastPicture - the last picture read
   */
  constructor(live, engines, server, lastPicture) {
    this.engines = engines;
    this.server = server;
    this.lastPicture = lastPicture;
    this.button = find(live, "[data-do=compare]", HTMLButtonElement);
    this.resultLine = find(live, ".comparison", HTMLElement);
    this.button.addEventListener("click", () => this.compare());
    engines.onChange(() => this.show());
    this.show();
  }

  show() {
    const {chosen, state, hasServer} = this.engines;
    this.button.hidden = !(hasServer && chosen === "device" && state === "ready");
    if (this.button.hidden) write(this.resultLine, "");
  }

  async compare() {
    if (this.button.getAttribute("aria-disabled") === "true") return;
    const picture = this.lastPicture();
    if (!picture) {
      write(this.resultLine, t("There is no picture yet."));
      return;
    }
    this.button.setAttribute("aria-disabled", "true"); // not disabled: the focus would go to another control
    write(this.resultLine, t("Comparing…"));
    const result = await compare(picture, this.server, this.engines.reader).catch(wordsOf);
    if (!this.button.hidden) write(this.resultLine, result); // else the visitor has switched to the server
    this.button.setAttribute("aria-disabled", "false");
  }
}

/**
 * The result, in a sentence for people.
 *
 * @param {HTMLCanvasElement} picture
 * @param {import("./server.js").Server} server
 * @param {import("./choice.js").DeviceReader} reader
 */
async function compare(picture, server, reader) {
  const scaled = document.createElement("canvas");
  drawScaled(picture, scaled, picture.width, picture.height, LARGEST_WIDTH);
  const frame = encodeFrame(scaled, QUALITY);
  const [atServer, here] = await Promise.all([
    askServer(ANSWER_MS, () => server.analyse_frame({visitor: newVisitor(), frame, crop: null})),
    fetch(frame)
      .then((file) => file.blob())
      .then((file) => reader.analyse(file, {})),
  ]);
  if (!atServer.faces) return atServer.error ?? atServer.failure?.text ?? t("The server is busy. Try again.");
  return "error" in here ? here.error : difference(atServer, here.faces);
}

/**
 * @param {{faces: Face[], left_out: number}} atServer - `left_out`: how many more were found than read
 * @param {Face[]} here
 */
function difference({faces, left_out: leftOut}, here) {
  if (faces.length + leftOut !== here.length) {
    const counts = {server: faces.length + leftOut, device: here.length};
    return t("Faces found: {server} by the server, {device} by this device.", counts);
  }
  if (!here.length) return t("Neither found a face.");
  const all = faces.flatMap((face) => {
    const same = nearest(face, here);
    return face.probabilities.map((probability, index) => Math.abs(probability - same.probabilities[index]));
  });
  const mean = all.reduce((sum, one) => sum + one, 0) / all.length;
  const written = {minimumFractionDigits: 5, maximumFractionDigits: 5};
  const [largest, average] = [Math.max(...all), mean].map((one) => number(one, written));
  return t("The same picture read both ways: probabilities differ by at most {largest}, on average by {average}.", {
    largest,
    average,
  });
}

/**
 * The other face whose box is nearest.
 *
 * @param {Face} face
 * @param {Face[]} others - at least one
 */
function nearest(face, others) {
  const distance = (/** @type {Face} */ {box}) => Math.hypot(...box.map((side, index) => side - face.box[index]));
  return others.reduce((best, other) => (distance(other) < distance(best) ? other : best));
}
