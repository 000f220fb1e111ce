// Photos read on this device: in place of the server's function, with an answer of the same form.

import {drawScaled, encodeFrame} from "../shared/camera.js";
import {PicturePainter, unitOf} from "../shared/picture/painter.js";
import {base64Of} from "../photo/files.js";
import {bytesOf} from "../photo/downloads.js";
import {loadDeviceEngine} from "./device.js";

const VIEW_SIDE = 1600; // pixels of the longer side, at most
const THUMBNAIL_SIDE = 96; // pixels
const QUALITY = 0.9; // of the JPEGs

/**
 * @param {string} base - address of the folder with what reads faces, which ends in a slash
 * @param {string} examples - address of the folder with the example pictures, which ends in a slash
 * @param {Facts} facts
 * @returns {import("../photo/main.js").Server}
 */
export function devicePhotos(base, examples, facts) {
  const painter = new PicturePainter(facts);
  return {
    async analyse_photo(/** @type {{picture?: string, name?: string, example?: string}} */ request) {
      try {
        const reader = await loadDeviceEngine(base, () => {});
        const file = await fileOf(request, examples);
        const answer = await reader.analyse(file, {thorough: true, crop: "all"});
        if ("error" in answer) return answer;
        const pictures = await picturesOf(file, answer, painter);
        return {name: request.example ?? request.name, ...answer, ...pictures};
      } catch (error) {
        return {error: error.message};
      }
    },
  };
}

/**
 * @param {{picture?: string, example?: string}} request
 * @param {string} examples
 */
async function fileOf({picture, example}, examples) {
  return example ? (await fetch(examples + example)).blob() : new Blob([bytesOf(picture)]);
}

/**
 * The picture in a size for the screen, plain and with boxes, and as a thumbnail.
 *
 * @param {Blob} file
 * @param {import("../device/answer.js").Answer} answer
 * @param {PicturePainter} painter
 */
async function picturesOf(file, {width, height, faces}, painter) {
  const bitmap = await createImageBitmap(file);
  const view = document.createElement("canvas");
  drawScaled(bitmap, view, width, height, VIEW_SIDE);
  const picture = encodeFrame(view, QUALITY);
  const thumbnail = encodeFrame(thumbnailOf(bitmap), QUALITY);
  bitmap.close();
  const scale = view.width / width;
  const marked = faces.map(({number, box}) => ({
    number,
    box: box.map((/** @type {number} */ side) => scale * side),
    labels: /** @type {string[]} */ ([]),
    doubted: false,
  }));
  painter.paint(view.getContext("2d"), marked, unitOf(Math.max(view.width, view.height)), {chosen: null});
  return {picture, annotated: base64Of(encodeFrame(view, QUALITY)), thumbnail};
}

/**
 * The middle of a picture, square.
 *
 * @param {ImageBitmap} bitmap
 */
function thumbnailOf(bitmap) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = THUMBNAIL_SIDE;
  const side = Math.min(bitmap.width, bitmap.height);
  const [left, top] = [(bitmap.width - side) / 2, (bitmap.height - side) / 2];
  canvas
    .getContext("2d", {alpha: false})
    .drawImage(bitmap, left, top, side, side, 0, 0, THUMBNAIL_SIDE, THUMBNAIL_SIDE);
  return canvas;
}
