// Reads the pixels of a picture file, or of a bitmap made from a canvas, a video or an image.

const STRIP_PIXELS = 2 ** 22; // read at once, since browsers limit the size of a canvas
const BACKDROP = "white"; // behind transparent parts of a picture, as on the server

/** The browser keeps pages from reading what they draw. */
export class CanvasError extends Error {
  name = "CanvasError";
}

/** A file that the browser cannot show. */
export class PictureError extends Error {
  name = "PictureError";
}

/**
 * @param {Blob | ImageBitmap} source - if a bitmap, it is closed
 * @returns {Promise<import("./pipeline/numeric/resize.js").Frame>} upright, in sRGB
 */
export async function pixelsOf(source) {
  const bitmap = source instanceof Blob ? await decoded(source) : source;
  try {
    return readPixels(bitmap);
  } finally {
    bitmap.close();
  }
}

/** @param {Blob} file */
async function decoded(file) {
  try {
    return await createImageBitmap(file);
  } catch (error) {
    throw new PictureError(error.message);
  }
}

/** @param {ImageBitmap} bitmap */
function readPixels(bitmap) {
  const {width, height} = bitmap;
  const rows = Math.min(height, Math.max(1, Math.floor(STRIP_PIXELS / width)));
  const canvas = new OffscreenCanvas(width, rows);
  const context = canvas.getContext("2d", {alpha: false, willReadFrequently: true});
  context.fillStyle = BACKDROP;
  const data = new Uint8ClampedArray(4 * width * height);
  for (let top = 0; top < height; top += rows) {
    const count = Math.min(rows, height - top);
    context.fillRect(0, 0, width, rows);
    context.drawImage(bitmap, 0, -top);
    data.set(context.getImageData(0, 0, width, count).data, 4 * top * width);
  }
  return {width, height, data};
}
