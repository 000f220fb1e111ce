// Explains a photo's result: the photo is read again for the maps of one face, which cover all its attributes.

import {t, wordsOf} from "../shared/language.js";
import {mapOf} from "../shared/why/map.js";
import {WhyPanel} from "../shared/why/panel.js";
import {CancelledError} from "./reading.js";

/** @typedef {import("../shared/why/map.js").Maps} Maps */
/** @typedef {import("../shared/why/map.js").WhyMap} WhyMap */
/** @typedef {import("./view.js").Answer} Answer */
/** @typedef {import("./view.js").Face} Face */

export class PhotoWhy {
  /**
   * @param {HTMLElement} photo - the panel
   * @param {import("../shared/attributes/attributes.js").AttributePanel} attributes
   * @param {Facts} facts
   * @param {(map: WhyMap | null) => void} paint - lays a map over the chosen face; null: none
   * @param {(sentence: import("../shared/language.js").Words) => void} speak - to screen readers
   */
  constructor(photo, attributes, {elsewhere}, paint, speak) {
    this.paint = paint;
    this.panel = new WhyPanel(photo, attributes, elsewhere, () => this.update(), speak);
    /** @type {(answer: Answer, number: number) => Promise<Maps>} */
    this.ask = () => Promise.reject(new Error()); // set once there is an engine to ask
    /** @type {WeakMap<Face, Promise<Maps>>} */
    this.maps = new WeakMap();
    /** @type {Answer | null} */
    this.answer = null; // whose photo is on the page
    this.number = 1; // of the face that is chosen in it
  }

  /**
   * Turns to another face.
   *
   * @param {Answer} answer
   * @param {number} number - of the face
   */
  turnTo(answer, number) {
    [this.answer, this.number] = [answer, number];
    this.update();
  }

  /** Shows the map of the attribute that the visitor asks about, once it arrives. */
  async update() {
    const {panel, answer, number} = this;
    const {asked} = panel;
    this.paint(null);
    if (!asked) return;
    const face = answer?.faces[number - 1];
    panel.wait(face ? t("Working it out…") : t("Choose a photo with a face to see why."));
    if (!face) return;
    const isWanted = () => this.answer?.faces[this.number - 1] === face && panel.asked === asked;
    try {
      const map = mapOf(await this.mapsOf(face), asked);
      if (!isWanted()) return;
      panel.show(map);
      this.paint(map);
    } catch (error) {
      // If it has made way for another photo, it is asked again once that is read.
      if (isWanted() && !(error instanceof CancelledError)) panel.refuse(wordsOf(error));
    }
  }

  /**
   * The maps of a face, requested only once.
   *
   * @param {Face} face - the chosen one
   */
  mapsOf(face) {
    const known = this.maps.get(face) ?? this.ask(this.answer, this.number);
    this.maps.set(face, known);
    known.catch(() => this.maps.delete(face)); // the next try may succeed
    return known;
  }
}
