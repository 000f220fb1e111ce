// What the visitor chose about the display: the same in both panels, and kept in this browser alone.

const SETTINGS = "slimnet-faces";    // the key in localStorage, and the name of the event that tells the other panel
const LOWEST_THRESHOLD = 0.05;
const HIGHEST_THRESHOLD = 0.95;
const THRESHOLD = 0.5;               // where none was chosen
const CALM = 0.4;

class Settings {
  constructor() {
    this.values = checkedSettings(readSettings());
    window.addEventListener(SETTINGS, (event) => this.take(event.detail));
    window.addEventListener("storage", (event) => {
      if (event.key === SETTINGS) this.take(checkedSettings(readSettings()));
    });
    this.listeners = [];
  }

  onChange(listener) {
    this.listeners.push(listener);
  }

  take(values) {
    this.values = values;
    for (const listener of this.listeners) listener(values);
  }

  // `changes`: some of {impressions: whether to show them, calm: 0 to 1, thresholds: {attribute: probability},
  // mirror: whether the live picture is mirrored, camera: {deviceId, label}}.
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
    return {};    // storage is forbidden, or holds something that no page of ours wrote
  }
}

function checkedSettings(kept) {
  const thresholds = Object.entries(kept.thresholds ?? {});
  return {
    impressions: kept.impressions !== false,
    calm: kept.calm >= 0 && kept.calm <= 1 ? kept.calm : CALM,
    mirror: typeof kept.mirror === "boolean" ? kept.mirror : undefined,    // undefined: as suits the camera
    camera: checkedCamera(kept.camera),
    thresholds: Object.fromEntries(thresholds.filter(([, value]) => value >= LOWEST_THRESHOLD && value <= HIGHEST_THRESHOLD)),
  };
}

// What older pages kept, an id alone, made no difference in most browsers.
function checkedCamera(kept) {
  const texts = [kept?.deviceId, kept?.label];
  return texts.every((text) => typeof text === "string") ? {deviceId: texts[0], label: texts[1]} : undefined;
}
