// The analysed picture with its faces marked: paints it, and finds the face under the pointer.

import {PicturePainter, unitOf} from "../shared/picture/painter.js";
import {captioned} from "../shared/picture/file.js";
import {paintMap} from "../shared/why/painter.js";

export class Overlay {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Facts} facts
   * @param {(number: number) => void} onChoose - a face was clicked or tapped
   */
  constructor(canvas, facts, onChoose) {
    this.canvas = canvas;
    this.painter = new PicturePainter(facts);
    this.mirror = true;
    this.clear();
    /** @type {number | null} */
    this.chosen = null; // number of a face
    /** @type {number | null} */
    this.pointed = null; // number of the face under a mouse
    this.shownSize = {width: 0, height: 0}; // of the canvas in CSS pixels
    canvas.addEventListener("click", (event) => {
      const face = this.faceAt(event);
      if (face) onChoose(face.number);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (event.pointerType === "mouse") this.point(this.faceAt(event)?.number ?? null);
    });
    canvas.addEventListener("pointerleave", () => this.point(null));
    new ResizeObserver(() => {
      this.shownSize = {width: canvas.clientWidth, height: canvas.clientHeight};
      this.paint(this.chosen);
    }).observe(canvas);
  }

  /**
   * Takes a frame for `paint` to show.
   *
   * @param {HTMLCanvasElement} picture - the frame
   * @param {{faces: import("./view.js").Face[], width: number, height: number}} answer - boxes in pixels of that size
   */
  take(picture, answer) {
    [this.picture, this.answer] = [picture, answer];
  }

  clear() {
    /** @type {HTMLCanvasElement | null} */
    this.picture = null; // holds the frame shown
    /** @type {{faces: import("./view.js").Face[], width: number, height: number}} */
    this.answer = {faces: [], width: 1, height: 1};
    /** @type {Map<number, string[]>} */
    this.labels = new Map(); // number of a face -> the words beside it
    /** @type {import("../shared/why/map.js").WhyMap | null} */
    this.map = null; // over the chosen face
  }

  /** @param {number | null} number - of the face under the pointer */
  point(number) {
    if (number === this.pointed) return;
    this.pointed = number;
    this.canvas.style.cursor = number === null ? "" : "pointer";
    this.paint(this.chosen);
  }

  /** @param {number | null} chosen - number of a face */
  paint(chosen) {
    const {canvas, picture, shownSize} = this;
    this.chosen = chosen;
    if (!picture) return;
    if (canvas.width !== picture.width) canvas.width = picture.width;
    if (canvas.height !== picture.height) canvas.height = picture.height;
    const longer = Math.max(canvas.width, canvas.height);
    const shown = longer * Math.min(shownSize.width / canvas.width, shownSize.height / canvas.height);
    this.paintOn(canvas.getContext("2d", {alpha: false}), this.painter, unitOf(longer, shown));
  }

  /**
   * @param {CanvasRenderingContext2D} context - of a canvas as large as the frame
   * @param {PicturePainter} painter
   * @param {number} unit - see unitOf
   */
  paintOn(context, painter, unit) {
    const {picture, mirror, answer, labels, map, chosen, pointed} = this;
    if (mirror) context.setTransform(-1, 0, 0, 1, picture.width, 0);
    context.drawImage(picture, 0, 0);
    context.resetTransform();
    const scale = {across: picture.width / answer.width, down: picture.height / answer.height};
    if (map) paintMap(context, map, scale, mirror, unit);
    const faces = answer.faces.map((face) => ({
      number: face.number,
      box: this.box(face),
      labels: labels.get(face.number) ?? [],
      hasWarnings: face.warnings.length > 0,
    }));
    painter.paint(context, faces, unit, {chosen, pointed});
  }

  /**
   * The picture as shown, to be saved; null while there is none.
   *
   * @param {import("../shared/language.js").Words} caption
   */
  file(caption) {
    const {picture, painter} = this;
    if (!picture) return null;
    const unit = unitOf(Math.max(picture.width, picture.height));
    return captioned(picture, (context) => this.paintOn(context, painter.copy(), unit), caption, unit);
  }

  /**
   * The box of a face in pixels of the frame as shown.
   *
   * @param {import("./view.js").Face} face
   * @returns {number[]} left, top, width and height
   */
  box(face) {
    const [scaleX, scaleY] = [this.picture.width / this.answer.width, this.picture.height / this.answer.height];
    const [x, y, width, height] = face.box;
    const left = this.mirror ? this.answer.width - x - width : x;
    return [left * scaleX, y * scaleY, width * scaleX, height * scaleY];
  }

  /** @param {MouseEvent} event */
  faceAt(event) {
    if (!this.picture) return undefined;
    const area = this.canvas.getBoundingClientRect();
    const scale = Math.min(area.width / this.canvas.width, area.height / this.canvas.height); // object-fit: contain
    const pointX = (event.clientX - area.left - area.width / 2) / scale + this.canvas.width / 2;
    const pointY = (event.clientY - area.top - area.height / 2) / scale + this.canvas.height / 2;
    return this.answer.faces.find((face) => {
      const [x, y, width, height] = this.box(face);
      return pointX >= x && pointX <= x + width && pointY >= y && pointY <= y + height;
    });
  }
}
