// The numbers of one photo or of all as CSV and JSON files: probabilities, and ticks as the page decides them now.

import {decide} from "../shared/attributes/decisions.js";
import {asCell} from "../shared/csv.js";

/** @typedef {import("./view.js").Answer} Answer */
/** @typedef {import("./view.js").Face} Face */

/**
 * What is the same for all faces.
 *
 * @typedef {object} Decided
 * @property {string[]} attributes - names in the order of the probabilities
 * @property {import("../shared/attributes/decisions.js").Rule} rule - decides ticks, with the visitor's thresholds
 * @property {string} [point] - the operating point; missing if the weights have none
 */

/**
 * One row for each face. The columns of `facts`, which this program's other tables share, come first.
 *
 * @param {Answer[]} answers - one for each photo
 * @param {Decided} decided
 * @param {Facts} facts
 * @returns {string}
 */
export function asCsv(answers, decided, facts) {
  const {attributes, rule, point} = decided;
  const header = [
    ...facts.columns,
    ...attributes,
    ...["picture_width", "picture_height", "warnings", "operating_point", "weights"],
    ...attributes.map((name) => `${name}_tick`),
    ...attributes.flatMap((name) => [`${name}_lower`, `${name}_upper`]),
    ...attributes.map((name) => `${name}_balanced_accuracy`),
  ];
  const cuts = rule.cuts.flatMap(({lower, upper}) => [lower, upper]);
  const reliability = attributes.map((_, index) => facts.reliability[index]?.balanced_accuracy ?? "");
  const rows = answers.flatMap(({name, width, height, faces}) =>
    faces.map(({number, box, probabilities, warnings}) => [
      name,
      number,
      ...box,
      ...probabilities.map((probability) => probability.toFixed(6)),
      ...[width, height, warnings.join(" "), point ?? "", facts.weights],
      ...decide(probabilities, rule).map((tick) => (tick === null ? "" : Number(tick))),
      ...cuts,
      ...reliability,
    ]),
  );
  return [header, ...rows]
    .map((row) => `${row.map((cell) => asCell(String(cell), facts.formula_starts)).join(",")}\n`)
    .join("");
}

/**
 * @param {Answer} answer
 * @param {Decided} decided
 * @param {Facts} facts
 * @returns {string}
 */
export function asJson(answer, decided, facts) {
  return JSON.stringify({...described(answer, decided), ...howDecided(decided, facts)}, null, 1);
}

/**
 * @param {Answer[]} answers
 * @param {import("./reading.js").Failure[]} failed - photos that could not be read
 * @param {Decided} decided
 * @param {Facts} facts
 * @returns {string}
 */
export function allAsJson(answers, failed, decided, facts) {
  const photos = answers.map((answer) => described(answer, decided));
  const notRead = failed.map(({name, reason}) => ({file: name, reason: String(reason)}));
  return JSON.stringify({photos, not_read: notRead, ...howDecided(decided, facts)}, null, 1);
}

/**
 * @param {Answer} answer
 * @param {Decided} decided
 */
function described({name, width, height, faces}, {attributes, rule}) {
  return {
    file: name,
    faces: faces.map(({number, box, probabilities, warnings}) => ({
      number,
      box,
      probabilities: named(attributes, probabilities),
      ticks: named(attributes, decide(probabilities, rule)),
      warnings,
    })),
    width,
    height,
  };
}

/**
 * @param {Decided} decided
 * @param {Facts} facts
 */
function howDecided({attributes, rule, point}, {weights, reliability}) {
  return {
    operating_point: point ?? null,
    thresholds: named(
      attributes,
      rule.cuts.map(({lower, upper}) => ({lower, upper})),
    ),
    weights,
    reliability: reliability.length ? named(attributes, reliability) : null,
  };
}

/**
 * @param {string[]} attributes
 * @param {any[]} values - one for each
 */
function named(attributes, values) {
  return Object.fromEntries(attributes.map((name, index) => [name, values[index]]));
}
