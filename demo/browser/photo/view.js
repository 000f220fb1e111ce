// What photo mode shows: the invitation, the camera for a snapshot, or the photo with its boxes and the face that was chosen.

import {AttributePanel} from "../shared/attributes.js";
import {closest, find} from "../shared/elements.js";
import {FaceButtons, faceColour} from "../shared/face_buttons.js";
import {ReliabilityOfFace} from "../shared/reliability.js";
import {say} from "../shared/status.js";
import {Downloads} from "./downloads.js";

const HIGHEST = 0.07; // share of the height: above a box that begins nearer to the top there is no room for its number

/**
 * A face as demo/server/photo.py describes it.
 *
 * @typedef {{number: number, box: number[], probabilities: number[], doubts: string[],
 *   conditions: Object<string, number>, crop: string}} Face
 */

/**
 * What demo/server/photo.py answers.
 *
 * @typedef {{faces: Face[], width: number, height: number, name: string, picture: string, annotated: string, json: string,
 *   csv: string}} Answer
 */

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
    this.picture = find(this.result, "img", HTMLImageElement);
    this.boxes = find(this.result, ".boxes", HTMLElement);
    this.working = find(photo, ".working", HTMLElement);
    this.more = find(photo, ".more", HTMLElement);
    this.crop = find(this.more, ".crop img", HTMLImageElement);
    this.another = find(photo, "#photo-another", HTMLButtonElement);
    this.panel = new AttributePanel(find(photo, ".attributes", HTMLElement), facts);
    this.reliability = new ReliabilityOfFace(this.panel.root, facts.conditions);
    this.buttons = new FaceButtons(find(photo, ".faces", HTMLElement), facts.face_colours, (number) =>
      this.choose(number),
    );
    this.downloads = new Downloads(this.more);
    /** @type {Answer | null} */
    this.shown = null; // the answer on the page
    this.another.addEventListener("click", () => this.turn());
    this.boxes.addEventListener("click", (event) => {
      const box = closest(event, "[data-box]");
      if (box) this.choose(Number(box.dataset.box));
    });
  }

  /**
   * @param {string} text
   * @param {string} kind - "plain", "waiting" or "problem"
   */
  say(text, kind = "plain") {
    say(this.statusLine, text, kind);
  }

  /** Shows that an answer is awaited: until it is here, nobody should read the old number for the new one. */
  await() {
    this.photo.removeAttribute("data-faces");
    this.photo.setAttribute("aria-busy", "true");
    this.working.hidden = false;
    this.say("Looking for faces…");
  }

  /** Shows that the answer is here. */
  arrive() {
    this.working.hidden = true;
    this.photo.removeAttribute("aria-busy");
  }

  /** How many faces are on the page, for those who look at it from outside. */
  tell() {
    this.photo.dataset.faces = String(this.shown ? this.shown.faces.length : 0);
  }

  /** @param {Answer} answer */
  show(answer) {
    this.shown = answer;
    const {faces, width, height} = answer;
    this.picture.src = answer.picture;
    this.result.style.setProperty("--ratio", String(width / height));
    this.boxes.replaceChildren(...faces.map((face) => boxElement(face, answer, this.facts)));
    this.showChoice(1, faces);
    this.downloads.offer(answer);
    this.showOnly(this.result);
    this.more.hidden = faces.length === 0;
    if (faces.length) this.choose(1);
    else {
      this.panel.clear();
      this.reliability.clear();
    }
    this.sayWhatIsShown();
  }

  /** @param {number} number - of a face on the page */
  choose(number) {
    const {faces} = this.shown;
    const face = faces[number - 1];
    this.showChoice(number);
    for (const box of this.boxes.children) {
      if (box instanceof HTMLElement) box.classList.toggle("chosen", Number(box.dataset.box) === number);
    }
    this.crop.src = face.crop;
    this.panel.show(face.probabilities, null, face.doubts);
    this.reliability.show(face.conditions);
  }

  /**
   * `pictured`: of which new buttons are made, with their crops.
   *
   * @param {number} number - of a face
   * @param {Face[]} pictured - of which new buttons are made, with their crops
   */
  showChoice(number, pictured = []) {
    const numbers = this.shown.faces.map((face) => face.number);
    const crops = pictured.map((face) => face.crop);
    this.buttons.show(numbers, number, crops);
  }

  sayWhatIsShown() {
    const count = this.shown?.faces.length;
    if (!this.shown) this.say("No photo yet.");
    else if (this.result.hidden) this.say("The photo before is kept until another one takes its place.");
    else if (count === 0) {
      this.say("No face was found. Try a photo in which a face is larger, sharper or turned to the camera.", "waiting");
    } else this.say(count === 1 ? "One face." : `${count} faces. Choose one by its box or its button.`);
  }

  /** From the photo to the invitation to send another one, and back. */
  turn() {
    this.showOnly(this.result.hidden ? this.result : this.invite);
    if (this.result.hidden) find(this.invite, "#photo-choose", HTMLButtonElement).focus({preventScroll: true});
    this.sayWhatIsShown();
  }

  /** Shows again what stood there before the snapshot. */
  leaveSnapshot() {
    if (!this.snapshot.hidden) this.showOnly(this.shown ? this.result : this.invite);
  }

  /** @param {HTMLElement} part - one of invite, snapshot and result */
  showOnly(part) {
    const focused = document.activeElement;
    for (const other of [this.invite, this.snapshot, this.result]) other.hidden = other !== part;
    this.another.hidden = !this.shown || part === this.snapshot;
    this.another.textContent = part === this.result ? "Another photo" : "Back to the photo";
    // Whoever works by keyboard goes on at what took the place of the button that was pressed.
    if (focused?.closest("#photo [hidden]")) {
      const next = part === this.result ? this.another : find(part, ".primary", HTMLButtonElement);
      next.focus({preventScroll: true});
    }
  }
}

/**
 * A numbered box over a photo.
 *
 * @param {Face} face
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
  const number = document.createElement("span");
  number.textContent = String(face.number);
  number.style.color = facts.number_colour;
  box.append(number);
  box.classList.toggle("highest", y < HIGHEST * height);
  return box;
}
