// This device's way of reading a frame: in a worker of this page, with parts that are loaded once.

import {LARGEST_WIDTH} from "../live/frame_size.js";
import {drawScaled} from "../shared/camera.js";
import {t} from "../shared/language.js";
import {newVisitor} from "../shared/server.js";

/** @typedef {import("../device/engine.js").DeviceEngine} DeviceReader */

/** @type {Promise<DeviceReader> | null} */
let loading = null; // the page's only one, for live and for photos
/** @type {((progress: {loaded: number, total: number}) => void)[]} */
const listeners = [];

/**
 * What reads faces on this device. It is loaded once, unless that failed.
 *
 * @param {string} base - address of the folder with the parts, which ends in a slash
 * @param {(progress: {loaded: number, total: number}) => void} onProgress - called with bytes while they come
 * @returns {Promise<DeviceReader>} rejected with an Error with a sentence where they cannot be had
 */
export function loadDeviceEngine(base, onProgress) {
  listeners.push(onProgress);
  loading ??= createReader(base).catch((error) => {
    loading = null;
    throw error;
  });
  return loading;
}

/** @param {string} base */
async function createReader(base) {
  const {createDeviceEngine} = await import("../device/engine.js");
  return createDeviceEngine({
    base,
    onProgress: (progress) => listeners.forEach((listener) => listener(progress)),
  });
}

/**
 * @param {DeviceReader} reader - is kept for the next session
 * @returns {import("./server.js").Engine}
 */
export function deviceEngine(reader) {
  const visitor = newVisitor();
  const small = document.createElement("canvas");
  return {
    name: "device",
    waiting: t("This device is busy…"),
    frameSize: null,
    analyse(frame, {crop}) {
      drawScaled(frame, small, frame.width, frame.height, LARGEST_WIDTH);
      return reader.analyse(small, {visitor, crop});
    },
    close: () => {},
  };
}
