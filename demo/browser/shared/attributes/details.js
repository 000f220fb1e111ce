// The details below a box: how often its ticks are right, a slider for its threshold, and whom it fails.

import {SURE_ONLY} from "./decisions.js";
import {closest, find, findAll} from "../elements.js";
import {joined, t} from "../language.js";
import {percentage} from "./percentage.js";
import {write} from "../written.js";

/** @typedef {import("./reliability.js").FaceClass} FaceClass */

const OWN_THRESHOLD = t("Your own threshold: not measured.");
const RARELY_TICKED = t("Hardly ever ticked.");
const NEVER_SURE = t("Never sure enough to answer.");
const TOO_FEW_TICKS = t("Ticked too rarely to say how often it is right.");
const TOO_FEW_FACES = t("Too few faces had it to say how many it finds.");

/** The details of one attribute. */
class ThresholdRow {
  /** @param {HTMLElement} element */
  constructor(element) {
    this.element = element;
    this.index = Number(element.dataset.index);
    this.name = find(element, "[data-attribute]", HTMLInputElement).dataset.attribute;
    this.slider = find(element, ".details input", HTMLInputElement);
    this.value = find(element, ".details output", HTMLOutputElement);
    this.measured = element.querySelector(".measured"); // null if the weights have no operating points
    this.standard = NaN; // the slider's position unless the visitor moves it
  }

  /**
   * @param {import("./decisions.js").Cuts} cuts - in effect
   * @param {import("./decisions.js").Cuts} standard - without the visitor's own threshold
   */
  show({lower, upper}, standard) {
    const {element, slider, value} = this;
    slider.value = String(Math.round(100 * standard.upper));
    this.standard = slider.valueAsNumber; // clipped to its range
    slider.value = String(Math.round(100 * upper));
    write(value, percentage(upper));
    element.style.setProperty("--lower", `${100 * lower}%`);
    element.style.setProperty("--upper", `${100 * upper}%`);
  }
}

export class Details {
  /**
   * @param {HTMLElement} root - of the checkboxes
   * @param {import("../settings.js").Settings} settings
   * @param {Decisions | null} decisions
   */
  constructor(root, settings, decisions) {
    this.settings = settings;
    this.decisions = decisions;
    /** @type {FaceClass | null} */
    this.alike = null;
    /** @type {string | undefined} */
    this.point = undefined; // the operating point
    this.rows = findAll(root, ".attribute", HTMLElement).map((element) => new ThresholdRow(element));
    this.reset = find(root, "[data-do=reset]", HTMLButtonElement);
    this.reset.addEventListener("click", () => settings.change({thresholds: {}}));
    root.addEventListener("input", (event) => {
      const moved = this.rows.find(({slider}) => slider === event.target);
      if (moved) this.moveThreshold(moved);
    });
    root.addEventListener("click", (event) => {
      const mark = closest(event, ".whom");
      if (mark) mark.setAttribute("aria-expanded", String(mark.closest(".attribute").classList.toggle("told")));
    });
  }

  /** @param {ThresholdRow} row */
  moveThreshold({name, slider, standard}) {
    const {[name]: _, ...thresholds} = this.settings.values.thresholds;
    const percent = slider.valueAsNumber;
    if (percent !== standard) thresholds[name] = percent / 100;
    this.settings.change({thresholds});
  }

  /**
   * @param {import("./decisions.js").Rule} rule - in effect
   * @param {import("./decisions.js").Rule} standard - the same without the visitor's own thresholds
   * @param {string | undefined} point - the operating point
   */
  show(rule, standard, point) {
    const {thresholds} = this.settings.values;
    for (const row of this.rows) {
      row.show(rule.cuts[row.index], standard.cuts[row.index]);
      row.element.classList.toggle("moved", row.name in thresholds);
    }
    this.point = point;
    this.showMeasured();
    // Not `disabled`, which would take the focus from the button as soon as it is pressed.
    this.reset.setAttribute("aria-disabled", String(Object.keys(thresholds).length === 0));
  }

  /** @param {FaceClass | null} alike - faces like the one in view; null: no face is in view */
  showFacesLike(alike) {
    this.alike = alike;
    this.showMeasured();
  }

  showMeasured() {
    const {thresholds} = this.settings.values;
    for (const {measured, name, index} of this.rows) {
      if (!measured) continue;
      write(
        measured,
        name in thresholds ? OWN_THRESHOLD : measuredWords(this.decisions, this.alike, this.point, index),
      );
    }
  }
}

/**
 * What was measured for an attribute: on faces like the one in view, or else on all of CelebA's.
 *
 * @param {Decisions} decisions
 * @param {FaceClass | null} alike
 * @param {string} point - the operating point
 * @param {number} index - of the attribute
 */
function measuredWords(decisions, alike, point, index) {
  const ofAll = sentences(decisions, point, index);
  if (!alike || alike.usual) return joined(ofAll); // most of CelebA's faces are usual ones, and they are more
  const measured = alike.decided ? sentences(alike.decided, point, index) : [null, null];
  const figures = joined(ofAll.filter((_, place) => measured[place] === null));
  const apart = measured.includes(null);
  return joined([
    ...measured.filter((sentence) => sentence !== null),
    apart ? t("On all of CelebA’s faces: {figures}", {figures}) : figures,
  ]);
}

/**
 * How good ticks are, and how good answers are; null if there are too few faces to tell.
 *
 * @param {BoxFigures} figures
 * @param {string} point - the operating point
 * @param {number} index - of the attribute
 * @returns {(import("../language.js").Words | null)[]} two
 */
function sentences({points, sure}, point, index) {
  if (point !== SURE_ONLY) return [tickWords(points[point].precision[index], points[point].recall[index]), ""];
  if (sure.answered[index] === 0) return [NEVER_SURE, ""];
  return [tickWords(sure.precision[index], sure.recall[index]), answerWords(sure.right[index], sure.answered[index])];
}

/**
 * @param {number | null} precision
 * @param {number | null} recall
 */
function tickWords(precision, recall) {
  if (precision === null && recall === null) return null;
  if (recall !== null && outOf100(recall) === 0) return RARELY_TICKED;
  return joined([
    precision === null ? TOO_FEW_TICKS : t("When ticked, right in {right} of 100.", {right: outOf100(precision)}),
    recall === null ? TOO_FEW_FACES : t("Finds {found} of 100.", {found: outOf100(recall)}),
  ]);
}

/**
 * @param {number | null} right
 * @param {number | null} answered
 */
function answerWords(right, answered) {
  if (answered === null) return null;
  if (right === null) {
    return t("It answers {answered} of 100, too few to say how often it is right.", {answered: outOf100(answered)});
  }
  return t("Right in {right} of 100 where it answers; it answers {answered} of 100.", {
    right: outOf100(right),
    answered: outOf100(answered),
  });
}

/** @param {number} share */
function outOf100(share) {
  return Math.round(100 * share);
}
