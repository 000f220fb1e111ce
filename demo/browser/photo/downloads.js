// The results as files, made from the answer in this page.

import {findAll} from "../shared/elements.js";

export class Downloads {
  /** @param {HTMLElement} root - holds a link with data-download for each kind of file */
  constructor(root) {
    this.links = findAll(root, "[data-download]", HTMLAnchorElement);
    /** @type {string[]} */
    this.addresses = []; // of the blobs that the links lead to
  }

  /** @param {{name: string, json: string, csv: string, annotated: string}} answer - `annotated`: base64 of a JPEG */
  offer({name, json, csv, annotated}) {
    this.addresses.forEach((address) => URL.revokeObjectURL(address));
    const stem = name.replace(/\.[^.]*$/, "");
    /** @type {Object<string, {name: string, blob: Blob}>} */
    const files = {
      json: {name: `${stem}-faces.json`, blob: new Blob([json], {type: "application/json"})},
      csv: {name: `${stem}-faces.csv`, blob: new Blob([csv], {type: "text/csv"})},
      picture: {name: `${stem}-faces.jpg`, blob: new Blob([bytesOf(annotated)], {type: "image/jpeg"})},
    };
    this.addresses = this.links.map((link) => {
      const file = files[link.dataset.download];
      link.download = file.name;
      link.href = URL.createObjectURL(file.blob);
      return link.href;
    });
  }
}

/** @param {string} base64 */
function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
