// The engine's answers, in exactly the form of the server's (demo/server/live.py, answer.py and why.py).

import {HEIGHT, WIDTH} from "./pipeline/align.js";

/**
 * @typedef {import("./pipeline/analyse.js").Analysis} Analysis
 * @typedef {import("./pipeline/analyse.js").FaceResult} FaceResult
 *
 * @typedef {import("./explainer.js").Explanation} Explanation
 * @typedef {import("../shared/why/map.js").Maps} Maps
 *
 * @typedef {{number: number, box: number[], probabilities: number[], warnings: string[], conditions: Object<string, number>,
 *   crop?: string, why?: Maps}} FaceAnswer
 *
 * @typedef {{width: number, height: number, faces: FaceAnswer[], left_out: number, ms: Object<string, number>}} Answer
 */

const CROP_QUALITY = 0.8; // of a JPEG
const LOG_ODDS_DIGITS = 5;
const PLACEMENT_DIGITS = 4;
const CORNER = 0.5; // pixels from a pixel's centre to its corner
const CHARACTERS_AT_ONCE = 2 ** 15; // for one call of String.fromCharCode

/**
 * @param {Analysis} analysis
 * @param {Object<string, number>} milliseconds - stage -> how long it took, for the stages before the analysis
 * @param {number | "all" | null} crop - number of the face whose aligned picture to include, as a data: address
 * @param {{face: number, explanation: Explanation} | null} why - number of the face whose maps to include, and the maps
 * @returns {Promise<Answer>}
 */
export async function describe({width, height, faces, timings}, milliseconds, crop, why) {
  const described = faces.map(async (face) => {
    const wanted = crop === "all" || crop === face.number;
    return {
      ...describeFace(face),
      ...(wanted ? {crop: await jpegUrl(face.crop)} : {}),
      ...(why?.face === face.number ? {why: describeMaps(why.explanation, face.placement)} : {}),
    };
  });
  const times = Object.entries({...milliseconds, ...timings}).map(([stage, time]) => [stage, rounded(time, 2)]);
  const leftOut = 0; // all faces are read here
  return {width, height, faces: await Promise.all(described), left_out: leftOut, ms: Object.fromEntries(times)};
}

/**
 * @param {FaceResult} face
 * @returns {FaceAnswer}
 */
function describeFace({number, box, probabilities, warnings, quality: {size, sharpness, yaw}}) {
  return {
    number,
    box,
    probabilities: Array.from(probabilities, (probability) => rounded(probability, 6)),
    warnings,
    conditions: {size: rounded(size, 4), sharpness: rounded(sharpness, 4), turn: rounded(Math.abs(yaw), 4)},
  };
}

/**
 * @param {Explanation} explanation
 * @param {import("./pipeline/numeric/similarity.js").Matrix} placement - maps the crop to the frame, in pixel centres;
 *   the page counts pixels from their corners
 * @returns {Maps}
 */
function describeMaps({attributes, maps, bias, rows, columns}, [a, b, c, d, e, f]) {
  const logOdds = (/** @type {number} */ value) => rounded(value, LOG_ODDS_DIGITS);
  const [x, y] = [c + CORNER * (1 - a - b), f + CORNER * (1 - d - e)];
  return {
    attributes,
    cells: maps.map((map) => map.map((row) => row.map(logOdds))),
    bias: bias.map(logOdds),
    rows,
    columns,
    placement: [a, b, x, d, e, y].map((value) => rounded(value, PLACEMENT_DIGITS)),
  };
}

/**
 * @param {number} value
 * @param {number} digits - after the decimal point
 */
function rounded(value, digits) {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}

/** @param {Uint8ClampedArray<ArrayBuffer>} crop - red, green and blue of each pixel */
async function jpegUrl(crop) {
  const canvas = new OffscreenCanvas(WIDTH, HEIGHT);
  const context = canvas.getContext("2d", {alpha: false});
  const image = context.createImageData(WIDTH, HEIGHT);
  for (let from = 0, to = 0; from < crop.length; from += 3, to += 4) {
    image.data.set(crop.subarray(from, from + 3), to);
    image.data[to + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  const file = await canvas.convertToBlob({type: "image/jpeg", quality: CROP_QUALITY});
  const bytes = new Uint8Array(await file.arrayBuffer());
  let characters = "";
  for (let start = 0; start < bytes.length; start += CHARACTERS_AT_ONCE) {
    characters += String.fromCharCode(...bytes.subarray(start, start + CHARACTERS_AT_ONCE));
  }
  return `data:image/jpeg;base64,${btoa(characters)}`;
}
