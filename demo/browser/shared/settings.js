// The visitor's display settings: shared by both panels, and kept only in this browser.

const SETTINGS = "slimnet-faces"; // the key in localStorage, and the name of the event that tells the other panel
const DEFAULT_CALM = 0.4;
/** @type {("server" | "device")[]} */
const ENGINES = ["server", "device"];
const PACES = [0, 5, 10, 30]; // seconds

/**
 * The camera that the visitor chose.
 *
 * @typedef {{deviceId: string, label: string}} Camera
 */

/**
 * @typedef {object} Values
 * @property {boolean} impressions - whether to show impressions
 * @property {number} calm - 0: raw, 1: calmest
 * @property {boolean | undefined} mirror - whether the live picture is mirrored; undefined: depends on the camera
 * @property {Camera | undefined} camera
 * @property {string | undefined} language - of the page; choose_language.js reads it; undefined: the browser's
 * @property {"server" | "device" | undefined} engine - what reads frames and photos; undefined: none was chosen
 * @property {string | undefined} point - the operating point; undefined: none was chosen
 * @property {boolean} shortcuts - whether single keys work everywhere on the page
 * @property {boolean} guide - whether the live panel guides the visitor into its picture
 * @property {number} pace - seconds between two sentences about changes; 0: none
 * @property {Object<string, number>} thresholds - attribute -> the visitor's own probability above which it is ticked
 */

export class Settings {
  constructor() {
    /** @type {((values: Values) => void)[]} */
    this.listeners = [];
    /** @type {Values} */
    this.values = keptSettings();
    window.addEventListener(SETTINGS, (/** @type {CustomEvent} */ event) => this.take(event.detail));
    window.addEventListener("storage", (event) => {
      if (event.key === SETTINGS) this.take(keptSettings());
    });
  }

  /** @param {(values: Values) => void} listener - called with all settings after each change */
  onChange(listener) {
    this.listeners.push(listener);
  }

  /** @param {Values} values */
  take(values) {
    this.values = values;
    for (const listener of this.listeners) listener(values);
  }

  /** @param {Partial<Values>} changes */
  change(changes) {
    const values = {...this.values, ...changes};
    try {
      localStorage.setItem(SETTINGS, JSON.stringify(values));
    } catch {
      // If the browser keeps nothing, the choice holds until the page is closed.
    }
    window.dispatchEvent(new CustomEvent(SETTINGS, {detail: values}));
  }
}

/** The settings that this browser keeps, as they are now. */
export function keptSettings() {
  return checkedSettings(readSettings());
}

function readSettings() {
  try {
    return JSON.parse(localStorage.getItem(SETTINGS)) ?? {};
  } catch {
    return {}; // storage is forbidden, or holds something that we didn't write
  }
}

/**
 * @param {any} kept - in whatever form
 * @returns {Values}
 */
function checkedSettings(kept) {
  const thresholds = Object.entries(kept.thresholds ?? {});
  return {
    impressions: kept.impressions !== false,
    calm: kept.calm >= 0 && kept.calm <= 1 ? kept.calm : DEFAULT_CALM,
    mirror: typeof kept.mirror === "boolean" ? kept.mirror : undefined,
    camera: checkedCamera(kept.camera),
    language: typeof kept.language === "string" ? kept.language : undefined,
    engine: ENGINES.find((name) => name === kept.engine),
    point: typeof kept.point === "string" ? kept.point : undefined,
    shortcuts: kept.shortcuts === true,
    guide: kept.guide === true,
    pace: PACES.includes(kept.pace) ? kept.pace : 0,
    thresholds: Object.fromEntries(
      thresholds.filter(([, value]) => typeof value === "number" && value > 0 && value < 1),
    ),
  };
}

/**
 * A camera in its proper form. Older pages kept only an id, which made no difference in most browsers; it is dropped.
 *
 * @param {any} kept
 * @returns {Camera | undefined}
 */
function checkedCamera(kept) {
  const texts = [kept?.deviceId, kept?.label];
  return texts.every((text) => typeof text === "string") ? {deviceId: texts[0], label: texts[1]} : undefined;
}
