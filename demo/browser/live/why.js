// Why live mode decides as it does: the map of one attribute of the chosen face, made as calm as its percentage.

import {t} from "../shared/language.js";
import {blended, mapOf} from "../shared/why/map.js";
import {WhyPanel} from "../shared/why/panel.js";
import {shareOfNew} from "./smoothing.js";

const MOST_WITHOUT = 30; // answers: then whatever gives them gives no maps

/** @typedef {import("../shared/why/map.js").WhyMap} WhyMap */

export class LiveWhy {
  /**
   * @param {HTMLElement} live - the panel
   * @param {import("../shared/attributes/attributes.js").AttributePanel} attributes
   * @param {Facts} facts
   * @param {() => void} onAsk - another attribute was chosen, or none
   * @param {(sentence: string) => void} speak - to screen readers
   */
  constructor(live, attributes, {elsewhere}, onAsk, speak) {
    this.attributes = attributes;
    this.panel = new WhyPanel(live, attributes, elsewhere, onAsk, speak);
    this.begin("");
  }

  /**
   * Forgets the last map.
   *
   * @param {string} text - what is said until one comes
   */
  begin(text) {
    /** @type {{face: number, map: WhyMap, milliseconds: number} | null} */
    this.last = null; // what was shown last
    this.without = 0; // answers without a map since then
    this.panel.wait(text);
  }

  /**
   * What to ask about a frame; null: nothing.
   *
   * @param {number | null} face - number of the chosen one
   */
  wanted(face) {
    const attribute = this.panel.asked;
    return attribute && face !== null ? {face, attribute} : null;
  }

  /**
   * Shows what came with a frame.
   *
   * @param {import("./view.js").Face | undefined} face - the chosen one, where it is in the frame
   * @param {number} now - milliseconds
   * @returns {WhyMap | null} what to paint over the face
   */
  show(face, now) {
    const {panel, last} = this;
    const map = panel.asked && mapOf(face?.why, panel.asked);
    if (!map) {
      if (panel.asked && face && ++this.without > MOST_WITHOUT) {
        panel.wait(t("What reads the faces here cannot tell why."));
      }
      return null;
    }
    const share = last?.face === face.number ? shareOfNew(now - last.milliseconds, this.attributes.calm) : 1;
    const calm = last ? blended(map, last.map, share) : map;
    this.last = {face: face.number, map: calm, milliseconds: now};
    this.without = 0;
    panel.show(calm);
    return calm;
  }
}
