// What the boxes say about a face as one sentence, for whoever hears the page.

import {t, withinSentence} from "../language.js";

/**
 * An attribute as the page shows it.
 *
 * @typedef {{name: string, tick: import("./decisions.js").Tick, impression: boolean}} Reading
 */

/**
 * "Face 1 of 2: smiling, no beard; not sure: wavy hair. Impressions, not facts: young."
 *
 * @param {string} face - what the sentence begins with
 * @param {Reading[]} readings
 */
export function faceSentence(face, readings) {
  const [ticked, unsure] = [true, null].map((state) =>
    names(readings.filter(({tick, impression}) => tick === state && !impression)),
  );
  const impressions = names(readings.filter(({tick, impression}) => tick && impression));
  const traits = [ticked || t("nothing is ticked"), unsure && t("not sure: {names}", {names: unsure})];
  const first = t("{face}: {traits}.", {face, traits: traits.filter(Boolean).join("; ")});
  return impressions ? `${first} ${t("Impressions, not facts: {names}.", {names: impressions})}` : first;
}

/**
 * "Now: smiling. No longer: eyeglasses." Only what was ticked or is ticked counts.
 *
 * @param {Reading[]} before
 * @param {Reading[]} now - the same attributes, and maybe others
 * @returns {string} empty where no tick came or went
 */
export function changeSentence(before, now) {
  const wasTicked = new Set(before.filter(({tick}) => tick).map(({name}) => name));
  const gone = now.filter(({name}) => wasTicked.has(name));
  const come = now.filter(({name, tick}) => tick && !wasTicked.has(name));
  const [ticked, unticked, unsure] = [
    come,
    gone.filter(({tick}) => tick === false),
    gone.filter(({tick}) => tick === null),
  ].map((readings) => names(readings, true));
  const parts = [
    ticked && t("Now: {names}.", {names: ticked}),
    unticked && t("No longer: {names}.", {names: unticked}),
    unsure && t("No longer sure: {names}.", {names: unsure}),
  ];
  return parts.filter(Boolean).join(" ");
}

/**
 * @param {Reading[]} readings
 * @param {boolean} marked - whether to say of each impression that it is one
 */
function names(readings, marked = false) {
  const spoken = readings.map(({name, impression}) =>
    marked && impression ? t("{name} (an impression)", {name: withinSentence(name)}) : withinSentence(name),
  );
  return spoken.join(", ");
}
