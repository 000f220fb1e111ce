// What the page's scripts find beside the browser's standard parts.

interface Window {
  gradio_config: {root: string; api_prefix: string};
}

interface Document {
  featurePolicy?: {allowsFeature(feature: string): boolean}; // Chromium's alone
}

/** What demo/server/panel.py tells the scripts: what they and Python must both know. */
interface Facts {
  face_colours: string[]; // of the faces in turn
  number_colour: string; // of a face's number, on its colour
  largest_bytes?: number; // photo: of a picture file
  remembered_ms?: number; // live: for which the server keeps the number of a face out of sight
  recording_header?: string; // live: the first line of a recording's CSV file, with its line feed
  decisions: Decisions | null; // null for weights without operating points
  conditions: import("./shared/reliability.js").Condition[]; // none where they were not measured
}

/** What the weights hold for deciding a box, in the order of the probabilities (slimnet/decisions.py). */
interface Decisions {
  points: {[name: string]: {thresholds: number[]; precision: number[]; recall: number[]}};
  unsure: [number, number][]; // low and high
  sure: {right: number[]; answered: number[]; precision: number[]; recall: number[]}; // outside of that band
  exclusive: [string, string][]; // attributes of which at most one is ticked
}
