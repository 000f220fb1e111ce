// Puts a map into words, and formats its numbers.

import {number, Phrase, t} from "../language.js";

/** @typedef {import("../language.js").Words} Words */
import {byRegion, logOdds} from "./map.js";

const MOST_OF = 0.5; // of the log-odds: with at least this share, a part is named alone
const DECIMALS = 1;

/** @type {Object<string, Words>} */
const NAMES = {
  hair: t("hair and forehead"),
  eyes: t("eyes"),
  mouth: t("mouth and below"),
  bias: t("starting point"),
};
/** @type {Object<string, Words>} */
const MOSTLY = {
  hair: t("Mostly the hair and forehead"),
  eyes: t("Mostly the eyes"),
  mouth: t("Mostly the mouth and what is below it"),
  bias: t("Mostly the starting point, which is the same for every face"),
};

/** @type {Intl.NumberFormatOptions} */
const WRITTEN = {
  signDisplay: "exceptZero",
  minimumFractionDigits: DECIMALS,
  maximumFractionDigits: DECIMALS,
};

/**
 * Log-odds as written on the page: "+2.1".
 *
 * @param {number} value
 */
export function signed(value) {
  const written = number(value, WRITTEN);
  return new Phrase(() => String(written).replace("-", "−"));
}

/**
 * What each region adds, the starting point, and their sum, rounded so that the written numbers add up.
 *
 * @param {import("./map.js").WhyMap} map
 * @returns {{parts: Object<string, number>, total: number}}
 */
function addedUp(map) {
  const scale = 10 ** DECIMALS;
  const parts = Object.entries({...byRegion(map), bias: map.bias}).map(([name, value]) => ({
    name,
    floor: Math.floor(scale * value),
    rest: scale * value - Math.floor(scale * value),
  }));
  const total = Math.round(scale * logOdds(map));
  const missing = total - parts.reduce((sum, {floor}) => sum + floor, 0);
  parts.sort((one, other) => other.rest - one.rest); // those nearest to the next number are rounded up
  const rounded = parts.map(({name, floor}, place) => [name, (floor + Number(place < missing)) / scale]);
  return {parts: Object.fromEntries(rounded), total: total / scale};
}

/**
 * Where the decision comes from: "Mostly the eyes: +2.1 of +3.4."
 *
 * @param {import("./map.js").WhyMap} map
 */
export function whereSentence(map) {
  const {parts, total} = addedUp(map);
  const [strongest, part] = Object.entries(parts).reduce((most, one) =>
    one[1] * total > most[1] * total ? one : most,
  );
  const values = {mostly: MOSTLY[strongest], part: signed(part), total: signed(total)};
  const share = total ? part / total : 0;
  if (share < MOST_OF) return t("No place alone decides: {total} in all.", values);
  return share > 1
    ? t("{mostly}: {part}; what points the other way leaves {total}.", values)
    : t("{mostly}: {part} of {total}.", values);
}

/**
 * What each region adds, and the starting point, so that anyone can add them up: "hair and forehead +0.4".
 *
 * @param {import("./map.js").WhyMap} map
 */
export function summands(map) {
  const {parts, total} = addedUp(map);
  const named = Object.entries(NAMES).filter(([part]) => part !== "bias" || parts[part] !== 0); // the bias is usually 0
  const terms = named.map(([part, name]) => ({name, value: signed(parts[part])}));
  const percent = Math.round(100 / (1 + Math.exp(-logOdds(map))));
  return [...terms, {name: t("together"), value: t("{total}, which is {percent}%", {total: signed(total), percent})}];
}
