// The marked picture as a file or on the clipboard. It is made in the browser and never sent anywhere.

import {number, t} from "../language.js";
import {saveFile} from "../files/save_file.js";

/** @typedef {import("../language.js").Words} Words */

const CAPTION_UNITS = 30; // height of the line below the picture
const CAPTION_FONT = 13.5; // units
const CAPTION_COLOUR = "#0b1315";
const CAPTION_TEXT_COLOUR = "#dfe9e6";
const JPEG_QUALITY = 0.92;

/**
 * A picture with a caption below it.
 *
 * @param {{width: number, height: number}} size - of the picture
 * @param {(context: CanvasRenderingContext2D) => void} paint - paints it
 * @param {Words} caption
 * @param {number} unit - see unitOf in painter.js
 * @returns {HTMLCanvasElement}
 */
export function captioned({width, height}, paint, caption, unit) {
  const picture = canvasOf(width, height);
  paint(picture.getContext("2d"));
  const canvas = canvasOf(width, height + Math.round(CAPTION_UNITS * unit));
  const context = canvas.getContext("2d", {alpha: false});
  context.fillStyle = CAPTION_COLOUR;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(picture, 0, 0);
  context.fillStyle = CAPTION_TEXT_COLOUR;
  context.font = `500 ${CAPTION_FONT * unit}px system-ui, sans-serif`;
  context.textBaseline = "middle";
  const margin = 10 * unit;
  context.fillText(String(caption), margin, (height + canvas.height) / 2, width - 2 * margin);
  return canvas;
}

/**
 * The caption of a picture: who made it, and how large the network is.
 *
 * @param {number} attributes - how many the network reads
 * @param {number} parameters - how many numbers the network has learned
 */
export function captionText(attributes, parameters) {
  const millions = number(parameters / 1e6, {maximumFractionDigits: 2});
  return t("SlimNet Faces · {attributes} attributes read by a network of {millions} million parameters", {
    attributes,
    millions,
  });
}

/**
 * Offers a picture as a download.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {string} name - of the file; its extension, .png or .jpg, chooses the format
 * @returns {Promise<Words>} what to say
 */
export async function savePicture(canvas, name) {
  const blob = await blobOf(canvas, name.endsWith(".png") ? "image/png" : "image/jpeg");
  if (!blob) return t("This browser could not make a file of the picture.");
  saveFile(blob, name);
  return t("Saved as {name}. Saving it sent nothing.", {name});
}

/**
 * Puts a picture on the clipboard.
 *
 * @param {HTMLCanvasElement} canvas
 * @returns {Promise<Words>} what to say
 */
export async function copyPicture(canvas) {
  if (!navigator.clipboard?.write || typeof ClipboardItem === "undefined") {
    return t("This browser does not let a page copy pictures. Save it instead.");
  }
  try {
    // A promise, because Safari wants the item while it handles the click, before the picture is encoded.
    await navigator.clipboard.write([new ClipboardItem({"image/png": blobOf(canvas, "image/png")})]);
    return t("The picture is copied. Paste it wherever you like.");
  } catch {
    return t("The browser refused to copy the picture. Allow it for this page, or save the picture instead.");
  }
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {string} type
 * @returns {Promise<Blob | null>}
 */
function blobOf(canvas, type) {
  return new Promise((resolve) => {
    canvas.toBlob(resolve, type, JPEG_QUALITY);
  });
}

/**
 * @param {number} width
 * @param {number} height
 */
function canvasOf(width, height) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  return canvas;
}
