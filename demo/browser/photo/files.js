// Picture files: choosing them in the browser's dialog, and reading them.

import {base64Of} from "../shared/files/base64.js";
import {find} from "../shared/elements.js";
import {asGiven, takeGiven} from "../shared/given.js";
import {t, VisitorError} from "../shared/language.js";

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
 * A picture file as a photo to be read.
 *
 * @param {import("../shared/given.js").GivenFile} given
 * @param {number} largestBytes
 * @returns {import("./reading.js").Given}
 */
export function fromFile({file, refusal}, largestBytes) {
  const {name, size} = file;
  const request = async () => {
    if (refusal) throw new VisitorError(refusal);
    const megabytes = Math.round(largestBytes / 2 ** 20);
    if (size > largestBytes) {
      throw new VisitorError(t("{name} is larger than {megabytes} MB. Choose a smaller picture.", {name, megabytes}));
    }
    if (size === 0) throw new VisitorError(t("{name} is empty. Choose another picture.", {name}));
    const picture = await readFile(file).catch(() => "");
    if (!picture) throw new VisitorError(t("The browser could not read {name}. Choose another picture.", {name}));
    return {picture, name};
  };
  return {name, file: true, request};
}

/**
 * A file's content, in base64.
 *
 * @param {File} file
 * @returns {Promise<string>}
 */
async function readFile(file) {
  const address = await new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
  return base64Of(address);
}
