// The picture that was analysed with a box around each face: painting it, and finding the face under the pointer.

import {faceColour} from "../shared/face_buttons.js";

const RIM_COLOUR = "#0b131599";

export class Overlay {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Facts} facts
   * @param {(number: number) => void} onChoose - a face was clicked, or pointed at by a mouse
   */
  constructor(canvas, facts, onChoose) {
    this.canvas = canvas;
    this.facts = facts;
    this.mirror = true;
    /** @type {HTMLCanvasElement | null} */
    this.picture = null; // with the frame that is shown
    /** @type {{faces: import("./view.js").Face[], width: number, height: number}} */
    this.answer = {faces: [], width: 1, height: 1};
    const choose = (/** @type {MouseEvent} */ event) => {
      const face = this.faceAt(event);
      canvas.style.cursor = face ? "pointer" : "";
      if (face) onChoose(face.number);
    };
    canvas.addEventListener("click", choose);
    canvas.addEventListener("pointermove", (event) => {
      if (event.pointerType === "mouse") choose(event);
    });
  }

  /**
   * @param {HTMLCanvasElement} picture - the frame
   * @param {{faces: import("./view.js").Face[], width: number, height: number}} answer - boxes in pixels of its size
   * @param {number | null} chosen - number of a face
   */
  show(picture, answer, chosen) {
    [this.picture, this.answer] = [picture, answer];
    this.paint(chosen);
  }

  clear() {
    [this.picture, this.answer] = [null, {faces: [], width: 1, height: 1}];
  }

  /** @param {number | null} chosen - number of a face */
  paint(chosen) {
    const {canvas, picture} = this;
    if (!picture) return;
    if (canvas.width !== picture.width) canvas.width = picture.width;
    if (canvas.height !== picture.height) canvas.height = picture.height;
    const context = canvas.getContext("2d", {alpha: false});
    if (this.mirror) context.setTransform(-1, 0, 0, 1, canvas.width, 0);
    context.drawImage(picture, 0, 0);
    context.resetTransform();
    for (const face of this.answer.faces) this.paintFace(context, face, face.number === chosen);
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {import("./view.js").Face} face
   * @param {boolean} chosen
   */
  paintFace(context, face, chosen) {
    const [x, y, width, height] = this.box(face);
    const unit = this.canvas.width / 640;
    const colour = faceColour(face.number, this.facts.face_colours);
    context.setLineDash(face.doubts.length ? [10 * unit, 7 * unit] : []);
    context.beginPath();
    context.roundRect(x, y, width, height, 12 * unit);
    // A dark rim, so that the box is seen before any background.
    strokeWith(context, RIM_COLOUR, (chosen ? 5.5 : 4) * unit);
    strokeWith(context, colour, (chosen ? 3.5 : 2) * unit);
    context.fillStyle = colour;
    context.beginPath();
    context.arc(x + 4 * unit, y + 4 * unit, 13 * unit, 0, 2 * Math.PI);
    context.fill();
    context.fillStyle = this.facts.number_colour;
    context.font = `600 ${16 * unit}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(String(face.number), x + 4 * unit, y + 5 * unit);
  }

  /**
   * The box of a face in pixels of the canvas.
   *
   * @param {import("./view.js").Face} face
   * @returns {number[]} left, top, width and height
   */
  box(face) {
    const [scaleX, scaleY] = [this.canvas.width / this.answer.width, this.canvas.height / this.answer.height];
    const [x, y, width, height] = face.box;
    const left = this.mirror ? this.answer.width - x - width : x;
    return [left * scaleX, y * scaleY, width * scaleX, height * scaleY];
  }

  /** @param {MouseEvent} event */
  faceAt(event) {
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

/**
 * @param {CanvasRenderingContext2D} context
 * @param {string} colour
 * @param {number} width
 */
function strokeWith(context, colour, width) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.stroke();
}
