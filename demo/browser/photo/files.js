// Picture files: choosing them in the browser's dialog, and reading them.

import {base64Of} from "../shared/files/base64.js";
import {find} from "../shared/elements.js";
import {asGiven, takeGiven} from "../shared/given.js";

/**
 * @param {HTMLElement} photo - the panel
 * @param {(files: import("../shared/given.js").GivenFile[]) => void} onFiles - called with what was chosen, dropped or pasted
 */
export function takeFiles(photo, onFiles) {
  const input = find(photo, "#photo-file", HTMLInputElement);
  find(photo, "#photo-choose", HTMLButtonElement).addEventListener("click", () => input.click());
  const takeChosen = () => {
    const files = [...input.files];
    input.value = ""; // so that the same file can be chosen again
    if (files.length) onFiles(files.map((file) => asGiven(file)));
  };
  input.addEventListener("change", takeChosen);
  takeChosen(); // one may have been chosen before this script loaded
  takeGiven(onFiles);
}

/**
 * A file's content, in base64.
 *
 * @param {File} file
 * @returns {Promise<string>}
 */
export async function readFile(file) {
  const address = await new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
  return base64Of(address);
}
