// The checkboxes of a panel with their percentages, as shown for one face.

import {Chips} from "./chips.js";
import {decide, ruleOf} from "./decisions.js";
import {Details} from "./details.js";
import {closest, find, findAll} from "../elements.js";
import {joined, listed, t} from "../language.js";
import {leaveRoomForWords} from "../longest_word.js";
import {percentage} from "./percentage.js";
import {ReliabilityOfFace} from "./reliability.js";
import {faceSentence} from "./sentence.js";
import {Settings} from "../settings.js";
import {Toolbar} from "./toolbar.js";
import {write, written} from "../written.js";

/** @typedef {import("../language.js").Words} Words */

const NAME_WEIGHT = 500; // of the font of ticked names
const LEGIBLE_MS = 150; // minimum time that a percentage stays: nobody can read one that changes with each frame
const [YES, NO, NOT_SURE] = [t("yes"), t("no"), t("not sure")];
const NO_FACE = t("no face yet");
/** @type {Object<string, Words>} */
const WARNINGS = {
  small: t("too small"),
  cut: t("cut off by the picture’s border"),
  turned: t("turned too far away"),
  blurred: t("blurred"),
  dark: t("too dark"),
};

/** @typedef {import("./decisions.js").Tick} Tick */

/** An attribute's checkbox, with its bar and its percentage. */
export class AttributeRow {
  /** @param {HTMLElement} element */
  constructor(element) {
    this.element = element;
    this.index = Number(element.dataset.index); // among the probabilities
    this.box = find(element, "[data-attribute]", HTMLInputElement);
    this.name = written(find(element, "label", HTMLElement));
    this.bar = find(element, ".bar i", HTMLElement);
    this.percent = find(element, ".percent", HTMLElement);
    this.state = find(element, ".state", HTMLElement);
    this.impression = element.closest(".impressions") !== null;
    // What is shown now.
    /** @type {Tick} */
    this.tick = false;
    this.length = "";
    /** @type {Words} */
    this.text = "";
  }

  /**
   * @param {number} probability
   * @param {Tick} tick
   * @param {import("./decisions.js").Cuts} cuts
   * @param {boolean} legible - whether the last percentage stayed long enough to be read
   * @returns {boolean} whether the tick has changed
   */
  show(probability, tick, {lower, upper}, legible) {
    // Keeps a smoothed tick from standing beside a number on the other side of its cut. "Not sure" may stand beside a
    // number above both cuts, if another attribute excludes this one.
    const shown = tick === false ? Math.min(probability, lower) : Math.max(probability, tick ? upper : lower);
    const turned = this.tick !== tick;
    if (turned) this.turn(tick);
    this.box.dataset.probability = String(Number(shown.toFixed(6)));
    const length = shown.toFixed(2);
    if (this.length !== length) this.bar.style.transform = `scaleX(${(this.length = length)})`;
    const text = percentage(shown);
    if (turned || (legible && this.text !== text)) {
      this.text = text;
      write(this.percent, text);
      write(this.state, joined([tick === null ? NOT_SURE : tick ? YES : NO, text], ", "));
    }
    return turned;
  }

  /** @param {Tick} tick */
  turn(tick) {
    this.tick = tick;
    this.box.checked = tick === true;
    this.box.indeterminate = tick === null; // screen readers call it "mixed"
    this.element.classList.toggle("on", tick === true);
  }

  clear() {
    this.turn(false);
    this.length = this.text = "";
    delete this.box.dataset.probability;
    this.bar.style.transform = "scaleX(0)";
    write(this.percent, "–");
    write(this.state, NO_FACE);
  }
}

/** The checkboxes of one panel. A frame only sets properties and never rebuilds HTML, so it costs little. */
export class AttributePanel {
  /**
   * @param {HTMLElement} root
   * @param {Facts} facts
   */
  constructor(root, {decisions, conditions = []}) {
    this.root = root;
    this.decisions = decisions;
    this.settings = new Settings();
    this.listed = findAll(root, ".attribute", HTMLElement).map((element) => new AttributeRow(element)); // in the page's order
    this.rows = [...this.listed].sort((one, other) => one.index - other.index);
    this.attributes = this.rows.map(({box}) => box.dataset.attribute); // in the order of the probabilities
    this.names = this.rows.map(({name}) => name); // for people
    this.warning = find(root, ".warning", HTMLElement);
    this.leaveRoom();
    /** @type {{probabilities: number[], ticks: Tick[] | null, warnings: string[]} | null} */
    this.face = null;
    root.addEventListener("click", (event) => {
      // A click must not change a result.
      if (closest(event, ".attribute :is(label, [data-attribute])")) event.preventDefault();
    });
    this.chips = new Chips(root);
    this.toolbar = new Toolbar(root, this.settings);
    this.details = new Details(root, this.settings, decisions);
    this.reliability = new ReliabilityOfFace(root, conditions, (alike) => this.details.showFacesLike(alike));
    this.ruleChosen = ""; // the settings that the rule is made of
    this.settings.onChange(() => this.applySettings());
    this.clear();
    this.applySettings();
  }

