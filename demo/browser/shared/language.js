// The page's texts in the visitor's language. The English sentence is the key, so that code reads as the page does.

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

const ATTRIBUTES = ["aria-label", "aria-description", "title", "placeholder", "alt"];
const CAPITALISING = ["de", "lb"]; // languages whose nouns keep their capitals within a sentence
const OWN_TEXTS = "select, button, ul, dl"; // within a sentence, these are no part of it
const LETTER = /\p{L}/u;

/** @type {Table} */
const {names, texts, search} = await loadTable(document.documentElement.lang); // which choose_language.js has set
/** @type {Object<string, Text>} */
const translations = {...names, ...texts};
/** @type {Map<string, string>} */
const known = new Map(); // sentence that was looked up by its pattern -> its translation
/** @type {{pattern: RegExp, key: string}[] | null} */
let patterns = null;

/** The language of the texts, as a BCP 47 tag. */
export const language = document.documentElement.lang || "en";

/**
 * The text in the visitor's language, with {names} filled in.
 *
 * @param {string} text - in English
 * @param {Object<string, string | number>} values - of the names in braces
 * @returns {string}
 */
export function t(text, values = {}) {
  const found = translations[text] ?? text;
  const form = typeof found === "string" ? found : (found[plural(Number(values.count))] ?? found.other);
  return form.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/**
 * A sentence whose values are filled in already, such as one from the server, in the visitor's language.
 *
 * @param {string} sentence - in English
 * @returns {string} the same where the table has none that fits
 */
export function translated(sentence) {
  if (sentence in translations) return t(sentence);
  if (!Object.keys(translations).length) return sentence;
  if (!known.has(sentence)) known.set(sentence, byPattern(sentence));
  return known.get(sentence);
}

/**
 * A name as it stands within a sentence.
 *
 * @param {string} name - in the visitor's language
 */
export function withinSentence(name) {
  return CAPITALISING.includes(language.split("-")[0]) ? name : name.toLocaleLowerCase(language);
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
 * Translates an element's texts, and those attributes that are read by people. What is marked with translate="no" stays.
 *
 * A sentence with tags in it is one text, in which `<1>…</1>` stands for the first element within and `<1/>` for one
 * without words of the sentence. The elements themselves stay, so a table can bring no HTML of its own.
 *
 * @param {HTMLElement} element
 */
export function translate(element) {
  if (language === "en") return;
  translateWithin(element);
  for (const part of element.querySelectorAll("[lang=en]")) part.removeAttribute("lang");
}

/** @param {HTMLElement} element */
function translateWithin(element) {
  if (!element.translate) return;
  translateAttributes(element);
  if ([...element.childNodes].some(isWords)) translateContent(element);
  else for (const child of element.children) if (child instanceof HTMLElement) translateWithin(child);
}

/** @param {HTMLElement} element - with a text of its own */
function translateContent(element) {
  /** @type {Element[]} */
  const parts = [];
  const text = marked(element, parts)
    .replace(/[ \n]+/g, " ")
    .trim();
  const icon = parts.length === 1 && text.startsWith("<1/>") && !parts[0].textContent ? "<1/>" : "";
  const words = text.slice(icon.length);
  const result = translated(words);
  if (result !== words) fill(element, icon + result, parts);
  for (const part of parts) {
    if (!(part instanceof HTMLElement && part.translate)) continue;
    if (part.matches(OWN_TEXTS)) translateWithin(part);
    else translateAttributes(part);
  }
}

/** @param {HTMLElement} element */
function translateAttributes(element) {
  for (const name of ATTRIBUTES) {
    const text = element.getAttribute(name);
    if (text) element.setAttribute(name, translated(text));
  }
}

/**
 * An element's content as the text that the table knows.
 *
 * @param {Element} element
 * @param {Element[]} parts - gets the elements within
 * @returns {string}
 */
function marked(element, parts) {
  const pieces = [...element.childNodes].map((node) => {
    if (node instanceof Text) return node.data;
    if (!(node instanceof Element)) return "";
    const place = parts.push(node);
    return hasWords(node) ? `<${place}>${marked(node, parts)}</${place}>` : `<${place}/>`;
  });
  return pieces.join("");
}

/**
 * Puts a text with marks in place of an element's content.
 *
 * @param {Element} element
 * @param {string} text
 * @param {Element[]} parts - the elements that its marks stand for
 */
function fill(element, text, parts) {
  const open = [element];
  element.replaceChildren();
  for (const token of text.split(/(<\/?\d+\/?>)/)) {
    const [, place, empty] = /^<(\d+)(\/?)>$/.exec(token) ?? [];
    if (place) {
      const part = parts[Number(place) - 1];
      open.at(-1).append(part);
      if (!empty) open.push(part);
      if (!empty) part.replaceChildren();
    } else if (/^<\/\d+>$/.test(token)) open.pop();
    else open.at(-1).append(token);
  }
}

/** @param {Element} element */
function hasWords(element) {
  const separate = element instanceof HTMLElement && (!element.translate || element.matches(OWN_TEXTS));
  return !separate && LETTER.test(element.textContent);
}

/** @param {Node} node */
function isWords(node) {
  return node instanceof Text && LETTER.test(node.data);
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
      return t(key, Object.fromEntries(Object.entries(groups).map(([name, value]) => [name, asValue(value)])));
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
  if (value in translations || !value.includes(", ")) return translated(value);
  return value.split(", ").map(asValue).join(", ");
}

/** @param {string} value - as Python writes it */
function asNumber(value) {
  const digits = value.split(".")[1]?.length ?? 0;
  const number = Number(value.replaceAll(",", ""));
  return number.toLocaleString(language, {minimumFractionDigits: digits, maximumFractionDigits: digits});
}

/** @param {number} count */
function plural(count) {
  return new Intl.PluralRules(language).select(count);
}

/**
 * The table of a language; an empty one for English, and where it does not arrive.
 *
 * @param {string} code
 * @returns {Promise<Table>}
 */
async function loadTable(code) {
  const empty = {names: {}, texts: {}, search: {}};
  if (!code || code === "en") return empty;
  try {
    const answer = await fetch(new URL(`../languages/${code}.json`, import.meta.url));
    return await answer.json();
  } catch {
    document.documentElement.lang = "en";
    return empty;
  }
}
