// Marks faces on a picture with a box, a number and labels, on the page and in the saved file.

import {faceColour} from "../face_buttons.js";
import {BADGE_HEIGHT, LABEL_HEIGHT, PictureLayout} from "./layout.js";
import {roundRect} from "./round_rect.js";

const PICTURE_UNITS = 640; // the picture's longer side in units, the measure of what is painted on it
// CSS pixels: below this, a label is not legible on the screen. It grows with the visitor's own font size, but only so
// far that labels leave room for the picture.
const SMALLEST_UNIT = 0.8 * Math.min(1.5, parseFloat(getComputedStyle(document.documentElement).fontSize) / 16);
const LABEL_FONT = 14.5; // units
const RIM_COLOUR = "#0b131599";
const LABEL_COLOUR = "#0b1315d9"; // dark, so that light text is legible on any picture
const LABEL_TEXT_COLOUR = "#f4faf8";
const FAINT_TEXT_COLOUR = "#a9b8b4"; // for labels that should not be relied on
const FAMILY = "system-ui, sans-serif";

/** @typedef {import("./layout.js").Placed} Placed */

/**
 * A face to mark. Its box is [left, top, width, height] in pixels of the canvas.
 *
 * @typedef {{number: number, box: number[], labels: string[], hasWarnings: boolean}} MarkedFace
 */

/**
 * The size of a unit, in pixels of a canvas that shows a picture.
 *
 * @param {number} longer - the canvas's longer side in its own pixels
 * @param {number} shown - the same in CSS pixels; 0 if it is not on the screen
 */
export function unitOf(longer, shown = 0) {
  return longer * Math.max(1 / PICTURE_UNITS, shown ? SMALLEST_UNIT / shown : 0);
}

export class PicturePainter {
  /** @param {Facts} facts */
  constructor({face_colours, number_colour}) {
    this.colours = face_colours;
    this.numberColour = number_colour;
    this.layout = new PictureLayout();
    /** @type {Map<string, number>} */
    this.widths = new Map(); // of texts, in units; cached because measuring takes longer than painting
  }

  /** A painter that places numbers and labels as this one does now, for saving a picture. */
  copy() {
    const copy = Object.create(this);
    copy.layout = this.layout.copy();
    return copy;
  }

  /**
   * Marks the faces on a picture that has been painted already.
   *
   * @param {CanvasRenderingContext2D} context
   * @param {MarkedFace[]} faces
   * @param {number} unit - see unitOf
   * @param {{chosen: number | null, pointed?: number | null, boxes?: boolean}} options - numbers of the chosen
   *   face and of the one under the pointer; whether to paint boxes, too
   */
  paint(context, faces, unit, {chosen, pointed = null, boxes = true}) {
    const {width, height} = context.canvas;
    const marked = faces.map(({number, box: [x, y, across, high], labels}) => ({
      number,
      box: {x, y, width: across, height: high},
      labels,
    }));
    const placed = this.layout.place(marked, {width, height}, unit, (text) => this.widthOf(context, text), chosen);
    placed.forEach((face, position) => {
      const {hasWarnings} = faces[position];
      const colour = faceColour(face.number, this.colours);
      if (boxes)
        paintBox(
          context,
          face.box,
          colour,
          face.badge.height / BADGE_HEIGHT,
          face.number === chosen || face.number === pointed,
          hasWarnings,
        );
    });
    placed.forEach((face, position) => {
      const colour = faceColour(face.number, this.colours);
      this.paintBadge(context, face, colour);
      for (const label of face.labels) paintLabel(context, label, colour, faces[position].hasWarnings);
    });
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {string} text
   * @returns {number} units
   */
  widthOf(context, text) {
    let width = this.widths.get(text);
    if (width === undefined) {
      context.font = labelFont(1);
      width = context.measureText(text).width;
      this.widths.set(text, width);
    }
    return width;
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Placed} face
   * @param {string} colour
   */
  paintBadge(context, {number, badge}, colour) {
    const unit = badge.height / BADGE_HEIGHT;
    fillPill(context, badge, colour, badge.height / 2);
    context.lineWidth = unit;
    context.strokeStyle = RIM_COLOUR;
    context.stroke();
    context.fillStyle = this.numberColour;
    context.font = `650 ${14 * unit}px ${FAMILY}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(String(number), badge.x + badge.width / 2, badge.y + badge.height / 2 + 0.5 * unit);
  }
}

/** @param {number} unit */
function labelFont(unit) {
  return `550 ${LABEL_FONT * unit}px ${FAMILY}`;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import("./layout.js").Area} box
 * @param {string} colour
 * @param {number} unit
 * @param {boolean} strong - for the face that is chosen or pointed at
 * @param {boolean} hasWarnings - drawn with a dashed line
 */
function paintBox(context, box, colour, unit, strong, hasWarnings) {
  context.setLineDash(hasWarnings ? [10 * unit, 7 * unit] : []);
  context.beginPath();
  roundRect(context, box, Math.min(12 * unit, box.width / 6));
  // A dark rim makes the box visible on any background.
  for (const [style, line] of [
    [RIM_COLOUR, strong ? 5.5 : 4],
    [colour, strong ? 3.5 : 2],
  ]) {
    context.strokeStyle = String(style);
    context.lineWidth = Number(line) * unit;
    context.stroke();
  }
  context.setLineDash([]);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import("./layout.js").Label} label
 * @param {string} colour - of the face
 * @param {boolean} hasWarnings
 */
function paintLabel(context, label, colour, hasWarnings) {
  const unit = label.height / LABEL_HEIGHT;
  fillPill(context, label, LABEL_COLOUR, label.height / 2);
  context.fillStyle = hasWarnings ? FAINT_TEXT_COLOUR : colour;
  context.beginPath();
  context.arc(label.x + 9.5 * unit, label.y + label.height / 2, 3 * unit, 0, 2 * Math.PI);
  context.fill();
  context.fillStyle = hasWarnings ? FAINT_TEXT_COLOUR : LABEL_TEXT_COLOUR;
  context.font = labelFont(unit);
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.fillText(label.text, label.x + 17 * unit, label.y + label.height / 2 + 0.5 * unit);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import("./layout.js").Area} area
 * @param {string} colour
 * @param {number} radius
 */
function fillPill(context, area, colour, radius) {
  context.beginPath();
  roundRect(context, area, radius);
  context.fillStyle = colour;
  context.fill();
}
