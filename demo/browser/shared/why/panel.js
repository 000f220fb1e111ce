// "Why?": the attribute that the visitor asks about, and the text about its map beside the picture.

import {closest, find, findAll} from "../elements.js";
import {joined, t, withinSentence} from "../language.js";
import {write, written} from "../written.js";
import {summands, whereSentence} from "./sentence.js";

const LEGIBLE_MS = 300; // minimum time that a sentence stays while its face moves
// A click on the attribute itself asks, too, except on the threshold's slider.
const ASKING = ".attribute :is([data-do=why], label, [data-attribute], .percent, .bar)";

/** @typedef {import("../language.js").Words} Words */
/** @typedef {import("./map.js").WhyMap} WhyMap */

export class WhyPanel {
  /**
   * @param {HTMLElement} panel - the live or the photo panel
   * @param {import("../attributes/attributes.js").AttributePanel} attributes
   * @param {string[]} elsewhere - attributes for which the network often looks at the wrong place
   * @param {() => void} onAsk - called when another attribute is chosen, or none
   * @param {(sentence: Words) => void} speak - tells the first answer to screen readers
   */
  constructor(panel, attributes, elsewhere, onAsk, speak) {
    this.attributes = attributes;
    this.elsewhere = elsewhere;
    this.onAsk = onAsk;
    this.speak = speak;
    this.root = find(panel, ".why", HTMLElement);
    this.title = find(this.root, "h3", HTMLElement);
    this.badge = find(this.root, ".elsewhere", HTMLElement);
    this.where = find(this.root, ".where", HTMLElement);
    this.sum = find(this.root, ".summands", HTMLElement);
    this.buttons = findAll(attributes.root, "[data-do=why]", HTMLButtonElement);
    /** @type {import("../attributes/attributes.js").AttributeRow | null} */
    this.row = null; // of the attribute asked about
    this.written = -Infinity; // when the sentence was written, in milliseconds
    this.answered = false;
    /** @type {number | undefined} */
    this.later = undefined; // timer of a map that came too soon to be written
    attributes.root.addEventListener("click", (event) => {
      const element = closest(event, ASKING)?.closest(".attribute");
      if (element) this.toggle(attributes.listed.find((row) => row.element === element));
    });
    find(this.root, "[data-do=why-close]", HTMLButtonElement).addEventListener("click", () => this.close());
    attributes.settings.onChange(() => {
      if (this.row && !attributes.shows(this.row.index)) this.close();
    });
  }

  /** Name of the attribute asked about; null: none. */
  get asked() {
    return this.row?.box.dataset.attribute ?? null;
  }

  /** @param {import("../attributes/attributes.js").AttributeRow} row - to ask about from now on, or to stop asking about */
  toggle(row) {
    this.choose(row === this.row ? null : row);
  }

  close() {
    if (!this.row) return;
    const button = find(this.row.element, "[data-do=why]", HTMLButtonElement);
    const focused = this.root.contains(document.activeElement);
    this.choose(null);
    if (focused && button.getClientRects().length > 0) button.focus();
  }

  /** @param {import("../attributes/attributes.js").AttributeRow | null} row */
  choose(row) {
    this.row = row;
    this.root.hidden = row === null;
    for (const {element: other} of this.attributes.listed) other.classList.toggle("asked", other === row?.element);
    for (const button of this.buttons) {
      button.setAttribute("aria-pressed", String(button.closest(".attribute") === row?.element));
    }
    if (row) {
      write(this.title, t("Why “{name}”?", {name: row.name}));
      this.badge.hidden = !this.elsewhere.includes(this.asked);
    }
    this.wait("");
    this.onAsk();
    const reason = written(this.where);
    if (row && reason) this.speak(reason);
  }

  /** @param {Words} words - why there is no map */
  wait(words) {
    this.answered = false;
    this.written = -Infinity;
    clearTimeout(this.later);
    write(this.where, words);
    this.root.classList.add("waiting");
  }

  /** @param {Words} words - why no map will come, which screen readers hear, too */
  refuse(words) {
    const isNew = String(written(this.where)) !== String(words);
    this.wait(words);
    if (isNew) this.speak(words);
  }

  /** @param {WhyMap} map - of the attribute asked about */
  show(map) {
    const now = performance.now();
    clearTimeout(this.later);
    const left = this.written + LEGIBLE_MS - now;
    if (left > 0) {
      this.later = setTimeout(() => this.show(map), left); // in case no other map comes
      return;
    }
    this.written = now;
    this.root.classList.remove("waiting");
    write(this.where, whereSentence(map));
    this.sum.replaceChildren(...summands(map).map(({name, value}) => summand(name, value)));
    if (!this.answered) this.speak(this.sentence);
    this.answered = true;
  }

  /** What the panel says, as one sentence for screen readers; empty if nothing is asked or known. */
  get sentence() {
    if (!this.row || this.root.classList.contains("waiting")) return "";
    const said = t("Why {name}: {where}", {name: withinSentence(this.row.name), where: written(this.where)});
    return joined([said, this.badge.hidden ? "" : t("For this attribute the network often looks elsewhere.")]);
  }
}

/**
 * @param {Words} name
 * @param {Words} value
 */
function summand(name, value) {
  const [part, named, figure] = ["span", "span", "b"].map((kind) => document.createElement(kind));
  write(named, name);
  write(figure, value);
  part.append(named, " ", figure);
  return part;
}
