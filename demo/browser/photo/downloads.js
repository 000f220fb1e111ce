// The results as files, made on this page on demand, since the rules for ticks may have changed by then.

import {findAll} from "../shared/elements.js";
import {freeLater} from "../shared/files/save_file.js";

/** @typedef {{name: string, type: string, content: string | Uint8Array<ArrayBuffer>}} Download */

export class Downloads {
  /**
   * @param {HTMLElement} root - holds a link with data-download for each kind of file
   * @param {(kind: string) => Download} make
   */
  constructor(root, make) {
    this.make = make;
    this.links = findAll(root, "[data-download]", HTMLAnchorElement);
    for (const link of this.links) {
      for (const asked of ["click", "contextmenu"]) link.addEventListener(asked, () => this.fill(link));
    }
  }

  /** Turns them into links, which a keyboard can reach, too. */
  offer() {
    for (const link of this.links) this.fill(link);
  }

  /** @param {HTMLAnchorElement} link */
  fill(link) {
    if (link.href) freeLater(link.href);
    const {name, type, content} = this.make(link.dataset.download);
    link.download = name;
    link.href = URL.createObjectURL(new Blob([content], {type}));
  }
}
