// Why live mode decides as it does: the map of one attribute of the chosen face, smoothed like its percentage.

import {t} from "../shared/language.js";
import {blended, mapOf, moved} from "../shared/why/map.js";
import {WhyPanel} from "../shared/why/panel.js";
import {written} from "../shared/written.js";
import {NO_FACE} from "./sentences.js";
import {shareOfNew} from "./smoothing.js";

const ASK_MS = 50; // minimum between maps, which cost the server some 3 ms each; in between, a map moves with its face
const CARRIED_MS = 1000; // how long a map may move with its face
const MOST_WITHOUT = 30; // answers without a map, after which the engine counts as giving none

/** @typedef {import("../shared/why/map.js").WhyMap} WhyMap */

export class LiveWhy {
  /**
   * @param {HTMLElement} live - the panel
   * @param {import("../shared/attributes/attributes.js").AttributePanel} attributes
   * @param {Facts} facts
   * @param {() => void} onAsk - called when another attribute is chosen, or none
   * @param {(sentence: import("../shared/language.js").Words) => void} speak - to screen readers
   */
  constructor(live, attributes, {elsewhere}, onAsk, speak) {
    this.attributes = attributes;
    this.panel = new WhyPanel(live, attributes, elsewhere, onAsk, speak);
    this.begin("");
  }

  /**
   * Forgets the last map.
   *
   * @param {import("../shared/language.js").Words} text - what to say until one comes
   */
  begin(text) {
    /** @type {{face: number, box: number[], map: WhyMap, milliseconds: number} | null} */
    this.last = null; // the map that came last
    this.askedAt = -Infinity; // milliseconds
    this.without = 0; // answers in a row without a map
    this.panel.wait(text);
  }

  /** Says that there is no face to explain: the numbers were the last one's. */
  loseFace() {
    if (this.panel.asked && String(written(this.panel.where)) !== String(NO_FACE)) this.begin(NO_FACE);
  }

  /**
   * What to ask along with a frame; null: nothing.
   *
   * @param {number | null} face - number of the chosen one
   * @param {number} now - milliseconds
   */
  wanted(face, now) {
    const attribute = this.panel.asked;
    if (!attribute || face === null || now - this.askedAt < ASK_MS) return null;
    this.askedAt = now;
    return {face, attribute};
  }

  /**
   * Shows the map that came with a frame.
   *
   * @param {import("./view.js").Face | undefined} face - the chosen one, if it is in the frame
   * @param {number} now - milliseconds
   * @returns {WhyMap | null} to paint over the face
   */
  show(face, now) {
    const {panel, last} = this;
    const map = panel.asked && mapOf(face?.why, panel.asked);
    if (!map) return panel.asked && face ? this.carry(face, now) : null;
    const share = last?.face === face.number ? shareOfNew(now - last.milliseconds, this.attributes.calm) : 1;
    const calm = last ? blended(map, last.map, share) : map;
    this.last = {face: face.number, box: face.box, map: calm, milliseconds: now};
    this.without = 0;
    panel.show(calm);
    return calm;
  }

  /**
   * The last map of a face, moved with it.
   *
   * @param {import("./view.js").Face} face - that came without a map
   * @param {number} now - milliseconds
   */
  carry(face, now) {
    const {last} = this;
    if (++this.without > MOST_WITHOUT) this.panel.refuse(t("No explanation is available here."));
    const fresh = last?.face === face.number && now - last.milliseconds < CARRIED_MS;
    return fresh ? moved(last.map, last.box, face.box) : null;
  }
}
