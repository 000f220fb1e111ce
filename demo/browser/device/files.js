// Fetches what the engine needs; demo/device_files.py says where each file comes from.

const SIZES = "files.json";
export const FETCHED = {
  vision: "vision_wasm_module_internal.wasm",
  detector: "face_detection_short_range.tflite",
  landmarker: "face_landmarker.task",
  runtime: "ort-wasm-simd-threaded.wasm",
  network: "slimnet.onnx",
  fineMaps: "fine_maps.onnx",
  explanation: "explanation.json",
};
const MODULES = {
  vision: "vision_bundle.mjs",
  visionLoader: "vision_wasm_module_internal.js",
  runtime: "ort.wasm.bundle.min.mjs",
};

/**
 * @typedef {Record<keyof typeof FETCHED, Uint8Array<ArrayBuffer>>} Files
 * @typedef {Record<keyof typeof MODULES, any>} Modules
 * @typedef {(progress: {loaded: number, total: number}) => void} OnProgress - in bytes
 */

/** A file that could not be fetched. */
export class FileError extends Error {
  /** @param {string} name - of the file */
  constructor(name) {
    super(name);
    this.name = "FileError";
  }
}

/**
 * @param {string} base - address below which the files are, with a "/" at its end
 * @param {OnProgress} onProgress
 * @returns {Promise<{files: Files, modules: Modules}>}
 * @throws {FileError}
 */
export async function loadFiles(base, onProgress) {
  /** @type {Object<string, number>} */
  const sizes = await (await request(base, SIZES)).json();
  const total = Object.values(FETCHED).reduce((sum, name) => sum + sizes[name], 0);
  let loaded = 0;
  const note = (/** @type {number} */ bytes) => {
    loaded += bytes;
    onProgress({loaded, total});
  };
  const [files, modules] = await Promise.all([
    each(FETCHED, (name) => read(base, name, sizes[name], note)),
    each(MODULES, (name) => importModule(base, name)),
  ]);
  return {files, modules};
}

/**
 * @template {string} Key
 * @template Value
 * @param {Record<Key, string>} names
 * @param {(name: string) => Promise<Value>} get
 */
async function each(names, get) {
  const keys = /** @type {Key[]} */ (Object.keys(names));
  const entries = keys.map(async (key) => [key, await get(names[key])]);
  return /** @type {Record<Key, Value>} */ (Object.fromEntries(await Promise.all(entries)));
}

/**
 * @param {string} base
 * @param {string} name
 * @param {number} size - in bytes
 * @param {(bytes: number) => void} note - called with the number of bytes that have arrived since the last call
 */
async function read(base, name, size, note) {
  const reader = (await request(base, name)).body.getReader();
  const content = new Uint8Array(size);
  let length = 0;
  for (;;) {
    const {done, value} = await reader.read().catch(() => {
      throw new FileError(name);
    });
    if (done) break;
    if (length + value.length > size) throw new FileError(name); // it is from another version
    content.set(value, length);
    length += value.length;
    note(value.length);
  }
  if (length < size) throw new FileError(name);
  return content;
}

/**
 * @param {string} base
 * @param {string} name
 */
async function request(base, name) {
  const response = await fetch(base + name).catch(() => {
    throw new FileError(name);
  });
  if (!response.ok) throw new FileError(name);
  return response;
}

/**
 * @param {string} base
 * @param {string} name
 */
function importModule(base, name) {
  return import(base + name).catch(() => {
    throw new FileError(name);
  });
}
