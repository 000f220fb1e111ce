// The choice of the page's language.

import {changeLanguage, language, t} from "./language.js";
import {keptSettings, Settings} from "./settings.js";
import {write} from "./written.js";

/**
 * Offers the available languages. A choice changes the texts in place, and nothing else on the page.
 *
 * @param {HTMLSelectElement} select
 * @param {HTMLElement} problem - a line that says why a choice failed
 */
export function offerLanguages(select, problem) {
  const languages = Object.entries(window.gradio_config.i18n_translations);
  const settings = new Settings();
  select.replaceChildren(...languages.map(([code, {page_language: name}]) => option(code, name)));
  select.value = language;
  select.addEventListener("change", async () => {
    const code = select.value;
    try {
      await changeLanguage(code);
      if (code !== language) return; // another one was chosen in the meantime
      keep(settings, code);
      write(problem, "");
    } catch {
      if (code !== select.value) return;
      select.value = language;
      write(problem, t("The texts did not arrive. Try again."));
    }
  });
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

/**
 * @param {Settings} settings
 * @param {string} code - of a language
 */
function keep(settings, code) {
  settings.change({language: code});
  const address = new URL(location.href);
  address.searchParams.delete("lang");
  // If the browser keeps nothing, the address has to carry the choice.
  if (keptSettings().language !== code) address.searchParams.set("lang", code);
  if (address.href !== location.href) history.replaceState(history.state, "", address);
}
