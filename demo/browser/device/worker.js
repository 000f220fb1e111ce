// The worker that reads frames, so that the page never blocks; engine.js tells it what to do.

import {canReadBack} from "../shared/picture/canvas_data.js";
import {describe} from "./answer.js";
import {Explainer} from "./explainer.js";
import {FileError, loadFiles} from "./files.js";
import {FaceModels, Network} from "./models.js";
import {Pipeline, Stream} from "./pipeline/analyse.js";
import {FaceFinder} from "./pipeline/detect.js";
import {CanvasError, PictureError, pixelsOf} from "./pixels.js";

/**
 * What the page asks, and what the worker replies; "id" links a reply to its question.
 *
 * @typedef {{visitor?: string, crop?: number | "all" | null, photo?: boolean, why?: Why | null}} Options
 * @typedef {{face: number, attribute?: string}} Why - number of a face, and one of its attributes; without one, all of them
 * @typedef {{base: string} | {id: number, frame: Blob | ImageBitmap, options: Options}} Question
 *
 * @typedef {{progress: {loaded: number, total: number}} | {ready: true} | {failure: Failure}
 *   | {id: number, answer: import("./answer.js").Answer} | {id: number, failure: Failure}} Message
 *
 * @typedef {{kind: "canvas" | "file" | "memory" | "picture" | "other", detail: string}} Failure
 */

class Reader {
  /**
   * @param {FaceModels} models
   * @param {Network} network
   * @param {Explainer} explainer
   */
  constructor(models, network, explainer) {
    this.models = models;
    this.explainer = explainer;
    const finder = new FaceFinder(
      (image) => models.detect(image),
      (image) => models.findLandmarks(image),
    );
    this.pipeline = new Pipeline((crops, explained) => network.predict(crops, explained), finder);
    /** @type {{visitor: string, stream: Stream} | null} */
    this.visit = null;
  }

  /**
   * @param {string} base
   * @returns {Promise<Reader>}
   */
  static async load(base) {
    if (!canReadBack(new OffscreenCanvas(1, 1).getContext("2d"))) throw new CanvasError();
    const {files, modules} = await loadFiles(base, (progress) => tell({progress}));
    const [program, network] = await Promise.all([WebAssembly.compile(files.vision), Network.load(files, modules)]);
    const models = new FaceModels(files, modules, program);
    await models.create();
    return new Reader(models, network, new Explainer(files, modules));
  }

  /**
   * @param {Blob | ImageBitmap} source
   * @param {Options} options
   * @param {number} arrived - by `performance.now`
   */
  async answer(source, options, arrived) {
    const {crop = null, why = null} = options;
    const began = performance.now();
    const frame = await pixelsOf(source);
    const milliseconds = {wait: began - arrived, decode: performance.now() - began};
    try {
      const analysis = await this.analyse(frame, options, arrived);
      return await describe(analysis, milliseconds, crop, why && (await this.explain(analysis, why)));
    } catch (error) {
      await this.models.create();
      throw error;
    }
  }

  /**
   * The faces of a frame: followed for a visitor, or found in this frame by itself.
   *
   * @param {import("./pipeline/numeric/resize.js").Frame} frame
   * @param {Options} options
   * @param {number} arrived - by `performance.now`
   */
  analyse(frame, {visitor, photo = false, why = null}, arrived) {
    const wanted = {explained: why !== null};
    if (visitor !== undefined) return this.streamOf(visitor).analyse(frame, arrived / 1000, wanted);
    return photo ? this.pipeline.analysePhoto(frame, wanted) : this.pipeline.analyseCameraFrame(frame, wanted);
  }

  /**
   * The explanation of a face; null if the face or the attribute doesn't exist. Its time counts as inference.
   *
   * @param {import("./pipeline/analyse.js").Analysis} analysis
   * @param {Why} why
   */
  async explain({faces, timings}, {face, attribute = null}) {
    const began = performance.now();
    const asked = faces.find(({number}) => number === face);
    const explanation = asked ? await this.explainer.explain(asked.features, attribute) : null;
    timings.infer += performance.now() - began;
    return explanation && {face, explanation};
  }

  /** @param {string} visitor */
  streamOf(visitor) {
    if (this.visit?.visitor !== visitor) this.visit = {visitor, stream: new Stream(this.pipeline)};
    return this.visit.stream;
  }
}

/** @param {Message} message */
function tell(message) {
  self.postMessage(message);
}

/**
 * @param {unknown} error
 * @returns {Failure}
 */
function failureOf(error) {
  const detail = error instanceof Error ? error.message : String(error);
  if (error instanceof CanvasError) return {kind: "canvas", detail};
  if (error instanceof FileError) return {kind: "file", detail};
  if (error instanceof PictureError) return {kind: "picture", detail};
  // MediaPipe's program aborts without a message when it gets no memory.
  const isMemory = error instanceof RangeError || /memory|alloc|\boom\b|aborted\(\)/i.test(detail);
  return {kind: isMemory ? "memory" : "other", detail};
}

/** @type {Promise<Reader>} */
let reader;
/** @type {Promise<unknown>} */
let last = Promise.resolve(); // the last answer: MediaPipe and ONNX Runtime do one thing at a time

self.onmessage = ({data}) => {
  if ("base" in data) {
    reader = Reader.load(data.base);
    reader.then(
      () => tell({ready: true}),
      (error) => tell({failure: failureOf(error)}),
    );
    return;
  }
  const {id, frame, options} = data;
  const arrived = performance.now();
  last = last
    .then(async () => tell({id, answer: await (await reader).answer(frame, options, arrived)}))
    .catch((error) => tell({id, failure: failureOf(error)}));
};
