// The page's texts in the visitor's language. The English sentence is the key, so that code reads like the page.
//
// A text is a Phrase: it finds its words only when read, so it can be made once, kept and joined with others, even if
// the language changes. shared/written.js puts phrases on the page, and keeps them in the page's language.

/**
 * A text, or its plural forms by Intl.PluralRules, from which {count} chooses.
 *
 * @typedef {string | Object<string, string>} Text
 */

/**
 * The content of a file in demo/browser/languages; en.json has no names and no texts.
 *
 * @typedef {object} Table
 * @property {Object<string, Text>} names - of attributes and groups, by English name
 * @property {Object<string, Text>} texts - by English text
 * @property {Object<string, string>} search - other words for an attribute, by its name in the weights
 */

/**
 * What people read: a Phrase, or a text that is the same in every language, such as a name or "".
 *
 * @typedef {string | Phrase} Words
 */

const CAPITALISING = ["de", "lb"]; // languages that capitalise nouns within a sentence
const EMPTY = {names: {}, texts: {}, search: {}};

/** A text that reads in the page's current language. */
export class Phrase {
  #read;

  /** @param {() => string} read */
  constructor(read) {
    this.#read = read;
  }

  toString() {
    return this.#read();
  }
}

/** An Error whose message is for the visitor. */
export class VisitorError extends Error {
  /**
   * @param {Words} words
   * @param {ErrorOptions} [options]
   */
  constructor(words, options) {
    super(String(words), options);
    this.words = words;
  }
}

/** The language of the texts, as a BCP 47 tag. */
export let language = "en";
/** @type {Object<string, Text>} */
let translations = {};
/** @type {Object<string, string>} */
let search = {};
/** @type {Map<string, string>} */
const known = new Map(); // sentence looked up by its pattern -> its translation
/** @type {{pattern: RegExp, key: string}[] | null} */
let patterns = null;
/** @type {(() => void)[]} */
const listeners = [];
let wanted = "en";

/**
 * Resolves once the texts of the language that choose_language.js chose are here, or it is known that they don't come.
 * Not a top-level await, because Safari before 27 doesn't wait for it in a module that is imported several times.
 */
export const ready = changeLanguage(document.documentElement.lang || "en").catch(() => adopt("en", EMPTY));

/** @param {() => void} listener - called after each change of the language */
export function whenLanguageChanges(listener) {
  listeners.push(listener);
}

/**
 * Switches all texts of the page to another language.
 *
 * @param {string} code - of one of the languages
 * @returns {Promise<void>} rejected if its table does not arrive; then the language stays the same
 */
export async function changeLanguage(code) {
  wanted = code;
  const table = await loadTable(code);
  if (wanted !== code) return; // another one was chosen in the meantime
  adopt(code, table);
  for (const listener of listeners) listener();
}

/**
 * @param {string} code
 * @param {Table} table
 */
function adopt(code, table) {
  language = document.documentElement.lang = code;
  translations = {...table.names, ...table.texts};
  search = table.search;
  known.clear();
  patterns = null;
}

/**
 * The text in the visitor's language, with {names} filled in.
 *
 * @param {string} text - in English
 * @param {Object<string, Words | number>} values - of the names in braces
 */
export function t(text, values = {}) {
  return new Phrase(() => filled(text, values));
}

/**
 * Translates a sentence whose values are already filled in, such as one from the server.
 *
 * @param {Words} sentence - in English, or a Phrase, which is returned as it is
 * @returns {Phrase} the sentence itself if the table has no match
 */
export function translated(sentence) {
  return sentence instanceof Phrase ? sentence : new Phrase(() => lookedUp(sentence));
}

/**
 * What to tell the visitor about an error.
 *
 * @param {Error} error
 * @returns {Words} the browser's own words if the error is not ours
 */
export function wordsOf(error) {
  return error instanceof VisitorError ? error.words : error.message;
}

