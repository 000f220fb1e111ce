// The choice of a face: a button and a colour for each.

import {closest} from "./elements.js";

/**
 * @param {number} number - of a face, from 1
 * @param {string[]} colours - of all faces in turn
 */
export function faceColour(number, colours) {
  return colours[(number - 1) % colours.length];
}

/** One button per face. A button stays the same element while its face is there, so that it keeps the keyboard's focus. */
export class FaceButtons {
  /**
   * @param {HTMLElement} root
   * @param {string[]} colours - of the faces in turn
   * @param {(number: number) => void} onChoose
   */
  constructor(root, colours, onChoose) {
    this.root = root;
    this.colours = colours;
    root.addEventListener("click", (event) => {
      const button = closest(event, "[data-face]");
      if (button) onChoose(Number(button.dataset.face));
    });
  }

  /**
   * @param {number[]} numbers - of the faces, from left to right
   * @param {number | null} chosen - one of them
   * @param {string[]} pictures - their crops, as data: addresses, for new buttons in place of the old ones
   */
  show(numbers, chosen, pictures = []) {
    for (const button of [...this.root.querySelectorAll("button")]) {
      if (pictures.length || !numbers.includes(Number(button.dataset.face))) button.remove();
    }
    numbers.forEach((number, position) => {
      const button = this.root.querySelector(`[data-face="${number}"]`) ?? this.build(number, pictures[position]);
      const pressed = String(number === chosen);
      if (button.getAttribute("aria-pressed") !== pressed) button.setAttribute("aria-pressed", pressed);
    });
    this.root.hidden = numbers.length === 0;
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
    button.append(`Face ${number}`);
    this.root.append(button);
    return button;
  }
}
