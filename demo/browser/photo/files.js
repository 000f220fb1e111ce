// Picture files, in whatever way the visitor gives them: chosen, pasted or dropped.

import {find} from "../shared/elements.js";

/**
 * @param {HTMLElement} photo - the panel
 * @param {(file: File) => Promise<void>} onFile
 * @param {() => void} onOther - something was dropped that is no file
 */
export function takeFiles(photo, onFile, onOther) {
  const input = find(photo, "#photo-file", HTMLInputElement);
  find(photo, "#photo-choose", HTMLButtonElement).addEventListener("click", () => input.click());
  const takeChosen = () => {
    const file = input.files[0];
    if (!file) return;
    onFile(file).finally(() => {
      input.value = ""; // the same file may be chosen again
    });
  };
  input.addEventListener("change", takeChosen);
  takeChosen(); // one may have been chosen before this script was there
  document.addEventListener("paste", (event) => {
    const file = event.clipboardData.files[0];
    if (file) onFile(file);
  });
  takeDropped(photo, onFile, onOther);
}

/**
 * A picture that is dropped beside the panel must not replace the page.
 *
 * @param {HTMLElement} photo
 * @param {(file: File) => Promise<void>} onFile
 * @param {() => void} onOther
 */
function takeDropped(photo, onFile, onOther) {
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    photo.classList.toggle("dragged", isInside(photo, event));
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) photo.classList.remove("dragged");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    photo.classList.remove("dragged");
    if (!isInside(photo, event)) return;
    const file = event.dataTransfer.files[0];
    if (file) onFile(file);
    else onOther();
  });
}

/**
 * @param {HTMLElement} part
 * @param {Event} event
 */
function isInside(part, event) {
  return event.target instanceof Node && part.contains(event.target);
}

/**
 * What a file holds, in base64.
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

/** @param {string} address - a data: address in base64 */
export function base64Of(address) {
  return address.slice(address.indexOf(",") + 1);
}