/**
 * A number as it is written in the visitor's language.
 *
 * @param {number} value
 * @param {Intl.NumberFormatOptions} [options]
 */
export function number(value, options) {
  return new Phrase(() => value.toLocaleString(language, options));
}

/**
 * Joins texts, leaving out empty ones.
 *
 * @param {Words[]} parts
 * @param {string} separator
 */
export function joined(parts, separator = " ") {
  return new Phrase(() => parts.map(String).filter(Boolean).join(separator));
}

/**
 * Joins texts into a list: "small, dark and blurred".
 *
 * @param {Words[]} parts
 */
export function listed(parts) {
  return new Phrase(() => new Intl.ListFormat(language).format(parts.map(String)));
}

/**
 * A name as written within a sentence.
 *
 * @param {Words} name
 */
export function withinSentence(name) {
  const keeps = () => CAPITALISING.includes(language.split("-")[0]);
  return new Phrase(() => (keeps() ? String(name) : String(name).toLocaleLowerCase(language)));
}

/**
 * Other words to search for an attribute by.
 *
 * @param {string} name - of the attribute, as in the weights
 */
export function searchWords(name) {
  return search[name] ?? "";
}

/**
 * @param {string} text - in English
 * @param {Object<string, Words | number>} values
 * @returns {string}
 */
function filled(text, values) {
  const found = translations[text] ?? text;
  const form = typeof found === "string" ? found : (found[plural(Number(values.count))] ?? found.other);
  return form.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/** @param {string} sentence - in English */
function lookedUp(sentence) {
  if (sentence in translations) return filled(sentence, {});
  if (!Object.keys(translations).length) return sentence;
  if (!known.has(sentence)) known.set(sentence, byPattern(sentence));
  return known.get(sentence);
}

/** @param {string} sentence */
function byPattern(sentence) {
  patterns ??= Object.keys(translations)
    .filter((key) => key.includes("{"))
    .sort((one, other) => literalLength(other) - literalLength(one)) // if two fit, the more specific one
    .map((key) => ({key, pattern: patternOf(key)}));
  for (const {key, pattern} of patterns) {
    const groups = pattern.exec(sentence)?.groups;
    if (groups)
      return filled(key, Object.fromEntries(Object.entries(groups).map(([name, value]) => [name, asValue(value)])));
  }
  return sentence;
}

/** @param {string} key */
function literalLength(key) {
  return key.replace(/\{\w+\}/g, "").length;
}

/** @param {string} key */
function patternOf(key) {
  const literal = key.replace(/[.*+?^$()[\]\\|]/g, "\\$&");
  return new RegExp(`^${literal.replace(/\{(\w+)\}/g, "(?<$1>.+?)")}$`, "s");
}

/**
 * The value of a name in braces: a number, a text or a list of texts. File names come in quotes, and stay as they are but for these.
 *
 * @param {string} value - in English
 * @returns {string}
 */
function asValue(value) {
  if (/^\d+(,\d{3})*(\.\d+)?$/.test(value)) return asNumber(value);
  if (/^'.*'$/s.test(value)) return filled("“{name}”", {name: value.slice(1, -1)});
  if (value in translations || !value.includes(", ")) return lookedUp(value);
  return value.split(", ").map(asValue).join(", ");
}

/** @param {string} value - as Python writes it */
function asNumber(value) {
  const digits = value.split(".")[1]?.length ?? 0;
  const options = {minimumFractionDigits: digits, maximumFractionDigits: digits};
  return String(number(Number(value.replaceAll(",", "")), options));
}

/** @param {number} count */
function plural(count) {
  return new Intl.PluralRules(language).select(count);
}

/**
 * @param {string} code
 * @returns {Promise<Table>} empty for English
 */
async function loadTable(code) {
  if (code === "en") return EMPTY;
  const answer = await fetch(new URL(`../languages/${code}.json`, import.meta.url));
  if (!answer.ok) throw new Error(String(answer.status)); // as from a server that was updated meanwhile
  return answer.json();
}
