// The results as files, made on this page on demand, since the rules for ticks may have changed by then.

import {findAll} from "../shared/elements.js";
import {bytesOf} from "../shared/files/base64.js";
import {freeLater} from "../shared/files/save_file.js";
import {allAsJson, asCsv, asJson} from "./tables.js";

/** @typedef {{name: string, type: string, content: string | Uint8Array<ArrayBuffer>}} Download */

export class Downloads {
  /**
   * @param {import("./view.js").View} view - holds a link with data-download for each kind of file
   * @param {import("./reading.js").Reading} reading
   * @param {Facts} facts
   */
  constructor(view, reading, facts) {
    this.view = view;
    this.reading = reading;
    this.facts = facts;
    this.links = findAll(view.photo, "[data-download]", HTMLAnchorElement);
    for (const link of this.links) {
      for (const asked of ["click", "contextmenu"]) {
        link.addEventListener(asked, () => {
          this.fill(link);
          link.dataset.asked = "";
        });
      }
    }
  }

  /** Turns them into links, which a keyboard can reach, too. */
  offer() {
    for (const link of this.links) this.fill(link);
  }

  /** @param {HTMLAnchorElement} link */
  fill(link) {
    if ("asked" in link.dataset) freeLater(link.href);
    else if (link.href) URL.revokeObjectURL(link.href); // nobody has clicked it
    delete link.dataset.asked;
    const {name, type, content} = this.file(link.dataset.download);
    link.download = name;
    link.href = URL.createObjectURL(new Blob([content], {type}));
  }

  /**
   * @param {string} kind - of a download
   * @returns {Download}
   */
  file(kind) {
    const {view, reading, facts} = this;
    const {panel, shown} = view;
    const decided = {attributes: panel.attributes, rule: panel.rule, point: panel.toolbar.point};
    const {stem} = view;
    const json = "application/json";
    switch (shown ? kind : "") {
      case "json":
        return {name: `${stem}-faces.json`, type: json, content: asJson(shown, decided, facts)};
      case "csv":
        return {name: `${stem}-faces.csv`, type: "text/csv", content: asCsv([shown], decided, facts)};
      case "picture":
        return {name: `${stem}-faces.jpg`, type: "image/jpeg", content: bytesOf(shown.annotated)};
      case "all-json": {
        const content = allAsJson(reading.answers, reading.failed, decided, facts);
        return {name: "photos-faces.json", type: json, content};
      }
      case "all-csv":
        return {name: "photos-faces.csv", type: "text/csv", content: asCsv(reading.answers, decided, facts)};
      default:
        return {name: "", type: "", content: ""};
    }
  }
}
