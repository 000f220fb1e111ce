// The texts on the page. It remembers where each one is, to replace it when the language changes.

import {translated, whenLanguageChanges} from "./language.js";

/** @typedef {import("./language.js").Words} Words */

const ATTRIBUTES = ["aria-label", "aria-description", "title", "placeholder", "alt"];
const CONTENT = ""; // the key for an element's content, as opposed to an attribute's name
const OWN_TEXTS = "select, button, ul, dl"; // inside a sentence, these are not part of it
const LETTER = /\p{L}/u;
const WORDS = /\p{L}|\d[.,]\d/u; // or a number that other languages write differently

/** @type {WeakMap<Element, Map<string, {words: Words, show: (text: string) => void}>>} */
const places = new WeakMap(); // element -> those of its content and attributes that hold a text

whenLanguageChanges(() => {
  for (const element of document.querySelectorAll("*")) {
    for (const {words, show} of places.get(element)?.values() ?? []) show(String(words));
  }
});

/**
 * Replaces an element's content with a text.
 *
 * @param {Element} element
 * @param {Words} words
 */
export function write(element, words) {
  const show = (/** @type {string} */ text) => {
    if (element.textContent !== text) element.textContent = text;
  };
  remember(element, CONTENT, words, show);
  show(String(words));
}

/**
 * @param {Element} element
 * @param {string} name - of the attribute to set
 * @param {Words} words
 */
export function writeAttribute(element, name, words) {
  const show = (/** @type {string} */ text) => element.setAttribute(name, text);
  remember(element, name, words, show);
  show(String(words));
}

/**
 * The text in an element.
 *
 * @param {Element} element
 * @returns {Words}
 */
export function written(element) {
  return places.get(element)?.get(CONTENT)?.words ?? element.textContent;
}

/**
 * Replaces an element's content with elements that each have a text of their own.
 *
 * @param {Element} element
 * @param {Element[]} parts
 */
export function fillWith(element, parts) {
  places.get(element)?.delete(CONTENT);
  element.replaceChildren(...parts);
}

/**
 * An option of a list.
 *
 * @param {Words} words
 * @param {string} value
 */
export function optionOf(words, value) {
  const option = new Option("", value);
  write(option, words);
  return option;
}

/**
 * Translates an element's texts and the attributes that people read, except what is marked with translate="no".
 *
 * A sentence with tags is a single text, in which `<1>…</1>` stands for the first element inside and `<1/>` for one
 * without words of the sentence. The elements themselves stay, so a table can't add HTML of its own.
 *
 * @param {HTMLElement} element
 */
export function translate(element) {
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
  const english = text.slice(icon.length);
  const words = translated(english);
  const show = (/** @type {string} */ sentence) => fill(element, icon + sentence, parts);
  remember(element, CONTENT, words, show);
  if (String(words) !== english) show(String(words));
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
    if (text) writeAttribute(element, name, translated(text));
  }
}

/**
 * An element's content in the form in which the table has it.
 *
 * @param {Element} element
 * @param {Element[]} parts - receives the elements inside
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
 * Replaces an element's content with a text with marks.
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
  return node instanceof Text && WORDS.test(node.data);
}

/**
 * @param {Element} element
 * @param {string} name - of an attribute, or CONTENT
 * @param {Words} words
 * @param {(text: string) => void} show
 */
function remember(element, name, words, show) {
  if (!places.has(element)) places.set(element, new Map());
  places.get(element).set(name, {words, show});
}
