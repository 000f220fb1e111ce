// What the boxes say about a face, as one sentence for screen readers.

import {joined, t, withinSentence} from "../language.js";

/** @typedef {import("../language.js").Words} Words */

/**
 * An attribute as the page shows it.
 *
 * @typedef {{name: Words, tick: import("./decisions.js").Tick, impression: boolean}} Reading
 */

/**
 * "Face 1 of 2: smiling, no beard; not sure: wavy hair. Impressions, not facts: young."
 *
 * @param {Words} face - the beginning of the sentence
 * @param {Reading[]} readings
 */
export function faceSentence(face, readings) {
  const withTick = (/** @type {import("./decisions.js").Tick} */ wanted) =>
    readings.filter(({tick, impression}) => tick === wanted && !impression);
  const [ticked, unsure] = [withTick(true), withTick(null)];
  const impressions = readings.filter(({tick, impression}) => tick && impression);
  const traits = joined(
    [
      ticked.length ? names(ticked) : t("nothing is ticked"),
      unsure.length ? t("not sure: {names}", {names: names(unsure)}) : "",
    ],
    "; ",
  );
  return joined([
    t("{face}: {traits}.", {face, traits}),
    impressions.length ? t("Impressions, not facts: {names}.", {names: names(impressions)}) : "",
  ]);
}

/**
 * "Now: smiling. No longer: eyeglasses." Mentions only ticks that have come or gone.
 *
 * @param {Reading[]} before
 * @param {Reading[]} now - the same attributes, perhaps with others
 * @returns {Words} empty if no tick came or went
 */
export function changeSentence(before, now) {
  const wasTicked = new Set(before.filter(({tick}) => tick).map(({name}) => name));
  const gone = now.filter(({name}) => wasTicked.has(name));
  const come = now.filter(({name, tick}) => tick && !wasTicked.has(name));
  const unticked = gone.filter(({tick}) => tick === false);
  const unsure = gone.filter(({tick}) => tick === null);
  return joined([
    come.length ? t("Now: {names}.", {names: names(come, true)}) : "",
    unticked.length ? t("No longer: {names}.", {names: names(unticked, true)}) : "",
    unsure.length ? t("No longer sure: {names}.", {names: names(unsure, true)}) : "",
  ]);
}

/**
 * @param {Reading[]} readings
 * @param {boolean} marked - whether to mark each impression as one
 */
function names(readings, marked = false) {
  const spoken = readings.map(({name, impression}) =>
    marked && impression ? t("{name} (an impression)", {name: withinSentence(name)}) : withinSentence(name),
  );
  return joined(spoken, ", ");
}
