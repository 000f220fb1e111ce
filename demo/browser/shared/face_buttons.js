// The choice of a face: a button and a colour for each, in one row that scrolls if there are many.

import {closest} from "./elements.js";
import {t} from "./language.js";
import {write} from "./written.js";

/** @type {Object<string, (position: number, last: number) => number>} */
const MOVES = {
  ArrowLeft: (position) => position - 1,
  ArrowRight: (position) => position + 1,
  Home: () => 0,
  End: (_, last) => last,
};

/**
 * @param {number} number - of a face, from 1
 * @param {string[]} colours - assigned to the faces in turn
 */
export function faceColour(number, colours) {
  return colours[(number - 1) % colours.length];
}

/** One button per face. A button stays the same element while its face is there, to keep the keyboard focus. */
export class FaceButtons {
  /**
   * @param {HTMLElement} root
   * @param {string[]} colours - assigned to the faces in turn
   * @param {(number: number) => void} onChoose
   */
  constructor(root, colours, onChoose) {
    this.root = root;
    this.colours = colours;
    this.range = document.createElement("span"); // says which buttons are in sight, if not all are
    this.range.className = "range";
    this.range.setAttribute("aria-hidden", "true");
    this.range.hidden = true;
    root.append(this.range);
    /** @type {HTMLButtonElement[]} */
    this.buttons = []; // in the order of the faces
    /** @type {number | null} */
    this.chosen = null;
    root.addEventListener("click", (event) => {
      const button = closest(event, "[data-face]");
      if (button) onChoose(Number(button.dataset.face));
    });
    root.addEventListener("keydown", (event) => this.move(event));
    root.addEventListener("scroll", () => this.showRange(), {passive: true});
    new ResizeObserver(() => this.showRange()).observe(root);
  }

  /**
   * @param {number[]} numbers - of the faces, in the order of the buttons
   * @param {number | null} chosen - one of these numbers
   * @param {string[]} pictures - their crops, as data: addresses, for new buttons in place of the old ones
   */
  show(numbers, chosen, pictures = []) {
    const kept = new Map(pictures.length ? [] : this.buttons.map((button) => [Number(button.dataset.face), button]));
    const before = this.buttons;
    // Backwards, so that each new button is inserted before its neighbour and no old one moves.
    /** @type {HTMLElement} */
    let next = this.range;
    this.buttons = numbers.map((number, position) => kept.get(number) ?? this.build(number, pictures[position]));
    for (const button of before) if (!this.buttons.includes(button)) button.remove();
    for (const button of [...this.buttons].reverse()) {
      if (!button.isConnected) this.root.insertBefore(button, next);
      const pressed = String(Number(button.dataset.face) === chosen);
      if (button.getAttribute("aria-pressed") !== pressed) button.setAttribute("aria-pressed", pressed);
      next = button;
    }
    this.root.hidden = numbers.length === 0;
    const changed = before.length !== this.buttons.length || before.some((button, i) => button !== this.buttons[i]);
    if (changed || chosen !== this.chosen) this.bringIntoSight(chosen);
    this.chosen = chosen;
  }

  /**
   * Scrolls the row, never the page.
   *
   * @param {number | null} number - of a face
   */
  bringIntoSight(number) {
    const {root} = this;
    const button = this.buttons.find(({dataset}) => Number(dataset.face) === number);
    if (button) {
      const room = root.clientWidth - this.range.offsetWidth;
      const left = button.offsetLeft;
      const right = left + button.offsetWidth;
      if (left < root.scrollLeft || right > root.scrollLeft + room) root.scrollLeft = left - (room - right + left) / 2;
    }
    this.showRange();
  }

  /** Says which of the buttons are in sight, if there are more. */
  showRange() {
    const {root, range, buttons} = this;
    const widest = buttons.at(-1) ? buttons.at(-1).offsetLeft + buttons.at(-1).offsetWidth : 0;
    range.hidden = widest <= root.clientWidth;
    if (range.hidden) return;
    const end = root.scrollLeft + root.clientWidth - range.offsetWidth;
    const seen = buttons.flatMap(({offsetLeft, offsetWidth}, position) =>
      offsetLeft >= root.scrollLeft - offsetWidth / 2 && offsetLeft + offsetWidth / 2 <= end ? [position + 1] : [],
    );
    const [first, last, count] = [seen[0] ?? 1, seen.at(-1) ?? 1, buttons.length];
    const one = t("{done} of {total}", {done: first, total: count});
    write(range, first === last ? one : t("{first}–{last} of {count}", {first, last, count}));
  }

  /**
   * Moves from button to button by the arrow keys.
   *
   * @param {KeyboardEvent} event
   */
  move(event) {
    const position = this.buttons.findIndex((button) => button === event.target);
    const move = MOVES[event.key];
    if (position < 0 || !move || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const button = this.buttons[move(position, this.buttons.length - 1)];
    if (!button) return;
    button.focus({preventScroll: true});
    this.bringIntoSight(Number(button.dataset.face));
  }

  /**
   * @param {number} number - of the face
   * @param {string | undefined} picture - its crop
   */
  build(number, picture) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.face = String(number);
    button.style.setProperty("--face", faceColour(number, this.colours));
    if (picture) {
      const image = document.createElement("img");
      image.src = picture;
      image.alt = "";
      button.append(image);
    }
    const name = document.createElement("span");
    write(name, t("Face {number}", {number}));
    button.append(name);
    return button;
  }
}
