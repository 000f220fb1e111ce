// The choice of the page's language.

import {language} from "./language.js";
import {Settings} from "./settings.js";

/**
 * Offers the languages that there are. A choice loads the page again: all texts come in the new language then.
 *
 * @param {HTMLSelectElement} select
 */
export function offerLanguages(select) {
  const languages = Object.entries(window.gradio_config.i18n_translations);
  select.replaceChildren(...languages.map(([code, {page_language: name}]) => option(code, name)));
  select.value = language;
  select.addEventListener("change", () => loadIn(select.value));
}

/**
 * @param {string} code - of a language
 * @param {string} name - in that language
 */
function option(code, name) {
  const made = new Option(name, code);
  made.lang = code;
  return made;
}

/** @param {string} code - of a language */
function loadIn(code) {
  new Settings().change({language: code});
  const address = new URL(location.href);
  address.searchParams.delete("lang");
  // A browser that keeps nothing has to be told by the address.
  if (new Settings().values.language !== code) address.searchParams.set("lang", code);
  if (address.href === location.href) location.reload();
  else location.replace(address);
}
