// Class mode: the picture and two faces, in type for the back row, with things to try that tick themselves off.

import {find, findAll} from "../../shared/elements.js";
import {faceColour} from "../../shared/face_buttons.js";
import {joined, t} from "../../shared/language.js";
import {leaveRoomForWords} from "../../shared/longest_word.js";
import {write, writeAttribute, written} from "../../shared/written.js";

const NAME_WEIGHT = 600; // of the font
const TOLD_MS = 2000; // what is done within this time is told together, so that none of it goes unheard

/**
 * A face with its ticks.
 *
 * @typedef {{number: number, box: number[], ticks: import("../../shared/attributes/decisions.js").Tick[]}} TickedFace
 */

/** The ticked attributes of one of the two faces, in large type. */
class Card {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.title = find(root, "h3", HTMLElement);
    this.list = find(root, "ul", HTMLElement);
    this.shown = "";
  }

  /**
   * @param {number} number - of the face
   * @param {string} colour
   * @param {import("../../shared/language.js").Words[]} names - of the ticked attributes
   */
  show(number, colour, names) {
    const shown = [number, ...names].join();
    this.root.hidden = false;
    if (shown === this.shown) return; // most frames change nothing
    this.shown = shown;
    write(this.title, t("Face {number}", {number}));
    this.root.style.setProperty("--face", colour);
    this.list.replaceChildren(...names.map(() => document.createElement("li")));
    names.forEach((name, place) => write(this.list.children[place], name));
  }
}

export class ClassMode {
  /**
   * @param {HTMLDialogElement} dialog
   * @param {HTMLCanvasElement} canvas - the live picture, which moves into the dialog while it is open
   * @param {HTMLElement} status - the status line, which does so too, since only what is in the dialog is seen and heard
   * @param {string[]} colours - of the faces in turn
   * @param {import("../../shared/attributes/attributes.js").AttributeRow[]} rows - of the attributes, in the order of the page
   */
  constructor(dialog, canvas, status, colours, rows) {
    this.dialog = dialog;
    this.canvas = canvas;
    this.status = status;
    this.place = find(dialog, ".class-picture", HTMLElement);
    this.colours = colours;
    this.rows = rows.filter(({impression}) => !impression); // opinions about looks are not for a class
    this.none = find(dialog, ".none", HTMLElement);
    this.cards = findAll(dialog, ".class-faces section", HTMLElement).map((card) => new Card(card));
    this.things = findAll(dialog, "[data-thing]", HTMLElement);
    this.told = find(dialog, "[role=status]", HTMLElement);
    /** @type {{thing: HTMLElement, since: number}[]} */
    this.done = []; // what was told last, and when, in milliseconds
    /** @type {[TickedFace[], boolean]} */
    this.latest = [[], false]; // as given to `show`
    for (const thing of this.things) thing.hidden = !this.rowOf(thing);
    const names = this.rows.map(({name}) => name);
    leaveRoomForWords(find(dialog, ".class-faces", HTMLElement), names, NAME_WEIGHT);
    find(dialog, "[data-do=close]", HTMLButtonElement).addEventListener("click", () => this.close());
    find(dialog, "[data-do=again]", HTMLButtonElement).addEventListener("click", () => this.startOver());
    dialog.addEventListener("close", () => this.giveBack());
  }

  open() {
    this.home = this.canvas.parentElement;
    this.statusHome = this.status.parentElement;
    this.place.append(this.canvas);
    find(this.dialog, ".class-status", HTMLElement).append(this.status);
    this.startOver();
    this.dialog.showModal();
    this.show(...this.latest); // the picture may stand still
  }

  close() {
    this.dialog.close();
    if (this.home) this.giveBack(); // at once, so that what is said next is heard
  }

  /** Puts the picture and the status line back when the dialog closes, however that happens. */
  giveBack() {
    if (this.status.parentElement === this.statusHome) return;
    this.home.querySelector("video").after(this.canvas);
    this.statusHome.prepend(this.status);
  }

  startOver() {
    for (const thing of this.things) this.mark(thing, false);
    this.done = [];
    write(this.told, "");
  }

  /**
   * Shows the two largest faces, from left to right as in the picture.
   *
   * @param {TickedFace[]} faces
   * @param {boolean} mirrored - whether the picture is mirrored
   */
  show(faces, mirrored) {
    this.latest = [faces, mirrored];
    if (!this.dialog.open) return;
    const area = (/** @type {TickedFace} */ {box}) => box[2] * box[3];
    const largest = [...faces].sort((one, other) => area(other) - area(one)).slice(0, this.cards.length);
    largest.sort((one, other) => (mirrored ? other.box[0] - one.box[0] : one.box[0] - other.box[0]));
    this.none.hidden = largest.length > 0;
    this.cards.forEach((card, place) => {
      const face = largest[place];
      if (face) card.show(face.number, faceColour(face.number, this.colours), this.tickedNames(face));
      else card.root.hidden = true;
    });
    this.tickOff(this.things.filter((thing) => !thing.classList.contains("done") && this.isSeen(thing, faces)));
  }

  /** @param {TickedFace} face */
  tickedNames({ticks}) {
    return this.rows.filter(({index}) => ticks[index] === true).map(({name}) => name);
  }

  /**
   * The row of the attribute that detects a thing; none if the weights don't have it.
   *
   * @param {HTMLElement} thing
   */
  rowOf(thing) {
    return this.rows.find(({box}) => box.dataset.attribute === thing.dataset.thing);
  }

  /**
   * @param {HTMLElement} thing
   * @param {TickedFace[]} faces
   */
  isSeen(thing, faces) {
    const row = this.rowOf(thing);
    return row !== undefined && faces.some(({ticks}) => ticks[row.index] === true);
  }

  /** @param {HTMLElement[]} things - that are seen for the first time */
  tickOff(things) {
    if (!things.length) return;
    for (const thing of things) this.mark(thing, true);
    const now = performance.now();
    const recent = this.done.filter(({since}) => now - since < TOLD_MS);
    this.done = [...recent, ...things.map((thing) => ({thing, since: now}))];
    write(this.told, joined(this.done.map(({thing}) => t("Done: {thing}.", {thing: written(thing)}))));
  }

  /**
   * @param {HTMLElement} thing
   * @param {boolean} done
   */
  mark(thing, done) {
    thing.classList.toggle("done", done);
    writeAttribute(find(thing, "i", HTMLElement), "aria-label", done ? t("yes") : t("no"));
  }
}
