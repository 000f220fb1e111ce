// The reliability beside each box: as measured on faces like the one in view, if it was.

import {find, findAll} from "../elements.js";
import {t, translated} from "../language.js";
import {write, writeAttribute, written} from "../written.js";

const STEADY_MS = 1000; // a moving face is classed by its mean over this time, so that nothing flickers

/**
 * Faces of similar size, sharpness or turn (demo/server/content/conditions.py).
 *
 * @typedef {object} FaceClass
 * @property {number} from - the lowest figure in the class
 * @property {number} change - of the mean balanced accuracy, compared with the usual class
 * @property {boolean} usual - whether most of CelebA's faces are in it
 * @property {string} like
 * @property {([string, string] | null)[]} rows - level and text
 * @property {BoxFigures | null} decided
 *
 * @typedef {{name: string, classes: FaceClass[]}} Condition
 */

/** The reliability of one attribute. */
class ReliabilityRow {
  /**
   * @param {HTMLElement} element
   * @param {HTMLElement | null} chip - the attribute's above the list, which is drawn as the row is
   */
  constructor(element, chip) {
    this.element = element;
    this.chip = chip;
    this.index = Number(element.dataset.index);
    this.marks = find(element, ".marks", HTMLElement);
    this.text = find(element, "[id$='-reliability']", HTMLElement);
    this.usual = written(this.text); // for all of CelebA's validation faces
    this.level = this.usualLevel = ["good", "fair", "weak", "unmeasured"].find((name) =>
      element.classList.contains(name),
    );
  }

  /** @param {FaceClass | null} chosen */
  show(chosen) {
    const measured = chosen?.rows[this.index];
    const level = measured ? measured[0] : this.usualLevel;
    const text = measured ? translated(measured[1]) : this.usual;
    this.element.classList.replace(this.level, level);
    this.chip?.classList.replace(this.level, level);
    this.level = level;
    write(this.text, text);
    this.text.classList.toggle("of-all", Boolean(chosen && !measured));
    const told = measured ? t("{text} on faces {like}", {text, like: translated(chosen.like)}) : text;
    writeAttribute(this.marks, "title", told);
  }
}

export class ReliabilityOfFace {
  /**
   * @param {HTMLElement} root - of the checkboxes
   * @param {Condition[]} conditions - empty if they were not measured
   * @param {(chosen: FaceClass | null) => void} onChoose - called when the class changes
   */
  constructor(root, conditions, onChoose = () => {}) {
    this.conditions = conditions;
    this.onChoose = onChoose;
    this.rows = findAll(root, ".attribute", HTMLElement).map((element) => {
      const chip = root.querySelector(`[data-chip="${element.dataset.index}"]`);
      return new ReliabilityRow(element, /** @type {HTMLElement | null} */ (chip));
    });
    this.line = find(root, ".like", HTMLElement);
    /** @type {FaceClass | null} */
    this.chosen = null;
    /** @type {{face: number, since: number, frames: number, sums: Object<string, number>} | null} */
    this.watched = null; // the frames of a face since its class was looked up
  }

  /**
   * Shows a still face.
   *
   * @param {Object<string, number>} figures - by the names of the conditions
   */
  show(figures) {
    this.watched = null;
    this.choose(classOf(this.conditions, figures));
  }

  /**
   * Shows a moving face: at once if it is new, then once a second.
   *
   * @param {number} face - its number
   * @param {Object<string, number>} figures - by the names of the conditions
   * @param {number} now - milliseconds
   */
  follow(face, figures, now) {
    if (this.watched?.face !== face) {
      this.choose(classOf(this.conditions, figures));
      this.watched = {face, since: now, frames: 0, sums: {}};
    }
    const {watched} = this;
    watched.frames++;
    for (const {name} of this.conditions) watched.sums[name] = (watched.sums[name] ?? 0) + figures[name];
    if (now - watched.since < STEADY_MS) return;
    const means = Object.entries(watched.sums).map(([name, sum]) => [name, sum / watched.frames]);
    this.choose(classOf(this.conditions, Object.fromEntries(means)));
    this.watched = {face, since: now, frames: 0, sums: {}};
  }

  /** Shows the figures for all of CelebA's faces. */
  clear() {
    this.watched = null;
    this.choose(null);
  }

  /** @param {FaceClass | null} chosen */
  choose(chosen) {
    if (chosen === this.chosen) return;
    this.chosen = chosen;
    for (const row of this.rows) row.show(chosen);
    write(this.line, chosen ? describe(chosen) : "");
    this.onChoose(chosen);
  }
}

/** @param {FaceClass} chosen */
function describe({like, rows}) {
  const values = {like: translated(like)};
  return rows.includes(null)
    ? t("Figures as measured on faces {like}; in italics, where these were too few, on all of CelebA’s.", values)
    : t("Figures as measured on faces {like}.", values);
}

/**
 * Of the face's classes, the one in which the network is worst: no condition makes up for another.
 *
 * @param {Condition[]} conditions
 * @param {Object<string, number>} figures - by the names of the conditions
 * @returns {FaceClass | null}
 */
function classOf(conditions, figures) {
  const found = conditions.map(({name, classes}) => classes.findLast(({from}) => figures[name] >= from) ?? classes[0]);
  return found.reduce((worst, other) => (worst && worst.change <= other.change ? worst : other), null);
}
