// MediaPipe's two face models and the network, each run in WebAssembly.

import {HEIGHT, WIDTH} from "./pipeline/align.js";

/**
 * @typedef {import("./pipeline/numeric/resize.js").Frame} Frame
 * @typedef {{detect: (image: ImageData) => any, close: () => void}} Task - of MediaPipe
 */

const MAX_BATCH_CROPS = 8; // larger batches are no faster per crop, and each crop takes 15 MB
const MAX_THREADS = 4;

/** Options of ONNX Runtime's sessions. */
export const SESSION = {
  executionProviders: ["wasm"],
  // Waiting threads sleep. By default they spin, which starves the rest of the page.
  extra: {session: {intra_op: {allow_spinning: "0"}}},
};

/** MediaPipe's face detector and landmarker. */
export class FaceModels {
  /**
   * @param {import("./files.js").Files} files
   * @param {import("./files.js").Modules} modules
   * @param {WebAssembly.Module} program - MediaPipe's, compiled
   */
  constructor(files, {vision, visionLoader}, program) {
    this.files = files;
    this.vision = vision;
    this.factory = visionLoader.default;
    this.program = program;
    /** @type {Task | null} */
    this.detector = null;
    /** @type {Task | null} */
    this.landmarker = null;
  }

  /** Makes both tasks, replacing any earlier ones, which an error may have broken for good. */
  async create() {
    this.close();
    this.detector = await this.task(this.vision.FaceDetector, this.files.detector);
    this.landmarker = await this.task(this.vision.FaceLandmarker, this.files.landmarker);
  }

  close() {
    for (const task of [this.detector, this.landmarker]) {
      try {
        task?.close();
      } catch {
        // Closing a failed task fails, too.
      }
    }
    this.detector = this.landmarker = null;
  }

  /**
   * @param {{createFromOptions: (fileset: object, options: object) => Promise<Task>}} kind
   * @param {Uint8Array} model
   * @returns {Promise<Task>}
   */
  task(kind, model) {
    // MediaPipe would fetch and compile its program for each task, unless it finds it in these two globals.
    return new Promise((resolve, reject) => {
      const instantiateWasm = (/** @type {WebAssembly.Imports} */ imports, /** @type {Function} */ done) => {
        // Without an instance, as when memory has run out, MediaPipe would wait for good.
        WebAssembly.instantiate(this.program, imports)
          .then((instance) => done(instance, this.program))
          .catch(reject);
        return {};
      };
      Object.assign(globalThis, {ModuleFactory: this.factory, Module: {instantiateWasm}});
      kind
        .createFromOptions(
          {wasmLoaderPath: "", wasmBinaryPath: ""},
          {baseOptions: {modelAssetBuffer: model, delegate: "CPU"}, runningMode: "IMAGE"},
        )
        .then(resolve, reject);
    });
  }

  /**
   * @param {Frame} image
   * @returns {import("./pipeline/mediapipe/blazeface.js").Found[]}
   */
  detect(image) {
    return this.detector.detect(imageData(image)).detections;
  }

  /**
   * @param {Frame} image
   * @returns {import("./pipeline/mediapipe/landmarks.js").Landmark[][]}
   */
  findLandmarks(image) {
    return this.landmarker.detect(imageData(image)).faceLandmarks;
  }
}

/** SlimNet, as slimnet.export writes it, run by ONNX Runtime. */
export class Network {
  /**
   * @param {import("./files.js").Files} files
   * @param {import("./files.js").Modules} modules
   * @returns {Promise<Network>}
   */
  static async load(files, {runtime}) {
    runtime.env.wasm.wasmBinary = files.runtime.buffer;
    runtime.env.wasm.numThreads = self.crossOriginIsolated ? Math.min(MAX_THREADS, navigator.hardwareConcurrency) : 1;
    return new Network(runtime, await runtime.InferenceSession.create(files.network, SESSION));
  }

  /**
   * @param {any} runtime - onnxruntime-web
   * @param {any} session - made by it
   */
  constructor(runtime, session) {
    this.runtime = runtime;
    this.session = session;
  }

  /**
   * @param {Uint8ClampedArray[]} crops - from align()
   * @param {boolean} explained - whether to return their features, too
   * @returns {Promise<import("./pipeline/analyse.js").Prediction[]>} one for each crop
   */
  async predict(crops, explained) {
    const predicted = [];
    for (let start = 0; start < crops.length; start += MAX_BATCH_CROPS) {
      predicted.push(...(await this.predictBatch(crops.slice(start, start + MAX_BATCH_CROPS), explained)));
    }
    return predicted;
  }

  /**
   * @param {Uint8ClampedArray[]} crops
   * @param {boolean} explained
   */
  async predictBatch(crops, explained) {
    const size = 3 * WIDTH * HEIGHT;
    const pixels = new Uint8Array(size * crops.length);
    crops.forEach((crop, i) => pixels.set(crop, size * i));
    const batch = new this.runtime.Tensor("uint8", pixels, [crops.length, HEIGHT, WIDTH, 3]);
    const wanted = explained ? ["probabilities", "features"] : ["probabilities"];
    const {probabilities, features} = await this.session.run({crops: batch}, wanted);
    const seen = explained ? inEqualParts(features.data, crops.length) : [];
    return inEqualParts(probabilities.data, crops.length).map((row, i) => ({
      probabilities: row,
      features: explained ? new this.runtime.Tensor("float32", seen[i], [1, ...features.dims.slice(1)]) : null,
    }));
  }
}

/**
 * Splits an array into equal parts, copied.
 *
 * @param {Float32Array} values
 * @param {number} count - of the parts
 */
export function inEqualParts(values, count) {
  const size = values.length / count;
  return Array.from({length: count}, (_, i) => values.slice(size * i, size * (i + 1)));
}

/** @param {Frame} image */
function imageData({data, width, height}) {
  return new ImageData(data, width, height);
}
