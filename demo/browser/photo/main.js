// Photo mode: a picture goes to the server in one call and its result comes back in the answer. The server keeps neither.

import {closest, find} from "../shared/elements.js";
import {askServer} from "../shared/server.js";
import {readFile, takeFiles} from "./files.js";
import {Snapshot} from "./snapshot.js";
import {View} from "./view.js";

const ANSWER_MS = 120000;
/** @type {Object<string, string>} */
const NEXT_STEP = {
  wait: " Nothing is lost: try again in a moment.",
  reload: " Reload the page, then try again.",
  nothing: "",
};

/**
 * The functions of demo/server/photo.py.
 *
 * @typedef {{analyse_photo: (request: object) => Promise<any>}} Server
 */

/**
 * @param {HTMLElement} element - holds the panel
 * @param {Facts} facts
 * @param {Server} server
 */
export function start(element, facts, server) {
  const photo = find(element, "#photo", HTMLElement);
  const view = new View(photo, facts);
  const photos = new Photos(view, server, facts.largest_bytes);
  takeFiles(
    photo,
    (file) => photos.pickFile(file),
    () => view.say("That was not a file. Save the picture first, then drop the file here.", "problem"),
  );
  find(photo, ".examples", HTMLElement).addEventListener("click", (event) => {
    const button = closest(event, "[data-example]");
    if (button) photos.pick({example: button.dataset.example});
  });
}

/** The photos that the visitor picks, of which one is analysed at a time. */
class Photos {
  /**
   * @param {View} view
   * @param {Server} server
   * @param {number} largestBytes - of a file
   */
  constructor(view, server, largestBytes) {
    this.view = view;
    this.server = server;
    this.largestBytes = largestBytes;
    this.snapshot = new Snapshot(view, (request) => this.pick(request));
    this.picked = 0; // how many there were
    this.asking = false;
    /** @type {object | null} */
    this.next = null; // the request that is sent when the present one is answered
  }

  /** @param {object} request - {example: name}, or {picture: base64, name} */
  pick(request) {
    this.picked++;
    this.analyse(request);
  }

  /** @param {File} file */
  async pickFile(file) {
    const {view, largestBytes} = this;
    if (file.size > largestBytes) {
      const megabytes = Math.round(largestBytes / 2 ** 20);
      view.say(`${file.name} is larger than ${megabytes} MB. Choose a smaller picture.`, "problem");
      return;
    }
    if (file.size === 0) {
      view.say(`${file.name} is empty. Choose another picture.`, "problem");
      return;
    }
    const mine = ++this.picked;
    const picture = await readFile(file).catch(() => "");
    if (mine !== this.picked) return; // another photo was chosen later, and was there sooner
    if (!picture) view.say(`The browser could not read ${file.name}. Choose another picture.`, "problem");
    else await this.analyse({picture, name: file.name});
  }

  /**
   * What stands on the page stays there until an answer with a result replaces it. Of photos that come in the meantime
   * the last one is analysed next.
   *
   * @param {object} request - {example: name}, or {picture: base64, name}
   * @returns {Promise<void>}
   */
  async analyse(request) {
    const {view, snapshot, server} = this;
    if (this.asking) {
      this.next = request;
      view.say("This photo comes next, when the one before it is done.", "waiting");
      return;
    }
    this.asking = true;
    snapshot.close();
    view.await();
    const answer = await askServer(ANSWER_MS, () => server.analyse_photo(request));
    view.arrive();
    this.asking = false;
    if (answer.faces) {
      snapshot.close(); // one that was begun while the answer was awaited
      view.show(answer);
    } else {
      view.say(answer.error ?? answer.failure.text + NEXT_STEP[answer.failure.helps], "problem");
    }
    view.tell();
    if (!this.next) return;
    const next = this.next;
    this.next = null;
    await this.analyse(next);
  }
}
