// Reads photos on this device: nothing is sent, and the answer has the same form as the server's.

import {base64Of, bytesOf} from "../shared/files/base64.js";
import {encodeFrame} from "../shared/camera.js";
import {t, VisitorError} from "../shared/language.js";
import {PicturePainter, unitOf} from "../shared/picture/painter.js";
import {explainPhoto} from "./explain_photo.js";

const VIEW_SIDE = 1600; // pixels of the longer side at most
const THUMBNAIL_SIDE = 96; // pixels
const QUALITY = 0.9; // of the JPEGs
const BACKDROP = "white"; // behind transparent parts of a picture, as on the server

/** @typedef {import("./server_photos.js").PhotoRequest} PhotoRequest */

/** A photo that this device could not read, but the server perhaps can. */
export class NotReadHereError extends VisitorError {
  name = "NotReadHereError";
}

/**
 * @param {import("./choice.js").EngineChoice} engines
 * @param {Facts} facts
 * @returns {import("./server_photos.js").PhotoEngine}
 */
export function devicePhotos(engines, facts) {
  const painter = new PicturePainter(facts);
  return {
    async read(request) {
      const reader = await engines.load();
      const name = "example" in request ? request.example : request.name;
      const file = await fileOf(request, engines.device.examples);
      const answer = await reader.analyse(file, {photo: true, crop: "all"});
      if ("error" in answer) throw whyNotRead(name, answer.error, facts.unread_suffixes);
      const {width, height} = answer;
      const faces = /** @type {import("../photo/view.js").Face[]} */ (answer.faces); // with all crops
      return {name, width, height, faces, ...(await picturesOf(file, answer, painter))};
    },
    async explain(request, first, number) {
      return explainPhoto(await engines.load(), await fileOf(request, engines.device.examples), first, number);
    },
  };
}

/**
 * @param {PhotoRequest} request
 * @param {string} examples - address of their folder
 */
async function fileOf(request, examples) {
  if ("picture" in request) return new Blob([bytesOf(request.picture)]);
  const {example} = request;
  const response = await fetch(examples + example).catch(() => /** @type {Response | null} */ (null));
  if (!response?.ok)
    throw new VisitorError(t("A file that reading on this device needs did not arrive: {name}.", {name: example}));
  return response.blob();
}

/**
 * @param {string} name - of the photo's file
 * @param {import("../shared/language.js").Words} reason - what the engine says
 * @param {string[]} unread - extensions of files that the server can't read either
 */
function whyNotRead(name, reason, unread) {
  if (!unread.some((suffix) => name.toLowerCase().endsWith(suffix))) return new NotReadHereError(reason);
  return new VisitorError(t("{name} is of a format that is not supported. Save it as JPEG or PNG.", {name}));
}

/**
 * The picture at screen size, plain and with boxes, and as a thumbnail.
 *
 * @param {Blob} file
 * @param {import("../device/answer.js").Answer} answer
 * @param {PicturePainter} painter
 */
async function picturesOf(file, {width, height, faces}, painter) {
  const scale = Math.min(1, VIEW_SIDE / Math.max(width, height));
  const side = Math.min(width, height);
  const middle = [(width - side) / 2, (height - side) / 2, side, side];
  const bitmap = await createImageBitmap(file);
  const view = drawn(bitmap, [0, 0, width, height], Math.round(scale * width), Math.round(scale * height));
  const small = drawn(bitmap, middle, THUMBNAIL_SIDE, THUMBNAIL_SIDE);
  bitmap.close();
  const [picture, thumbnail] = [view, small].map((canvas) => encodeFrame(canvas, QUALITY));
  const marked = faces.map(({number, box}) => ({
    number,
    box: box.map((/** @type {number} */ length) => scale * length),
    labels: /** @type {string[]} */ ([]),
    hasWarnings: false,
  }));
  painter.paint(view.getContext("2d"), marked, unitOf(Math.max(view.width, view.height)), {chosen: null});
  return {picture, annotated: base64Of(encodeFrame(view, QUALITY)), thumbnail};
}

/**
 * A part of a picture at another size.
 *
 * @param {ImageBitmap} bitmap
 * @param {number[]} part - left, top, width and height
 * @param {number} width
 * @param {number} height
 */
function drawn(bitmap, [left, top, ...size], width, height) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [Math.max(1, width), Math.max(1, height)];
  const context = canvas.getContext("2d", {alpha: false});
  context.imageSmoothingQuality = "high";
  context.fillStyle = BACKDROP;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, left, top, size[0], size[1], 0, 0, canvas.width, canvas.height);
  return canvas;
}
