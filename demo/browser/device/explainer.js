// Explains the network's answers: ONNX Runtime runs the model that slimnet/onnx/fine_maps.py writes.

import {FETCHED} from "./files.js";
import {SESSION, inEqualParts} from "./models.js";

/**
 * What each place in a crop adds to the log-odds of some attributes, as in slimnet.explain.Explanation.
 *
 * @typedef {object} Explanation
 * @property {string[]} attributes - their names
 * @property {number[][][]} maps - one for each attribute, as rows from the top
 * @property {number[]} bias - one for each attribute
 * @property {number[]} rows - y of the edges between rows, in pixels of the crop
 * @property {number[]} columns - x of the edges between columns
 */

export class Explainer {
  /**
   * @param {import("./files.js").Files} files
   * @param {import("./files.js").Modules} modules
   */
  constructor(files, {runtime}) {
    this.files = files;
    this.runtime = runtime;
    /** @type {{attributes: string[], bias: number[], rows: number[], columns: number[]}} */
    this.constants = JSON.parse(new TextDecoder().decode(files.explanation));
    /** @type {Promise<any> | null} */
    this.loading = null; // of the session
  }

  /**
   * @param {object} features - of a crop, as Network.predict gives them
   * @param {string | null} attribute - its name; null: all
   * @returns {Promise<Explanation | null>} null if there is no such attribute, or the session can't be made
   */
  async explain(features, attribute) {
    const {attributes, bias, rows, columns} = this.constants;
    const asked = attribute === null ? attributes : attributes.filter((name) => name === attribute);
    const session = asked.length ? await (this.loading ??= this.load()) : null;
    if (!session) return null;
    const places = asked.map((name) => attributes.indexOf(name));
    const wanted = new this.runtime.Tensor("int32", Int32Array.from(places), [places.length]);
    const {maps} = await session.run({features, attributes: wanted});
    const inRows = (/** @type {Float32Array} */ map) =>
      inEqualParts(map, rows.length - 1).map((row) => Array.from(row));
    return {
      attributes: asked,
      maps: inEqualParts(maps.data, asked.length).map(inRows),
      bias: places.map((place) => bias[place]),
      rows,
      columns,
    };
  }

  /** A session, made only when first needed to save time and memory; null if the runtime can't make one. */
  load() {
    const {fineMaps, network} = this.files;
    const weights = {path: FETCHED.network, data: network};
    const options = {...SESSION, externalData: [weights]};
    return this.runtime.InferenceSession.create(fineMaps, options).catch(/** @returns {null} */ () => null);
  }
}
