// What the visitor drops, pastes or chooses: photos, or a sentence that says why it is not a photo.

import {t} from "./language.js";

/** @typedef {import("./language.js").Words} Words */

/**
 * A file, and a sentence on why it is refused; empty if it is accepted.
 *
 * @typedef {{file: File, refusal: Words}} GivenFile
 */

/** @type {((sentence: Words) => void)[]} */
const refusalListeners = [];

/** @param {(sentence: Words) => void} callback - called with the reason when there is no file in what was given */
export function whenRefused(callback) {
  refusalListeners.push(callback);
}

/**
 * Takes what is dropped or pasted anywhere on the page. A dropped file must never replace the page.
 *
 * @param {(files: GivenFile[]) => void} onFiles
 */
export function takeGiven(onFiles) {
  const take = (/** @type {DataTransfer} */ carried) => {
    const files = filesOf(carried);
    if (files.length) onFiles(files);
    else for (const listener of refusalListeners) listener(whyNoPhoto(carried));
  };
  document.addEventListener("paste", (event) => {
    if (!isForField(event, event.clipboardData)) take(event.clipboardData);
  });
  takeDropped(take);
}

/** @param {(carried: DataTransfer) => void} take */
function takeDropped(take) {
  document.addEventListener("dragover", (event) => {
    if (isForField(event, event.dataTransfer)) return;
    event.preventDefault();
    document.body.classList.add("dragged");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("dragged");
  });
  document.addEventListener("drop", (event) => {
    document.body.classList.remove("dragged");
    if (isForField(event, event.dataTransfer)) return;
    event.preventDefault();
    take(event.dataTransfer);
  });
}

/**
 * Whether this is text for the field that it is dropped on or pasted into.
 *
 * @param {Event} event
 * @param {DataTransfer} carried
 */
function isForField({target}, carried) {
  return target instanceof Element && target.matches("input, textarea") && !carried.types.includes("Files");
}

/**
 * @param {DataTransfer} carried
 * @returns {GivenFile[]}
 */
function filesOf(carried) {
  const items = [...carried.items].filter(({kind}) => kind === "file");
  const folders = items.map((item) => item.webkitGetAsEntry()).filter((entry) => entry?.isDirectory);
  const names = new Set(folders.map(({name}) => name));
  return [...carried.files].map((file) => asGiven(file, names.has(file.name)));
}

/**
 * @param {File} file
 * @param {boolean} isFolder
 * @returns {GivenFile}
 */
export function asGiven(file, isFolder = false) {
  const {name, type} = file;
  /** @type {Words} */
  let refusal = "";
  if (isFolder) refusal = t("{name} is a folder. Open it and choose the photos inside.", {name});
  else if (type.startsWith("video/")) {
    refusal = t("{name} is a video. Pause it at a good moment, and use a picture of that.", {name});
  }
  return {file, refusal};
}

/** @param {DataTransfer} carried - without a file */
function whyNoPhoto(carried) {
  const text = carried.getData("text/uri-list") || carried.getData("text/plain").trim();
  if (/^(https?|ftp|blob|data|file):\S+$/i.test(text.split(/[\r\n]/)[0])) {
    return t(
      "That was an address, and this page fetches no pictures from addresses. Save the picture and choose the file.",
    );
  }
  if (text) return t("That was text, not a photo.");
  return t("That was not a file. Save the picture first, then drop the file here.");
}
