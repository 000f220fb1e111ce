// Several photos at once: how many have been read, which could not be, and buttons to go from one to another.

import {closest, find} from "../shared/elements.js";
import {joined, t} from "../shared/language.js";
import {write} from "../shared/written.js";

/** @typedef {import("./view.js").Answer} Answer */
/** @typedef {import("./reading.js").Reading} Reading */

/** @type {Object<string, (index: number, count: number) => number>} */
const STEPS = {
  ArrowLeft: (index, count) => (index + count - 1) % count,
  ArrowRight: (index, count) => (index + 1) % count,
  Home: () => 0,
  End: (_, count) => count - 1,
};

const FEW = 3; // lines shown without being asked for

export class Album {
  /**
   * @param {HTMLElement} root
   * @param {HTMLElement} otherwise - gets the keyboard focus when the focused element goes away
   * @param {(answer: Answer) => void} onChoose
   * @param {() => void} onCancel
   */
  constructor(root, otherwise, onChoose, onCancel) {
    this.root = root;
    this.otherwise = otherwise;
    this.onChoose = onChoose;
    this.progress = find(root, ".progress", HTMLElement);
    this.bar = find(root, "progress", HTMLProgressElement);
    this.count = find(root, ".progress span", HTMLElement);
    this.photos = find(root, ".photos", HTMLElement);
    this.thumbnails = find(root, ".thumbnails", HTMLElement);
    this.which = find(root, ".which", HTMLElement);
    this.failed = find(root, ".failed", HTMLDetailsElement);
    this.downloads = find(root, ".downloads", HTMLElement);
    /** @type {Answer[]} */
    this.answers = [];
    this.chosen = 0; // of the answers
    /** @type {import("../shared/language.js").Words[]} */
    this.lines = []; // about photos that were not read
    find(root, "#photo-stop", HTMLButtonElement).addEventListener("click", onCancel);
    find(root, "#photo-previous", HTMLButtonElement).addEventListener("click", () => this.step("ArrowLeft"));
    find(root, "#photo-next", HTMLButtonElement).addEventListener("click", () => this.step("ArrowRight"));
    this.thumbnails.addEventListener("click", (event) => {
      const button = closest(event, "[data-photo]");
      if (button) this.choose(Number(button.dataset.photo));
    });
    this.photos.addEventListener("keydown", (event) => {
      if (!(event.key in STEPS) || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      this.step(event.key);
      if (closest(event, "[data-photo]")) this.button(this.chosen).focus();
    });
  }

  /** @param {string} key - of STEPS */
  step(key) {
    this.choose(STEPS[key](this.chosen, this.answers.length));
  }

  /** @param {number} index - of an answer */
  choose(index) {
    this.onChoose(this.answers[index]);
  }

  /** @param {number} index */
  button(index) {
    return find(this.thumbnails, `[data-photo="${index}"]`, HTMLButtonElement);
  }

  /**
   * @param {Reading} reading
   * @param {Answer | null} shown - one of its answers
   * @param {boolean} isHeldUp - whether the next photo waits for its engine, so that even a single one is listed, to be
   *   cancelled
   */
  show({answers, failed, refused, most, busy, done, total}, shown, isHeldUp) {
    const focused = document.activeElement;
    const reading = busy && (total > 1 || isHeldUp);
    const several = answers.length > 1;
    this.progress.hidden = !reading;
    this.bar.max = total;
    this.bar.value = done;
    write(this.count, t("{done} of {total}", {done, total}));
    this.showPhotos(answers);
    this.mark(shown);
    this.showFailed(failed, refused, total, most);
    this.photos.hidden = !several;
    this.downloads.hidden = !several;
    this.root.hidden = !reading && !several && this.lines.length === 0;
    if (focused && this.root.contains(focused) && focused.closest("[hidden]")) {
      const next = this.photos.hidden ? this.otherwise : this.button(this.chosen);
      next.focus({preventScroll: true});
    }
  }

  /** @param {Answer[]} answers - one button each; buttons that stay keep the keyboard focus */
  showPhotos(answers) {
    const buttons = [...this.thumbnails.children];
    const stay = answers.filter((answer, index) => answer === this.answers[index]).length;
    this.answers = [...answers];
    buttons.slice(stay).forEach((button) => button.remove());
    this.thumbnails.append(...answers.slice(stay).map((answer, index) => thumbnail(answer, stay + index)));
  }

  /** @param {Answer | null} shown - one of the answers */
  mark(shown) {
    this.chosen = Math.max(0, this.answers.indexOf(shown));
    [...this.thumbnails.children].forEach((button, index) =>
      button.setAttribute("aria-pressed", String(index === this.chosen)),
    );
    const name = this.answers[this.chosen]?.name ?? "";
    write(this.which, t("{number} of {count}: {name}", {number: this.chosen + 1, count: this.answers.length, name}));
  }

  /**
   * @param {import("./reading.js").Failure[]} failed
   * @param {number} refused - photos beyond the limit
   * @param {number} total - photos of the set; if it is only one, the status line says why it failed
   * @param {number} most - photos of a set
   */
  showFailed(failed, refused, total, most) {
    const lines =
      total > 1
        ? failed.map(({name, reason}) => (String(reason).includes(name) ? reason : joined([name, reason], ": ")))
        : [];
    if (refused) {
      lines.push(
        t("At most {most} photos are read at once. Left out: {refused}. Choose the rest when these are done.", {
          most,
          refused,
        }),
      );
    }
    if (this.lines.join() === lines.join()) return; // keeps them as the visitor opened or closed them
    this.lines = lines;
    this.failed.hidden = lines.length === 0;
    this.failed.open = lines.length <= FEW;
    write(find(this.failed, "summary", HTMLElement), t("Not read: {count}", {count: failed.length + refused}));
    find(this.failed, "ul", HTMLElement).replaceChildren(
      ...lines.map((line) => {
        const item = document.createElement("li");
        write(item, line);
        return item;
      }),
    );
  }
}

/**
 * @param {Answer} answer
 * @param {number} index
 */
function thumbnail({name, thumbnail: picture}, index) {
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.photo = String(index);
  button.title = name;
  const image = document.createElement("img");
  image.src = picture;
  image.alt = name;
  button.append(image);
  return button;
}
