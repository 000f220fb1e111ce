// What the page's scripts find beside the browser's standard parts.

interface Window {
  gradio_config: {
    root: string;
    api_prefix: string;
    i18n_translations: {[language: string]: {page_language: string}}; // demo/server/content/languages.py
  };
}

interface Document {
  featurePolicy?: {allowsFeature(feature: string): boolean}; // Chromium's alone
}

/** What demo/server/content/panel.py tells the scripts: what they and Python must both know. */
interface Facts {
  face_colours: string[]; // of the faces in turn
  number_colour: string; // of a face's number, on its colour
  largest_bytes?: number; // photo: of a picture file
  most_photos?: number; // photo: that are read of those given at once
  unread_suffixes?: string[]; // photo: endings of picture files that the server cannot read
  columns?: string[]; // photo: the first ones of the CSV file
  weights: string; // SHA-256 of their file
  reliability?: {balanced_accuracy: number; low: number; high: number}[]; // photo: none where it was not measured
  remembered_ms?: number; // live: for which the server keeps the number of a face out of sight
  // Addresses of what reads faces in the browser and of the example pictures; null where the server has none.
  device: {base: string; examples: string} | null;
  recording_header?: string; // live: the first line of a recording's CSV file, with its line feed
  decisions: Decisions | null; // null for weights without operating points
  conditions: import("./shared/attributes/reliability.js").Condition[]; // none where they were not measured
  telling: number[]; // how telling a tick of each attribute is, in the order of the probabilities; 0: not for the picture
  parameters: number; // of the network
  formula_starts: string[]; // what a text begins with that a spreadsheet would run
  elsewhere: string[]; // attributes for which it often looks at the wrong place
}

/** What live mode is answered to a frame, by demo/server/live.py or demo/browser/device/answer.js. */
interface FrameAnswer {
  width: number;
  height: number;
  faces: import("./live/view.js").Face[];
  left_out?: number; // of a server, which reads the largest faces: how many more were seen; a device reads all
  ms: {[stage: string]: number};
}

/** What the weights hold for deciding a box, in the order of the probabilities (slimnet/decisions.py). */
interface Decisions {
  points: {[name: string]: {thresholds: number[]; precision: number[]; recall: number[]}};
  unsure: [number, number][]; // low and high
  sure: {right: number[]; answered: number[]; precision: number[]; recall: number[]}; // outside of that band
  exclusive: [string, string][]; // attributes of which at most one is ticked
}

/** What the boxes are worth on some faces, as in Decisions; null where too few show it (demo/benchmark/tick_figures.py). */
interface BoxFigures {
  points: {[name: string]: {precision: (number | null)[]; recall: (number | null)[]}}; // without "accuracy": see sure
  sure: {
    right: (number | null)[];
    answered: (number | null)[];
    precision: (number | null)[];
    recall: (number | null)[];
  };
}
