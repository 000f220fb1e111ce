// What stands below a box when details are shown: how often its ticks are right, and the threshold, which may be moved.

import {SURE_ONLY} from "./decisions.js";
import {find, findAll} from "../elements.js";
import {joined, t} from "../language.js";
import {write} from "../written.js";

const OWN_THRESHOLD = t("Your own threshold: not measured.");
const RARELY_TICKED = t("Hardly ever ticked.");
const NEVER_SURE = t("Never sure enough to answer.");

/** The details of one attribute. */
class Row {
  /** @param {HTMLElement} row */
  constructor(row) {
    this.row = row;
    this.index = Number(row.dataset.index);
    this.name = find(row, "[data-attribute]", HTMLInputElement).dataset.attribute;
    this.slider = find(row, ".details input", HTMLInputElement);
    this.value = find(row, ".details output", HTMLOutputElement);
    this.measured = row.querySelector(".measured"); // null where the weights have no operating points
    this.standard = NaN; // where the slider stands unless it is moved
  }

  /**
   * @param {import("./decisions.js").Cuts} cuts - that hold
   * @param {import("./decisions.js").Cuts} standard - those without a threshold of the visitor's own
   */
  show({lower, upper}, standard) {
    const {row, slider, value} = this;
    slider.value = String(Math.round(100 * standard.upper));
    this.standard = slider.valueAsNumber; // within its ends
    slider.value = String(Math.round(100 * upper));
    value.textContent = `${Math.round(100 * upper)}%`;
    row.style.setProperty("--lower", `${100 * lower}%`);
    row.style.setProperty("--upper", `${100 * upper}%`);
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
    this.rows = findAll(root, ".attribute", HTMLElement).map((row) => new Row(row));
    this.reset = find(root, "[data-do=reset]", HTMLButtonElement);
    this.reset.addEventListener("click", () => settings.change({thresholds: {}}));
    root.addEventListener("input", (event) => {
      const moved = this.rows.find(({slider}) => slider === event.target);
      if (moved) this.moveThreshold(moved);
    });
  }

  /** @param {Row} row */
  moveThreshold({name, slider, standard}) {
    const {[name]: _, ...thresholds} = this.settings.values.thresholds;
    const percent = slider.valueAsNumber;
    if (percent !== standard) thresholds[name] = percent / 100;
    this.settings.change({thresholds});
  }

  /**
   * @param {import("./decisions.js").Rule} rule - that holds
   * @param {import("./decisions.js").Rule} standard - the same without thresholds of the visitor's own
   * @param {string | undefined} point - the operating point
   */
  show(rule, standard, point) {
    const {thresholds} = this.settings.values;
    for (const row of this.rows) {
      row.show(rule.cuts[row.index], standard.cuts[row.index]);
      const moved = row.name in thresholds;
      row.row.classList.toggle("moved", moved);
      if (row.measured) {
        write(row.measured, moved ? OWN_THRESHOLD : measuredWords(this.decisions, point, row.index));
      }
    }
    // Not disabled, which would take the focus from it as soon as it is pressed.
    this.reset.setAttribute("aria-disabled", String(Object.keys(thresholds).length === 0));
  }
}

/**
 * What was measured of an attribute's ticks.
 *
 * @param {Decisions} decisions
 * @param {string} point - the operating point
 * @param {number} index - of the attribute
 */
export function measuredWords({points, sure}, point, index) {
  if (point !== SURE_ONLY) return tickWords(points[point].precision[index], points[point].recall[index]);
  if (!sure.answered[index]) return NEVER_SURE;
  const answers = t("Right in {right} of 100 where it answers; it answers {answered} of 100.", {
    right: outOf100(sure.right[index]),
    answered: outOf100(sure.answered[index]),
  });
  return joined([tickWords(sure.precision[index], sure.recall[index]), answers]);
}

/**
 * @param {number} precision
 * @param {number} recall
 */
function tickWords(precision, recall) {
  if (outOf100(recall) === 0) return RARELY_TICKED;
  return t("When ticked, right in {right} of 100. Finds {found} of 100.", {
    right: outOf100(precision),
    found: outOf100(recall),
  });
}

/** @param {number} share */
function outOf100(share) {
  return Math.round(100 * share);
}
