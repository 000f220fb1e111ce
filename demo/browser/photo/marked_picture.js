// The photo with its faces marked: a clickable box around each, and over them a canvas with the numbers and labels.

import {decide} from "../shared/attributes/decisions.js";
import {closest, find} from "../shared/elements.js";
import {faceColour} from "../shared/face_buttons.js";
import {PicturePainter, unitOf} from "../shared/picture/painter.js";
import {captioned} from "../shared/picture/file.js";
import {PictureLabels} from "../shared/picture/labels.js";
import {paintMap} from "../shared/why/painter.js";

export class MarkedPicture {
  /**
   * @param {HTMLElement} root - holds the picture and what lies over it
   * @param {Facts} facts
   * @param {import("../shared/attributes/attributes.js").AttributePanel} panel - decides the ticks
   * @param {(number: number) => void} onChoose - a face was clicked or tapped
   */
  constructor(root, facts, panel, onChoose) {
    this.root = root;
    this.facts = facts;
    this.panel = panel;
    this.image = find(root, "img", HTMLImageElement);
    this.boxes = find(root, ".boxes", HTMLElement);
    this.canvas = find(root, "canvas", HTMLCanvasElement);
    /** @type {import("./view.js").Answer | null} */
    this.shown = null; // the answer whose picture is shown
    this.chosen = 1; // number of a face
    /** @type {import("../shared/why/map.js").WhyMap | null} */
    this.map = null; // over the chosen face
    this.boxes.addEventListener("click", (event) => {
      const box = closest(event, "[data-box]");
      if (box) onChoose(Number(box.dataset.box));
    });
    panel.settings.onChange(() => this.paint());
    new ResizeObserver(() => this.paint()).observe(root);
  }

  /** @param {import("./view.js").Answer} answer */
  show(answer) {
    this.shown = answer;
    this.image.src = answer.picture;
    this.boxes.replaceChildren(...answer.faces.map((face) => boxElement(face, answer, this.facts)));
    this.choose(1);
  }

  /** @param {number} number - of a face */
  choose(number) {
    this.chosen = number;
    for (const box of this.boxes.children) {
      if (box instanceof HTMLElement) box.classList.toggle("chosen", Number(box.dataset.box) === number);
    }
    this.paint();
  }

  /** @param {import("../shared/why/map.js").WhyMap | null} map - to lay over the chosen face; null: none */
  showMap(map) {
    if (map === this.map) return;
    this.map = map;
    this.paint();
  }

  /** Paints numbers, labels and the map at the screen's size. */
  paint() {
    const {root, canvas} = this;
    if (!this.shown || !root.clientWidth) return;
    const [width, height] = [root.clientWidth, root.clientHeight];
    [canvas.width, canvas.height] = [Math.round(width * devicePixelRatio), Math.round(height * devicePixelRatio)];
    const unit = unitOf(Math.max(canvas.width, canvas.height), Math.max(width, height));
    this.markOn(canvas.getContext("2d"), unit, false);
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} unit - see unitOf
   * @param {boolean} boxes - whether to paint boxes too
   */
  markOn(context, unit, boxes) {
    const {facts, panel, chosen, map} = this;
    const {faces, width, height} = this.shown;
    const {canvas} = context;
    if (map) paintMap(context, map, {across: canvas.width / width, down: canvas.height / height}, false, unit);
    const labels = new PictureLabels(facts.telling, panel.names);
    const decided = faces.map((face) => ({...face, ticks: decide(face.probabilities, panel.rule)}));
    const written = labels.choose(decided, Math.max(width, height), chosen, panel.rule);
    const marked = faces.map(({number, box, warnings}) => ({
      number,
      box: box.map((side) => (side * canvas.width) / width),
      labels: map ? [] : written.get(number), // labels would hide parts of the map
      hasWarnings: warnings.length > 0,
    }));
    new PicturePainter(facts).paint(context, marked, unit, {chosen, boxes});
  }

  /**
   * The marked picture, for saving; null while the photo is not there yet. At once, since Safari lets a page copy only
   * while it handles a click.
   *
   * @param {import("../shared/language.js").Words} caption
   */
  file(caption) {
    const {image} = this;
    if (!image.complete || !image.naturalWidth) return null;
    const size = {width: image.naturalWidth, height: image.naturalHeight};
    const unit = unitOf(Math.max(size.width, size.height));
    const paint = (/** @type {CanvasRenderingContext2D} */ context) => {
      context.drawImage(image, 0, 0);
      this.markOn(context, unit, true);
    };
    return captioned(size, paint, caption, unit);
  }
}

/**
 * A box over a photo.
 *
 * @param {import("./view.js").Face} face
 * @param {{width: number, height: number}} photo - its size
 * @param {Facts} facts
 */
function boxElement(face, {width, height}, facts) {
  const [x, y, boxWidth, boxHeight] = face.box;
  const box = document.createElement("div");
  box.dataset.box = String(face.number);
  box.style.setProperty("--face", faceColour(face.number, facts.face_colours));
  box.style.left = `${(100 * x) / width}%`;
  box.style.top = `${(100 * y) / height}%`;
  box.style.width = `${(100 * boxWidth) / width}%`;
  box.style.height = `${(100 * boxHeight) / height}%`;
  return box;
}
