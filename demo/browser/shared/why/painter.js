// Paints a map over a face: a cell for each place, with plus signs if it speaks for the attribute and stripes if it
// speaks against it, and numbers beside the strongest.

import {roundRect} from "../picture/round_rect.js";
import {signed} from "./sentence.js";

const FOR_COLOUR = "0 98 255"; // red, green, blue
const AGAINST_COLOUR = "255 106 0";
const MOST_OPAQUE = 0.72;
const LEAST_SHARE = 0.02; // of the strongest cell: weaker ones are not painted
const STRIPES = 3; // in a cell
const MOST_NUMBERS = 3;
const LEAST_NUMBER_SHARE = 0.15; // of the strongest cell: weaker ones get no number
const LEAST_NUMBER = 0.05; // log-odds: smaller ones would be written as 0.0
const NUMBER_FONT = 13; // units of the picture
const NUMBER_HEIGHT = 19; // units
const NUMBER_MARGIN = 6; // units
const NUMBER_ROOM = 46; // units: how wide a number may be
const NUMBER_COLOUR = "#0b1315e0";
const NUMBER_TEXT_COLOUR = "#f4faf8";

/**
 * A cell of a map in pixels of the crop.
 *
 * @typedef {{value: number, x: number, y: number, width: number, height: number}} Cell
 */

/**
 * Paints a map on a picture of faces.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {import("./map.js").WhyMap} map
 * @param {{across: number, down: number}} scale - pixels of the canvas per pixel of the analysed picture
 * @param {boolean} mirror - whether the canvas shows it mirrored
 * @param {number} unit - see unitOf in the picture's painter
 */
export function paintMap(context, map, {across, down}, mirror, unit) {
  const [a, b, c, d, e, f] = map.placement;
  const shown = mirror ? [-across, 0, 0, down, context.canvas.width, 0] : [across, 0, 0, down, 0, 0];
  const transform = new DOMMatrix(shown).multiply(new DOMMatrix([a, d, b, e, c, f]));
  const cells = cellsOf(map);
  const most = Math.max(...cells.map(({value}) => Math.abs(value)));
  context.save();
  context.setTransform(transform);
  for (const cell of cells) {
    const share = Math.abs(cell.value) / most;
    if (share >= LEAST_SHARE) paintCell(context, cell, share);
  }
  context.restore();
  for (const {x, y, text} of numbers(cells, transform, unit)) paintNumber(context, text, x, y, unit);
}

/**
 * @param {import("./map.js").WhyMap} map
 * @returns {Cell[]}
 */
function cellsOf({cells, rows, columns}) {
  return cells.flatMap((row, down) =>
    row.map((value, across) => {
      const [x, y] = [columns[across], rows[down]];
      return {value, x, y, width: columns[across + 1] - x, height: rows[down + 1] - y};
    }),
  );
}

/**
 * @param {CanvasRenderingContext2D} context - in pixels of the crop
 * @param {Cell} cell
 * @param {number} share - of the strongest cell's value
 */
function paintCell(context, {value, x, y, width, height}, share) {
  const opacity = MOST_OPAQUE * Math.sqrt(share); // since one cell often dominates, others would be almost invisible
  const colour = value > 0 ? FOR_COLOUR : AGAINST_COLOUR;
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  context.fillStyle = `rgb(${colour} / ${opacity})`;
  context.fillRect(x, y, width, height);
  context.strokeStyle = `rgb(255 255 255 / ${opacity})`;
  context.lineWidth = Math.min(width, height) / 10;
  context.beginPath();
  if (value > 0) tracePlus(context, x + width / 2, y + height / 2, Math.min(width, height) / 4);
  else traceStripes(context, x, y, width, height);
  context.stroke();
  context.restore();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} x - of the plus sign's middle
 * @param {number} y
 * @param {number} arm - its length
 */
function tracePlus(context, x, y, arm) {
  context.moveTo(x - arm, y);
  context.lineTo(x + arm, y);
  context.moveTo(x, y - arm);
  context.lineTo(x, y + arm);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} y
 * @param {number} width
 * @param {number} height
 */
function traceStripes(context, x, y, width, height) {
  const step = Math.min(width, height) / STRIPES;
  for (let along = step / 2; along < width + height; along += step) {
    context.moveTo(x + along, y);
    context.lineTo(x + along - height, y + height);
  }
}

/**
 * The numbers beside the strongest cells, as long as none covers another.
 *
 * @param {Cell[]} cells
 * @param {DOMMatrix} transform - from the crop to the canvas
 * @param {number} unit
 * @returns {{x: number, y: number, text: string}[]} the left end of each, and the middle of its height
 */
function numbers(cells, transform, unit) {
  const strongest = [...cells].sort((one, other) => Math.abs(other.value) - Math.abs(one.value));
  const least = Math.max(LEAST_NUMBER, LEAST_NUMBER_SHARE * Math.abs(strongest[0].value));
  /** @type {{x: number, y: number, text: string}[]} */
  const written = [];
  for (const {value, x, y, width, height} of strongest) {
    if (written.length === MOST_NUMBERS || Math.abs(value) < least) break;
    const sides = [x, x + width].map((side) => transform.transformPoint({x: side, y: y + height / 2}));
    const right = sides[0].x > sides[1].x ? sides[0] : sides[1]; // also if the picture is mirrored
    const apart = (/** @type {{x: number, y: number}} */ other) =>
      Math.abs(other.x - right.x) > NUMBER_ROOM * unit || Math.abs(other.y - right.y) > NUMBER_HEIGHT * unit;
    if (written.every(apart)) written.push({x: right.x, y: right.y, text: String(signed(value))});
  }
  return written;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {string} text
 * @param {number} x - its left end
 * @param {number} y - the middle of its height
 * @param {number} unit
 */
function paintNumber(context, text, x, y, unit) {
  context.font = `650 ${NUMBER_FONT * unit}px system-ui, sans-serif`;
  context.textAlign = "left";
  context.textBaseline = "middle";
  const [width, height] = [context.measureText(text).width + 2 * NUMBER_MARGIN * unit, NUMBER_HEIGHT * unit];
  context.fillStyle = NUMBER_COLOUR;
  context.beginPath();
  roundRect(context, {x, y: y - height / 2, width, height}, height / 2);
  context.fill();
  context.fillStyle = NUMBER_TEXT_COLOUR;
  context.fillText(text, x + NUMBER_MARGIN * unit, y + 0.5 * unit);
}
