// The toolbar above the checkboxes: which of them to show, when to tick them, and how calm to keep them.

import {find, findAll} from "../elements.js";
import {searchWords, t, whenLanguageChanges} from "../language.js";
import {write, writeAttribute} from "../written.js";

/** What the toolbar knows of an attribute. */
class SearchRow {
  /** @param {HTMLElement} element */
  constructor(element) {
    this.element = element;
    this.box = find(element, "[data-attribute]", HTMLInputElement);
    /** @type {HTMLElement} */
    this.group = element.closest(".group");
    this.matches = true;
    this.learn();
  }

  /** Takes the names and the other words of the language. */
  learn() {
    const {element, group, box} = this;
    this.names = plain(`${element.querySelector("label").textContent} ${group.querySelector("h3").textContent}`);
    this.words = plain(` ${element.dataset.words} ${searchWords(box.dataset.attribute)}`);
  }

  /**
   * Whether the row's names contain this word, or one of its other words begins with it.
   *
   * @param {string} wanted - a word, as `plain` returns it
   */
  fits(wanted) {
    return this.names.includes(wanted) || this.words.includes(` ${wanted}`);
  }
}

/**
 * A text without what people leave out when they search: capitals, accents, hyphens.
 *
 * @param {string} text
 */
function plain(text) {
  return text
    .normalize("NFD")
    .replace(/[\p{M}'’-]/gu, "")
    .toLowerCase()
    .replaceAll("ß", "ss");
}

export class Toolbar {
  /**
   * @param {HTMLElement} root - of the checkboxes
   * @param {import("../settings.js").Settings} settings
   */
  constructor(root, settings) {
    this.root = root;
    this.settings = settings;
    this.rows = findAll(root, ".attribute", HTMLElement).map((element) => new SearchRow(element));
    this.search = find(root, "input[type=search]", HTMLInputElement);
    this.count = find(root, ".matches", HTMLElement);
    this.nothing = find(root, ".nothing", HTMLElement);
    this.points = findAll(root, ".points input", HTMLInputElement); // empty if the weights have none
    const [calm] = findAll(root, ".calm input", HTMLInputElement);
    this.calm = calm ?? null; // only in the live panel
    this.search.addEventListener("input", () => this.filter());
    this.tickedOnly = false;
    this.toggle("ticked", (on) => this.showTickedOnly(on));
    this.toggle("adjust", (on) => root.classList.toggle("adjusting", on));
    this.impressions = this.toggle("impressions", (on) => settings.change({impressions: on}));
    this.calm?.addEventListener("input", () => settings.change({calm: this.calm.valueAsNumber / 100}));
    for (const button of this.points) {
      button.addEventListener("change", () => settings.change({point: button.value}));
    }
    settings.onChange(() => this.apply());
    whenLanguageChanges(() => {
      for (const row of this.rows) row.learn();
      this.filter();
    });
    this.apply();
  }

  /**
   * @param {string} name
   * @param {(on: boolean) => void} onToggle
   * @returns {HTMLButtonElement}
   */
  toggle(name, onToggle) {
    const button = find(this.root, `[data-toggle=${name}]`, HTMLButtonElement);
    button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(on));
      onToggle(on);
    });
    return button;
  }

  filter() {
    const wanted = plain(this.search.value).split(/\s+/).filter(Boolean);
    for (const row of this.rows) {
      row.matches = wanted.every((word) => row.fits(word));
      row.element.classList.toggle("unmatched", !row.matches);
    }
    this.countFound();
    this.arrange();
  }

  /** Tells screen readers how many attributes a search has found. */
  countFound() {
    const count = this.rows.filter((row) => this.isToSee(row)).length;
    const total = this.rows.filter((row) => this.shows(row)).length;
    write(this.count, this.search.value.trim() ? t("Found: {count} of {total} attributes", {count, total}) : "");
  }

  /** @param {boolean} on */
  showTickedOnly(on) {
    this.tickedOnly = on;
    this.root.classList.toggle("ticked-only", on);
    this.countFound();
    this.arrange();
  }

  /**
   * Whether a row is not one of the impressions, or these are switched on.
   *
   * @param {SearchRow} row
   */
  shows({group}) {
    return this.settings.values.impressions || !group.classList.contains("impressions");
  }

  /** @param {SearchRow} row */
  isToSee(row) {
    return row.matches && (row.box.checked || !this.tickedOnly) && this.shows(row);
  }

  /** Hides groups without a visible row, and says so if none is left. To be called when ticks have changed. */
  arrange() {
    const full = new Set(this.rows.filter((row) => this.isToSee(row)).map(({group}) => group));
    for (const {group} of this.rows) if (group.hidden === full.has(group)) group.hidden = !full.has(group);
    this.nothing.hidden = full.size > 0;
  }

  /** The operating point in effect: the visitor's, or else the page's; undefined if the weights have none. */
  get point() {
    const chosen = this.points.find(({value}) => value === this.settings.values.point);
    return (chosen ?? this.points.find(({defaultChecked}) => defaultChecked))?.value;
  }

  /** Shows the settings, whichever panel changed them. */
  apply() {
    const {impressions, calm} = this.settings.values;
    this.filter();
    this.impressions.setAttribute("aria-pressed", String(impressions));
    for (const button of this.points) button.checked = button.value === this.point;
    if (!this.calm) return;
    this.calm.value = String(Math.round(100 * calm));
    writeAttribute(
      this.calm,
      "aria-valuetext",
      calm === 0 ? t("raw") : t("{percent}% calm", {percent: Math.round(100 * calm)}),
    );
  }
}
