// The engine that reads faces in the visitor's own browser: a worker of this page does what the server would.

import {t, VisitorError} from "../shared/language.js";

/**
 * @typedef {import("./answer.js").Answer} Answer
 * @typedef {import("../shared/language.js").Words} Words
 * @typedef {import("./worker.js").Failure} Failure
 * @typedef {import("./worker.js").Options} Options
 *
 * @typedef {Object} DeviceEngine
 * @property {(frame: Blob | ImageBitmapSource, options: Options) => Promise<Answer | {error: Words}>} analyse - see analyse
 * @property {() => void} close - ends the worker; frames in progress are answered by {error}
 * @property {(listener: () => void) => void} whenLost - called if the worker ends by itself; then another one is needed
 */

// The smallest module with a 128-bit instruction: () => i8x16.splat(0).
const SIMD_PROGRAM = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15, 11],
);

/** Why this browser cannot read faces itself. */
export class DeviceError extends VisitorError {
  name = "DeviceError";
}

/**
 * Loads the engine.
 *
 * @param {Object} wanted
 * @param {string} wanted.base - address below which demo/device_files.py's files are, with a "/" at its end
 * @param {import("./files.js").OnProgress} wanted.onProgress - called with how many bytes have arrived
 * @returns {Promise<DeviceEngine>}
 * @throws {DeviceError}
 */
export function createDeviceEngine({base, onProgress}) {
  return new Promise((resolve, reject) => {
    const missing = missingPart();
    if (missing) {
      reject(new DeviceError(missing));
      return;
    }
    const worker = new Worker(new URL("./worker.js", import.meta.url), {type: "module"});
    const fail = (/** @type {Failure} */ failure) => {
      worker.terminate();
      reject(new DeviceError(whyNotLoaded(failure)));
    };
    // If the script didn't arrive, the event has no message.
    worker.onerror = ({message}) =>
      fail(message ? {kind: "other", detail: message} : {kind: "file", detail: "worker.js"});
    worker.onmessage = ({data}) => {
      if (data.progress) onProgress(data.progress);
      else if (data.failure) fail(data.failure);
      else resolve(new WorkerEngine(worker));
    };
    worker.postMessage({base: new URL(base, location.href).href});
  });
}

/** Sends frames to the worker and receives its answers. */
class WorkerEngine {
  /** @param {Worker} worker - which has loaded everything */
  constructor(worker) {
    /** @type {Worker | null} */
    this.worker = worker; // null once it has ended
    this.count = 0;
    /** @type {Map<number, (answer: Answer | {error: Words}) => void>} */
    this.waiting = new Map();
    this.lost = () => {};
    worker.onerror = () => {
      this.close();
      this.lost();
    };
    worker.onmessage = ({data: {id, answer, failure}}) => {
      this.waiting.get(id)?.(answer ?? {error: whyNotRead(failure)});
      this.waiting.delete(id);
    };
  }

  /**
   * Reads a frame.
   *
   * @param {Blob | ImageBitmapSource} frame - a picture file, element or bitmap; an ImageBitmap is used up
   * @param {Options} options - visitor: whose faces are followed from frame to frame; without it the frame is read by
   *   itself. photo: read it as a photo, in which faces may be small and turned. crop: number of the face whose aligned
   *   picture to include, or "all". why: number of the face to explain, and the attribute; without one, all attributes.
   * @returns {Promise<Answer | {error: Words}>} in the form of the server's answers
   */
  async analyse(frame, options) {
    const isReady = frame instanceof Blob || frame instanceof ImageBitmap;
    const source = isReady
      ? frame
      : await createImageBitmap(frame).catch(() => /** @type {ImageBitmap | null} */ (null));
    if (!source) return {error: whyNotRead({kind: "memory", detail: ""})};
    if (!this.worker) {
      if (source instanceof ImageBitmap) source.close();
      return {error: CLOSED};
    }
    return new Promise((resolve) => {
      const id = this.count++;
      this.waiting.set(id, resolve);
      this.worker.postMessage({id, frame: source, options}, source instanceof Blob ? [] : [source]);
    });
  }

  /** @param {() => void} listener */
  whenLost(listener) {
    this.lost = listener;
  }

  close() {
    this.worker?.terminate();
    this.worker = null;
    for (const answer of this.waiting.values()) answer({error: CLOSED});
    this.waiting.clear();
  }
}

/** What the answers are once the worker has ended. */
export const CLOSED = t("Reading on this device has ended.");

/** What this browser lacks, in a sentence for people; "" if it has everything. */
function missingPart() {
  const hasPrograms = typeof WebAssembly === "object" && WebAssembly.validate(SIMD_PROGRAM);
  if (!hasPrograms) return t("This browser is too old to read faces itself: it lacks WebAssembly with SIMD.");
  if (typeof OffscreenCanvas === "undefined" || !new OffscreenCanvas(1, 1).getContext("webgl2")) {
    return t("This browser cannot read faces itself: it lets no page draw with WebGL 2 in the background.");
  }
  return "";
}

/** @param {Failure} failure */
function whyNotLoaded({kind, detail}) {
  if (kind === "canvas") {
    return t(
      "This browser cannot read faces itself: it keeps pages from reading pictures. Allow canvas data for this page.",
    );
  }
  if (kind === "file") return t("A file that reading on this device needs did not arrive: {name}.", {name: detail});
  if (kind === "memory") return t("This device has too little free memory to read faces itself.");
  return t("Reading on this device did not start ({error}).", {error: detail});
}

/** @param {Failure} failure */
function whyNotRead({kind, detail}) {
  if (kind === "picture")
    return t("This browser cannot open the picture. It may be damaged, or of a format it does not know.");
  if (kind === "memory") return t("This device has too little free memory for this picture. Try a smaller one.");
  return t("This device could not read the picture ({error}).", {error: detail});
}
