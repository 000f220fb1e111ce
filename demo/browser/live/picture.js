// The picture of live mode: the frame with its boxes and labels, and the crop of the chosen face.

import {find} from "../shared/elements.js";
import {t} from "../shared/language.js";
import {captionText, copyPicture, savePicture} from "../shared/picture/file.js";
import {PictureLabels} from "../shared/picture/labels.js";
import {Overlay} from "./overlay.js";

const CROP_MS = 100; // ask for the crop at most this often
const FILE_NAME = "slimnet-faces-live.png";

/** @typedef {import("../shared/language.js").Words} Words */
/** @typedef {import("./view.js").Face} Face */

export class LivePicture {
  /**
   * @param {HTMLElement} live - the panel
   * @param {Facts} facts
   * @param {Words[]} names - of the attributes, for people
   * @param {(number: number) => void} onChoose - a face was clicked or tapped
   */
  constructor(live, facts, names, onChoose) {
    this.live = live;
    this.canvas = find(live, "canvas", HTMLCanvasElement);
    this.crop = find(live, ".crop", HTMLElement);
    this.overlay = new Overlay(this.canvas, facts, onChoose);
    this.labels = new PictureLabels(facts.telling, names);
    this.caption = () => captionText(names.length, facts.parameters);
    this.cropAsked = 0; // milliseconds: when it was asked for last
  }

  /** The frame on the page; null if there is none. */
  get frame() {
    return this.overlay.picture;
  }

  /** What the engine answered to it: the faces, and its size. */
  get answer() {
    return this.overlay.answer;
  }

  /** Whether it is mirrored. */
  get isMirrored() {
    return this.overlay.mirror;
  }

  /** The map over the chosen face; null: none. */
  get map() {
    return this.overlay.map;
  }

  set map(map) {
    this.overlay.map = map;
  }

  /**
   * Takes a frame for `paint` to show.
   *
   * @param {HTMLCanvasElement} frame
   * @param {FrameAnswer} answer
   */
  take(frame, answer) {
    this.overlay.take(frame, answer);
    this.canvas.hidden = false;
  }

  /**
   * Paints the frame, with the strongest ticks written beside its faces.
   *
   * @param {import("./readings.js").Readings} readings - of its faces
   * @param {number | null} chosen - number of a face
   * @param {import("../shared/attributes/decisions.js").Rule} rule
   */
  paint(readings, chosen, rule) {
    const {overlay} = this;
    const {faces, width, height} = overlay.answer;
    const decided = faces.map((face) => ({...face, ...readings.of(face.number)}));
    const labels = this.labels.choose(decided, Math.max(width, height), chosen, rule);
    overlay.labels = overlay.map ? new Map() : labels; // labels would hide parts of the map
    overlay.paint(chosen);
  }

  /** @param {boolean} on */
  mirror(on) {
    this.overlay.mirror = on;
    this.live.classList.toggle("mirrored", on);
    this.overlay.paint(this.overlay.chosen);
  }

  clear() {
    this.overlay.clear();
    this.canvas.hidden = this.crop.hidden = true;
  }

  /** Hides the crop, since it shows another face than the chosen one, and has the next one asked for at once. */
  dropCrop() {
    this.cropAsked = 0;
    this.crop.hidden = true;
  }

  /**
   * The number of the face whose crop should come with the next frame, or null while the last crop is still new.
   *
   * @param {number} now - milliseconds
   * @param {number | null} chosen - number of a face
   */
  wantedCrop(now, chosen) {
    if (now - this.cropAsked < CROP_MS) return null;
    this.cropAsked = now;
    return chosen;
  }

  /** @param {Face | undefined} face - the chosen one, if it is in the frame */
  showCrop(face) {
    const {crop} = this;
    if (face?.crop) find(crop, "img", HTMLImageElement).src = face.crop;
    crop.hidden = !this.answer.faces.length || (crop.hidden && !face?.crop);
  }

  /** Saves the picture as a file; returns what to say. */
  save() {
    return this.give((picture) => savePicture(picture, FILE_NAME));
  }

  /** Copies the picture; returns what to say. */
  copy() {
    return this.give(copyPicture);
  }

  /**
   * Makes a file of the picture at once, since browsers let a page copy only within the click.
   *
   * @param {(picture: HTMLCanvasElement) => Promise<Words>} give - saves or copies it, and returns what to say
   */
  async give(give) {
    const picture = this.overlay.file(this.caption());
    return picture ? give(picture) : t("There is no picture yet.");
  }
}
