// What photo mode shows: the invitation, the camera for a snapshot, or the photo with its boxes and the chosen face.

import {AttributePanel} from "../shared/attributes/attributes.js";
import {find} from "../shared/elements.js";
import {FaceButtons} from "../shared/face_buttons.js";
import {joined, t, whenLanguageChanges} from "../shared/language.js";
import {captionText, copyPicture, savePicture} from "../shared/picture/file.js";
import {say, speak, tell} from "../shared/status.js";
import {write} from "../shared/written.js";
import {MarkedPicture} from "./marked_picture.js";
import {PhotoWhy} from "./why.js";

/**
 * A face as demo/server/photo.py describes it.
 *
 * @typedef {{number: number, box: number[], probabilities: number[], warnings: string[],
 *   conditions: Object<string, number>, crop: string}} Face
 */

/**
 * What demo/server/photo.py answers.
 *
 * @typedef {{faces: Face[], width: number, height: number, name: string, picture: string, annotated: string,
 *   thumbnail: string}} Answer
 */

/** @typedef {import("../shared/language.js").Words} Words */

export class View {
  /**
   * @param {HTMLElement} photo - the panel
   * @param {Facts} facts
   */
  constructor(photo, facts) {
    this.photo = photo;
    this.facts = facts;
    this.statusLine = find(photo, ".status", HTMLElement);
    this.invite = find(photo, ".invite", HTMLElement);
    this.snapshot = find(photo, ".snapshot", HTMLElement);
    this.result = find(photo, ".result", HTMLElement);
    this.working = find(photo, ".working", HTMLElement);
    this.cancel = find(this.working, "[data-do=cancel]", HTMLButtonElement); // of a single photo; several have a list
    this.more = find(photo, ".more", HTMLElement);
    this.crop = find(this.more, ".crop img", HTMLImageElement);
    this.another = find(photo, "#photo-another", HTMLButtonElement);
    this.attributes = find(photo, ".attributes", HTMLElement);
    this.panel = new AttributePanel(this.attributes, facts);
    const turnTo = (/** @type {number} */ number) => this.turnTo(number);
    this.picture = new MarkedPicture(find(this.result, ".picture", HTMLElement), facts, this.panel, turnTo);
    this.buttons = new FaceButtons(find(photo, ".faces", HTMLElement), facts.face_colours, turnTo);
    this.why = new PhotoWhy(
      photo,
      this.panel,
      facts,
      (map) => this.picture.showMap(map),
      (sentence) => speak(this.statusLine, sentence),
    );
    this.keptLine = find(photo, ".kept", HTMLElement);
    /** @type {Words} */
    this.kept = ""; // says whose result is on the page, if not the last photo's
    /** @type {Words} */
    this.reason = ""; // why it is not the last photo's
    /** @type {Answer | null} */
    this.shown = null; // the answer on the page
    this.chosen = 1; // number of the face whose attributes are shown
    /** @type {{count: number, engine: "ready" | "loading" | "failed"} | null} */
    this.awaited = null; // what the page is waiting for
    this.another.addEventListener("click", () => this.turn());
    whenLanguageChanges(() => this.picture.paint()); // its labels
    const button = (/** @type {string} */ name) => find(this.more, `[data-do=${name}]`, HTMLButtonElement);
    button("save").addEventListener("click", () => this.giveAway((picture) => savePicture(picture, this.fileName)));
    button("copy").addEventListener("click", () => this.giveAway(copyPicture));
  }

  /**
   * @param {Words} text
   * @param {string} kind - "plain", "waiting" or "problem"
   */
  say(text, kind = "plain") {
    say(this.statusLine, text, kind);
  }

  /**
   * Says what the page is waiting for: an answer, or first the engine that will give it.
   *
   * @param {number} count - of photos being read
   * @param {"ready" | "loading" | "failed"} engine
   * @param {boolean} isNext - whether the answer will replace what is shown, so that nobody takes the old number for
   *   the new one until then
   */
  await(count, engine, isNext) {
    if (isNext) this.photo.removeAttribute("data-faces");
    this.wait(isNext && engine !== "failed");
    this.working.hidden = !(isNext && engine === "ready");
    this.cancel.hidden = count > 1;
    this.awaited = {count, engine};
    this.sayWhatIsDue();
  }

  /** Says what the page is waiting for, or else what it shows. */
  sayWhatIsDue() {
    if (!this.awaited) {
      this.sayWhatIsShown();
      return;
    }
    const {count, engine} = this.awaited;
    if (engine === "loading") this.say(t("Loading onto this device. Nothing is sent meanwhile."), "waiting");
    else if (engine === "failed") this.say(t("Not read yet: this device is not ready."), "problem");
    else this.say(count === 1 ? t("Looking for faces…") : t("Reading {count} photos…", {count}));
  }

  /** @param {boolean} isBusy - whether what is shown is about to be replaced */
  wait(isBusy) {
    this.photo.toggleAttribute("data-busy", isBusy);
    // Not on the whole panel: some screen readers keep silent about a status line in what is busy.
    for (const part of [this.result, this.attributes]) part.setAttribute("aria-busy", String(isBusy));
  }

