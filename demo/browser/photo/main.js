// Photo mode: each picture goes to the server in a call and its result comes back in the answer. The server keeps neither.

import {closest, find} from "../shared/elements.js";
import {whenRefused} from "../shared/given.js";
import {t, translate, translated} from "../shared/language.js";
import {choosePanel, chosenPanel, whenPanelChosen} from "../shared/panels.js";
import {askServer, newVisitor} from "../shared/server.js";
import {pause} from "../shared/status.js";
import {Album} from "./album.js";
import {Downloads, bytesOf} from "./downloads.js";
import {readFile, takeFiles} from "./files.js";
import {Reading} from "./reading.js";
import {Snapshot} from "./snapshot.js";
import {allAsJson, asCsv, asJson} from "./tables.js";
import {View} from "./view.js";

const ANSWER_MS = 120000;
const BUSY_TRIES = 30; // then somebody has to decide whether to go on
/** @type {Object<string, string>} */
const NEXT_STEP = {
  wait: t("Nothing is lost: try again in a moment."),
  reload: t("Reload the page, then try again."),
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
  translate(element);
  const view = new View(photo, facts);
  const photos = new Photos(view, server, facts);
  takeFiles(photo, (files) => photos.give(files.map((file) => fromFile(file, facts.largest_bytes))));
  whenRefused((sentence) => {
    if (chosenPanel() === "photo") view.say(sentence, "problem");
  });
  find(photo, ".examples", HTMLElement).addEventListener("click", (event) => {
    const example = closest(event, "[data-example]")?.dataset.example;
    if (example) photos.give([{name: example, file: false, request: async () => ({example})}]);
  });
  whenPanelChosen((panel) => {
    if (panel === "live") photos.snapshot.cancel();
  });
}

/**
 * @param {import("../shared/given.js").GivenFile} given
 * @param {number} largestBytes
 * @returns {import("./reading.js").Given}
 */
function fromFile({file, refusal}, largestBytes) {
  const {name, size} = file;
  const request = async () => {
    if (refusal) throw new Error(refusal);
    const megabytes = Math.round(largestBytes / 2 ** 20);
    if (size > largestBytes) {
      throw new Error(t("{name} is larger than {megabytes} MB. Choose a smaller picture.", {name, megabytes}));
    }
    if (size === 0) throw new Error(t("{name} is empty. Choose another picture.", {name}));
    const picture = await readFile(file).catch(() => "");
    if (!picture) throw new Error(t("The browser could not read {name}. Choose another picture.", {name}));
    return {picture, name};
  };
  return {name, file: true, request};
}

/** The photos that the visitor gives, and what the page shows of them. */
class Photos {
  /**
   * @param {View} view
   * @param {Server} server
   * @param {Facts} facts
   */
  constructor(view, server, facts) {
    this.view = view;
    this.server = server;
    this.facts = facts;
    this.visitor = newVisitor(); // by which the server knows who waits for a turn
    this.snapshot = new Snapshot(view, (request) =>
      this.give([{name: request.name, file: false, request: async () => request}]),
    );
    this.shownGift = 0; // that the photo on the page belongs to
    this.reading = new Reading(
      facts.most_photos,
      (request, isWanted) => this.ask(request, isWanted),
      (answer, gift) => this.update(answer, gift),
    );
    this.album = new Album(
      find(view.photo, ".album", HTMLElement),
      view.another,
      (answer) => {
        view.show(answer);
        view.tell();
        this.album.mark(answer);
        this.downloads.offer();
      },
      () => this.reading.cancel(),
    );
    view.why.ask = (answer, number) => this.explain(answer, number);
    this.downloads = new Downloads(view.photo, (kind) => this.file(kind));
  }

  /** @param {import("./reading.js").Given[]} photos */
  give(photos) {
    choosePanel("photo");
    this.snapshot.close();
    this.reading.give(photos);
  }

  /**
   * @param {object} request - {example: name}, or {picture: base64, name}; with {why: number} for a face's maps alone
   * @param {() => boolean} isWanted - false once it was cancelled
   * @returns {Promise<any>} as demo/server/photo.py answers it
   */
  async ask(request, isWanted) {
    for (let tries = 1; ; tries++) {
      const answer = await askServer(ANSWER_MS, () => this.server.analyse_photo({...request, visitor: this.visitor}));
      if (answer.faces || answer.why) return answer;
      if (!answer.busy || tries === BUSY_TRIES || !isWanted()) {
        const text = answer.error
          ? translated(answer.error)
          : `${answer.failure.text} ${NEXT_STEP[answer.failure.helps]}`;
        throw new Error(text.trim());
      }
      const line = {place: answer.place, seconds: Math.ceil(answer.seconds)};
      const text = t("Many photos are waiting at the server. This one is sent again in a moment.");
      this.view.say(`${text} ${t("It is number {place} in line, for about {seconds} s.", line)}`, "waiting");
      await pause(1000 * answer.seconds);
    }
  }

  /**
   * Asks for the maps of a face.
   *
   * @param {import("./view.js").Answer} answer
   * @param {number} number - of the face
   * @returns {Promise<import("../shared/why/map.js").Maps>}
   */
  async explain(answer, number) {
    try {
      return (await this.reading.askAgain(answer, {why: number})).why;
    } finally {
      if (!this.reading.busy) this.view.sayWhatIsShown(); // it may have said that it waits
    }
  }

  /**
   * What stands on the page stays there until a photo of a later gift was read. The others are for the visitor to choose.
   *
   * @param {import("./view.js").Answer | null} answer - the latest one
   * @param {number} gift - that it belongs to
   */
  update(answer, gift) {
    const {view, reading, album} = this;
    if (answer && gift > this.shownGift) {
      this.shownGift = gift;
      this.snapshot.close(); // one that was begun while the answer was awaited
      view.keep("");
      view.show(answer);
    }
    const awaited = reading.busy && this.shownGift < reading.gifts;
    if (awaited) view.await(reading.total);
    else view.arrive();
    album.show(reading, view.shown);
    if (!reading.busy || answer) this.downloads.offer();
    if (!reading.busy) this.sayHowItEnded();
  }

  sayHowItEnded() {
    const {view, reading} = this;
    const {total, failed, cancelled, fresh, answers} = reading;
    if (fresh) view.keep(whyNone(failed, cancelled));
    const say = (/** @type {string} */ text) =>
      view.say(`${text} ${view.kept}`.trim(), failed.length ? "problem" : "plain");
    if (cancelled) say(t("Cancelled. Photos read before: {count}.", {count: fresh ? 0 : answers.length}));
    else if (total === 1 && failed.length) say(failed[0].reason);
    else if (failed.length) say(t("{count} of {total} photos could not be read.", {count: failed.length, total}));
    else if (total > 1) say(t("{count} photos were read. Choose one to see its faces.", {count: total}));
    else view.sayWhatIsShown();
  }

  /**
   * @param {string} kind - of a download
   * @returns {import("./downloads.js").Download}
   */
  file(kind) {
    const {view, reading, facts} = this;
    const {panel, shown} = view;
    const decided = {attributes: panel.attributes, rule: panel.rule, point: panel.toolbar.point};
    const stem = shown?.name.replace(/\.[^.]*$/, "");
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

/**
 * Why none of the photos given last is on the page.
 *
 * @param {import("./reading.js").Failure[]} failed
 * @param {boolean} cancelled
 */
function whyNone(failed, cancelled) {
  if (failed.length > 1) return t("None of the new photos could be read.");
  if (failed.length) return t("{name} could not be read.", {name: failed[0].name});
  return cancelled ? t("No new photo was read.") : "";
}