  /** Makes columns wide enough for the names in them. */
  leaveRoom() {
    for (const list of findAll(this.root, ".groups, .impressions", HTMLElement)) {
      const names = this.listed.filter(({element}) => list.contains(element)).map(({name}) => name);
      leaveRoomForWords(list, names, NAME_WEIGHT);
    }
  }

  /** 0: raw, 1: calmest, as chosen on the slider. */
  get calm() {
    return this.settings.values.calm;
  }

  /**
   * Whether the page shows an attribute: false for impressions while these are switched off.
   *
   * @param {number} index - of an attribute
   */
  shows(index) {
    return this.settings.values.impressions || !this.rows[index].impression;
  }

  /**
   * What the boxes say, in the page's order, without impressions while these are switched off.
   *
   * @returns {import("./sentence.js").Reading[]}
   */
  get readings() {
    const shown = this.listed.filter(({index}) => this.shows(index));
    return shown.map(({name, tick, impression}) => ({name, tick, impression}));
  }

  /**
   * What the panel shows, as one sentence, with any reason not to rely on it.
   *
   * @param {Words} face - the beginning of the sentence
   */
  sentence(face) {
    return joined([faceSentence(face, this.readings), written(this.warning)]);
  }

  /**
   * @param {number[]} probabilities
   * @param {Tick[] | null} ticks - of a moving face: smoothed, so they may lag behind their cuts a little;
   *   without them, ticks follow the probabilities at once
   * @param {string[]} warnings - keys of WARNINGS
   */
  show(probabilities, ticks = null, warnings = []) {
    this.face = {probabilities, ticks, warnings};
    const now = performance.now();
    const legible = !ticks || now - this.written >= LEGIBLE_MS;
    if (legible) this.written = now;
    else this.later ??= setTimeout(() => this.showAgain(), LEGIBLE_MS);
    this.root.classList.remove("empty");
    this.showWarnings(warnings);
    const shown = ticks ?? decide(probabilities, this.rule);
    let turned = false;
    for (const row of this.rows) {
      const {index} = row;
      turned = row.show(probabilities[index], shown[index], this.rule.cuts[index], legible) || turned;
    }
    if (turned) this.arrange();
  }

  /** To be called when the ticks, or which of them are visible, have changed. */
  arrange() {
    this.toolbar.arrange();
    this.chips.show((index) => this.rows[index].tick === true && this.shows(index));
  }

  /** @param {string[]} warnings - keys of WARNINGS */
  showWarnings(warnings) {
    const reasons = listed(warnings.map((warning) => WARNINGS[warning]));
    this.root.classList.toggle("greyed", warnings.length > 0);
    write(this.warning, warnings.length ? t("Do not rely on these: the face is {reasons}.", {reasons}) : "");
  }

  /** Greys everything out until the next face is shown. */
  fade() {
    this.root.classList.add("greyed");
  }

  showAgain() {
    this.later = null;
    this.written = -Infinity;
    if (this.face) this.show(this.face.probabilities, this.face.ticks, this.face.warnings);
  }

  clear() {
    this.face = null;
    this.written = -Infinity;
    this.root.classList.add("empty");
    this.showWarnings([]);
    for (const row of this.rows) row.clear();
    this.arrange();
  }

  applySettings() {
    this.decideByRule();
    this.arrange();
    if (this.face) this.showAgain();
  }

  /** Decides the ticks of the shown face again, if the settings make another rule. */
  decideByRule() {
    const {attributes, decisions, toolbar, settings} = this;
    const chosen = JSON.stringify([toolbar.point, settings.values.thresholds]);
    if (chosen === this.ruleChosen) return; // a new object would count as another rule
    this.ruleChosen = chosen;
    this.rule = ruleOf(attributes, decisions, toolbar.point, settings.values.thresholds);
    this.details.show(this.rule, ruleOf(attributes, decisions, toolbar.point, {}), toolbar.point);
    if (this.face) this.face.ticks = null; // they were smoothed for other cuts
  }
}