  /** Shows that the answer is here. */
  arrive() {
    const next = this.result.hidden ? find(this.invite, ".primary", HTMLButtonElement) : this.another;
    if (document.activeElement === this.cancel) next.focus({preventScroll: true});
    this.working.hidden = true;
    this.awaited = null;
    this.wait(false);
    this.tell();
  }

  /**
   * Says whose result is on the page, while it is not the last photo's.
   *
   * @param {Words} reason - why it is not the last photo's; empty: it is
   */
  keep(reason) {
    this.reason = reason;
    this.kept = reason && this.shown ? t("You still see the result of {shown}.", {shown: this.shown.name}) : "";
    write(this.keptLine, this.kept && joined([reason, this.kept]));
  }

  /** Publishes how many faces are on the page, for programs that watch it from outside. */
  tell() {
    this.photo.dataset.faces = String(this.shown ? this.shown.faces.length : 0);
  }

  /** @param {Answer} answer */
  show(answer) {
    this.shown = answer;
    const {faces, width, height} = answer;
    this.result.style.setProperty("--ratio", String(width / height));
    this.showChoice(1, faces);
    this.showOnly(this.result);
    this.picture.show(answer);
    this.more.hidden = faces.length === 0;
    this.keep(this.reason);
    if (faces.length) this.choose(1);
    else {
      this.panel.clear();
      this.panel.reliability.clear();
      this.why.turnTo(answer, 1);
    }
    this.sayWhatIsShown();
    if (faces.length) this.speak();
  }

  /**
   * Turns to another face that the visitor has chosen.
   *
   * @param {number} number - of a face on the page
   */
  turnTo(number) {
    this.choose(number);
    this.sayWhatIsShown();
    this.speak();
  }

  /** Tells screen readers what was read in the chosen face. */
  speak() {
    const count = this.shown.faces.length;
    const heading = count === 1 ? t("One face") : t("Face {number} of {count}", {number: this.chosen, count});
    speak(this.statusLine, this.panel.sentence(heading));
  }

  /** @param {number} number - of a face on the page */
  choose(number) {
    const {faces} = this.shown;
    const face = faces[number - 1];
    this.chosen = number;
    this.showChoice(number);
    this.picture.choose(number);
    this.crop.src = face.crop;
    this.panel.show(face.probabilities, null, face.warnings);
    this.panel.reliability.show(face.conditions);
    this.why.turnTo(this.shown, number);
  }

  /**
   * @param {number} number - of a face
   * @param {Face[]} pictured - faces that get new buttons, with their crops
   */
  showChoice(number, pictured = []) {
    const numbers = this.shown.faces.map((face) => face.number);
    const crops = pictured.map((face) => face.crop);
    this.buttons.show(numbers, number, crops);
  }

  /** The file name of the marked picture. */
  get fileName() {
    return `${this.stem}-faces-labelled.jpg`;
  }

  /** The name of the photo on the page, without its extension; undefined if there is none. */
  get stem() {
    return this.shown?.name.replace(/\.[^.]*$/, "");
  }

  /**
   * Saves or copies the marked photo, and says how that went.
   *
   * @param {(picture: HTMLCanvasElement) => Promise<Words>} give - saves or copies it, and returns what to say
   */
  async giveAway(give) {
    const caption = captionText(this.panel.names.length, this.facts.parameters);
    const picture = this.picture.file(caption);
    tell(this.statusLine, picture ? await give(picture) : t("There is no picture yet."));
  }

  sayWhatIsShown() {
    const count = this.shown?.faces.length;
    if (!this.shown) this.say(t("No photo yet."));
    else if (this.result.hidden) this.say(t("The previous photo stays until another one takes its place."));
    else if (this.kept) this.say(joined([this.reason, this.kept]), "problem");
    else if (count === 0) {
      this.say(
        t("No face was found. Try a photo in which a face is larger, sharper or turned to the camera."),
        "waiting",
      );
    } else this.say(count === 1 ? t("One face.") : t("{count} faces. Choose one by its box or its button.", {count}));
  }

  /** Switches from the photo to the invitation to send another one, and back. */
  turn() {
    this.showOnly(this.result.hidden ? this.result : this.invite);
    if (this.result.hidden) find(this.invite, "#photo-choose", HTMLButtonElement).focus({preventScroll: true});
    this.sayWhatIsDue();
  }

  /** Shows what was there before the snapshot. */
  leaveSnapshot() {
    if (!this.snapshot.hidden) this.showOnly(this.shown ? this.result : this.invite);
  }

  /** @param {HTMLElement} part - one of invite, snapshot and result */
  showOnly(part) {
    const focused = document.activeElement;
    for (const other of [this.invite, this.snapshot, this.result]) other.hidden = other !== part;
    this.another.hidden = !this.shown || part === this.snapshot;
    write(this.another, part === this.result ? t("Another photo") : t("Back to the photo"));
    // For people using the keyboard, moves the focus to whatever replaced the button they pressed.
    if (focused?.closest("#photo [hidden]")) {
      const next = part === this.result ? this.another : find(part, ".primary", HTMLButtonElement);
      next.focus({preventScroll: true});
    }
  }
}
