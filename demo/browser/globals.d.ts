// What the page's scripts use beyond the browser's standard types.

interface Window {
  gradio_config: {
    root: string;
    api_prefix: string;
    i18n_translations: {[language: string]: {page_language: string}}; // demo/server/content/languages.py
  };
}

interface Document {
  featurePolicy?: {allowsFeature(feature: string): boolean}; // only in Chromium
}

/** What the scripts and Python must both know: demo/server/content/panel.py tells the scripts. */
interface Facts {
  face_colours: string[]; // of the first face, the second and so on
  number_colour: string; // of a face's number, written on the face's colour
  largest_bytes?: number; // photo: of a picture file
  most_photos?: number; // photo: how many are read if more are given at once
  unread_suffixes?: string[]; // photo: endings of picture files that the server cannot read
  columns?: string[]; // photo: the first columns of the CSV file
  weights: string; // SHA-256 of the weights' file
  reliability?: {balanced_accuracy: number; low: number; high: number}[]; // photo: empty if it was not measured
  remembered_ms?: number; // live: how long the server remembers the number of a face out of sight
  // Addresses of the engine that reads faces in the browser, and of the example pictures; null if the server has none.
  device: {base: string; examples: string} | null;
  recording_header?: string; // live: the first line of a recording's CSV file, with its line feed
  decisions: Decisions | null; // null for weights without operating points
  conditions: import("./shared/attributes/reliability.js").Condition[]; // empty if they were not measured
  telling: number[]; // how telling a tick of each attribute is, in the order of the probabilities; 0: never written on the picture
  parameters: number; // of the network
  formula_starts: string[]; // a spreadsheet would run a text that begins with one of these
  elsewhere: string[]; // attributes for which the network often looks at the wrong place
}

/** The answer to a live frame, from demo/server/live.py or demo/browser/device/answer.js. */
interface FrameAnswer {
  width: number;
  height: number;
  faces: import("./live/view.js").Face[];
  left_out: number; // how many more faces were seen: a server reads only the largest; 0 from a device, which reads all
  ms: {[stage: string]: number};
}

/** What the weights hold for deciding a box, in the order of the probabilities (slimnet/decisions.py). */
interface Decisions {
  points: {[name: string]: {thresholds: number[]; precision: number[]; recall: number[]}};
  unsure: [number, number][]; // low and high
  sure: {right: number[]; answered: number[]; precision: number[]; recall: number[]}; // outside that band
  exclusive: [string, string][]; // pairs of attributes of which at most one is ticked
}

/** How good the ticks are on some faces, as in Decisions; null if too few faces show it (demo/benchmark/tick_figures.py). */
interface BoxFigures {
  points: {[name: string]: {precision: (number | null)[]; recall: (number | null)[]}}; // without "accuracy": see sure
  sure: {
    right: (number | null)[];
    answered: (number | null)[];
    precision: (number | null)[];
    recall: (number | null)[];
  };
}
