// The page's texts in the visitor's language. The English sentence is the key, so that code reads as the page does.
//
// A text is a Phrase: it finds its words only when it is read, so that it may be made once, kept, and put together with
// others, while the language changes. shared/written.js puts phrases on the page, and keeps them in the page's language.

/**
 * A text, or its forms by Intl.PluralRules, which {count} decides between.
 *
 * @typedef {string | Object<string, string>} Text
 */

/**
 * What a file in demo/browser/languages holds; en.json has no names and no texts.
 *
 * @typedef {object} Table
 * @property {Object<string, Text>} names - of attributes and groups, by the English ones
 * @property {Object<string, Text>} texts - by the English ones
 * @property {Object<string, string>} search - other words for an attribute, by its name in the weights
 */

/**
 * What people read: a Phrase, or a text that is the same in every language, such as a name or nothing.
 *
 * @typedef {string | Phrase} Words
 */

const CAPITALISING = ["de", "lb"]; // languages whose nouns keep their capitals within a sentence
const EMPTY = {names: {}, texts: {}, search: {}};

/** A text that is in the page's language whenever it is read. */
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
const known = new Map(); // sentence that was looked up by its pattern -> its translation
/** @type {{pattern: RegExp, key: string}[] | null} */
let patterns = null;
/** @type {(() => void)[]} */
const listeners = [];
let wanted = document.documentElement.lang || "en"; // which choose_language.js has set

try {
  adopt(wanted, await loadTable(wanted));
} catch {
  adopt("en", EMPTY);
}

/** @param {() => void} listener - called after each change of the language */
export function whenLanguageChanges(listener) {
  listeners.push(listener);
}

/**
 * Has all texts of the page in another language from now on.
 *
 * @param {string} code - of one of the languages
 * @returns {Promise<void>} rejected where its table does not arrive; the language is the same as before then
 */
export async function changeLanguage(code) {
  wanted = code;
  const table = await loadTable(code);
  if (wanted !== code) return; // another one was chosen meanwhile
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
 * A sentence whose values are filled in already, such as one from the server, in the visitor's language.
 *
 * @param {Words} sentence - in English, or a Phrase, which stays what it is
 * @returns {Phrase} the same where the table has none that fits
 */
export function translated(sentence) {
  return sentence instanceof Phrase ? sentence : new Phrase(() => lookedUp(sentence));
}

/**
 * What an error says to the visitor.
 *
 * @param {Error} error
 * @returns {Words} the browser's own words where the error is none of ours
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
 * Texts one after another, without those that are empty.
 *
 * @param {Words[]} parts
 * @param {string} separator
 */
export function joined(parts, separator = " ") {
  return new Phrase(() => parts.map(String).filter(Boolean).join(separator));
}

/**
 * Texts as one list: "small, dark and blurred".
 *
 * @param {Words[]} parts
 */
export function listed(parts) {
  return new Phrase(() => new Intl.ListFormat(language).format(parts.map(String)));
}

/**
 * A name as it stands within a sentence.
 *
 * @param {Words} name
 */
export function withinSentence(name) {
  const keeps = () => CAPITALISING.includes(language.split("-")[0]);
  return new Phrase(() => (keeps() ? String(name) : String(name).toLocaleLowerCase(language)));
}

/**
 * Other words by which an attribute may be looked for.
 *
 * @param {string} name - the attribute's, as the weights hold it
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
    .sort((one, other) => literalLength(other) - literalLength(one)) // of two that fit, the one that says more
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
 * What stands for a name in braces: a number, a text or a list of texts. Names of files come in quotes, and stay.
 *
 * @param {string} value - in English
 * @returns {string}
 */
function asValue(value) {
  if (/^\d+(,\d{3})*(\.\d+)?$/.test(value)) return asNumber(value);
  if (value.startsWith("'")) return value;
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
 * @returns {Promise<Table>} an empty one for English
 */
async function loadTable(code) {
  if (code === "en") return EMPTY;
  const answer = await fetch(new URL(`../languages/${code}.json`, import.meta.url));
  return answer.json();
}
