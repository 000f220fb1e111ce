// What the visitor chose about the display: the same in both panels, and kept in this browser alone.

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
 * @property {boolean} impressions - whether to show them
 * @property {number} calm - 0: raw, 1: calmest
 * @property {boolean | undefined} mirror - whether the live picture is mirrored; undefined: as suits the camera
 * @property {Camera | undefined} camera
 * @property {string | undefined} language - of the page, which choose_language.js reads; undefined: the browser's
 * @property {"server" | "device" | undefined} engine - what reads the camera's frames; undefined: none was chosen
 * @property {string | undefined} point - the operating point; undefined: none was chosen
 * @property {boolean} shortcuts - whether single keys work everywhere on the page
 * @property {boolean} guide - whether the live panel leads the visitor into its picture
 * @property {number} pace - seconds between two sentences about what has changed; 0: none is said
 * @property {Object<string, number>} thresholds - attribute -> probability above which it is ticked, where one was chosen
 */

export class Settings {
  constructor() {
    /** @type {((values: Values) => void)[]} */
    this.listeners = [];
    /** @type {Values} */
    this.values = checkedSettings(readSettings());
    window.addEventListener(SETTINGS, (/** @type {CustomEvent} */ event) => this.take(event.detail));
    window.addEventListener("storage", (event) => {
      if (event.key === SETTINGS) this.take(checkedSettings(readSettings()));
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
      // A browser that keeps nothing: the choice holds until the page is closed.
    }
    window.dispatchEvent(new CustomEvent(SETTINGS, {detail: values}));
  }
}

function readSettings() {
  try {
    return JSON.parse(localStorage.getItem(SETTINGS)) ?? {};
  } catch {
    return {}; // storage is forbidden, or holds something that no page of ours wrote
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
 * What older pages kept, an id alone, made no difference in most browsers.
 *
 * @param {any} kept
 * @returns {Camera | undefined}
 */
function checkedCamera(kept) {
  const texts = [kept?.deviceId, kept?.label];
  return texts.every((text) => typeof text === "string") ? {deviceId: texts[0], label: texts[1]} : undefined;
}
