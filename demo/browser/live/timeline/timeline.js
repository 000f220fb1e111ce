// A visit's recording, with its buttons and its plot.

import {closest, find} from "../../shared/elements.js";
import {joined, t, whenLanguageChanges} from "../../shared/language.js";
import {saveFile} from "../../shared/files/save_file.js";
import {optionOf, translate, write, writeAttribute} from "../../shared/written.js";
import {minutes, Plot} from "./plot.js";
import {Recording} from "./recording.js";

const WINDOW_MS = 30000; // how much of the end the plot shows while recording
const REDRAW_MS = 250;
const MOST_LINES = 5;
const LINE_COLOURS = 6; // --line-1 to --line-6 in timeline.css

/** @typedef {import("../../shared/language.js").Words} Words */

// Fixed text; anything from elsewhere is set as textContent.
const TIMELINE = `
  <div class="timeline-head">
    <span class="elapsed" aria-hidden="true"></span>
    <span class="told" role="status"></span>
    <span class="saves" role="group" aria-label="Download the recording" hidden>
      <button type="button" class="quiet" data-save="csv">CSV</button>
      <button type="button" class="quiet" data-save="json">JSON</button>
      <button type="button" class="quiet discard">Discard</button>
    </span>
  </div>
  <div class="plot" hidden>
    <canvas role="img"></canvas>
    <div class="lines" role="group" aria-label="What the plot shows">
      <select class="whose" aria-label="Face"></select>
      <span class="chips"></span>
      <select class="adder" aria-label="Add an attribute to the plot"></select>
      <button type="button" class="quiet automatic" title="Show the attributes that vary most">Most varied</button>
    </div>
  </div>`;

/** A recording with its buttons, and the plot of one face's chosen attributes; live mode calls it. */
export class Timeline {
  /**
   * @param {HTMLElement} root
   * @param {HTMLButtonElement} record - the button that starts and stops recording
   * @param {string[]} attributes - in the order of the probabilities
   * @param {Words[]} names - of the attributes, for people
   * @param {Facts} facts
   * @param {(index: number) => boolean} shows - whether an attribute may be drawn; files hold all of them
   */
  constructor(root, record, attributes, names, facts, shows = () => true) {
    root.innerHTML = TIMELINE;
    translate(root);
    this.root = root;
    this.record = record;
    this.elapsed = find(root, ".elapsed", HTMLElement);
    this.told = find(root, ".told", HTMLElement);
    this.saves = find(root, ".saves", HTMLElement);
    this.discard = find(root, ".discard", HTMLButtonElement);
    this.plot = find(root, ".plot", HTMLElement);
    this.whose = find(root, ".whose", HTMLSelectElement);
    this.chips = find(root, ".chips", HTMLElement);
    this.adder = find(root, ".adder", HTMLSelectElement);
    this.automatic = find(root, ".automatic", HTMLButtonElement);
    this.attributes = attributes;
    this.names = names;
    this.facts = facts;
    this.shows = shows;
    this.picture = new Plot(find(root, "canvas", HTMLCanvasElement));
    this.recording = false;
    /** @type {number[]} */
    this.lines = []; // indices of the attributes drawn
    this.listen();
    this.empty("");
  }

  /** Follows its controls, and what else changes how it looks. */
  listen() {
    this.discard.addEventListener("click", () => this.empty(t("Discarded.")));
    this.saves.addEventListener("click", (event) => this.save(closest(event, "[data-save]")?.dataset.save));
    this.whose.addEventListener("change", () => this.draw());
    // Without this, arrow keys would add one attribute after another instead of moving through the list.
    this.adder.addEventListener("keydown", (event) => {
      if (!["ArrowDown", "ArrowUp"].includes(event.key)) return;
      try {
        this.adder.showPicker();
        event.preventDefault();
      } catch {
        // The browser is too old, or the page is in a frame of another site.
      }
    });
    this.adder.addEventListener("change", () => {
      this.choose([...this.lines, Number(this.adder.value)]);
      this.adder.value = "";
    });
    this.automatic.addEventListener("click", () => {
      this.lines = [];
      this.choose(null);
    });
    this.chips.addEventListener("click", (event) => {
      const chip = closest(event, "[data-line]");
      if (chip) this.choose(this.lines.filter((index) => index !== Number(chip.dataset.line)));
    });
    new ResizeObserver(() => this.draw()).observe(this.plot);
    whenLanguageChanges(() => this.draw());
    // In the next frame, when the page has its new colours.
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
      requestAnimationFrame(() => this.draw()),
    );
    window.addEventListener("beforeunload", (event) => {
      if (this.data.rows.length > this.saved) event.preventDefault(); // the browser asks before it is lost
    });
  }

  /**
   * Takes the faces of one frame, if recording.
   *
   * @param {number} milliseconds - on a clock that never goes back
   * @param {import("./recording.js").Answer} answer
   * @param {number} captured - when the camera took the frame, on the page's clock
   */
  add(milliseconds, answer, captured) {
    if (!this.recording) return;
    this.data.add(milliseconds, answer, captured);
    if (this.data.full)
      this.stop(t("Stopped after {minutes} minutes: the recording is full.", {minutes: minutes(this.data.recorded)}));
    else if (milliseconds - this.drawn >= REDRAW_MS) {
      this.drawn = milliseconds;
      this.draw();
    }
  }

  /** Takes the faces that come now for others than those before. */
  forgetFaces() {
    this.data.forgetFaces();
  }

  toggle() {
    if (this.recording) this.stop();
    else this.start();
  }

  start() {
    if (this.data.full) return;
    this.recording = true;
    this.data.resumed = true;
    this.tell(t("Recording numbers, no picture."));
  }

  stop(message = t("Stopped. Numbers only, no picture.")) {
    if (!this.recording) return;
    this.recording = false;
    this.tell(this.data.rows.length ? message : t("Stopped. Nothing was recorded."));
    this.lines = []; // nothing changes any more, so the order may be that of what varies most
    this.draw();
  }

  /** @param {Words} words - what was done */
  empty(words) {
    const focused = document.activeElement === this.discard;
    this.recording = false;
    this.data = new Recording(this.attributes, this.facts);
    this.saved = 0; // rows already saved to a file
    /** @type {number[] | null} */
    this.chosen = null;
    this.lines = [];
    this.drawn = -Infinity;
    this.tell(words);
    this.draw();
    if (focused) this.record.focus();
  }

  /** @param {Words} words - what was done */
  tell(words) {
    write(this.told, words);
    this.record.setAttribute("aria-pressed", String(this.recording));
    writeAttribute(this.record, "title", this.nextStep);
    // Not hidden before: screen readers announce only what changes in a line that is there.
    this.root.classList.toggle("unseen", !this.recording && this.data.rows.length === 0);
    this.record.setAttribute("aria-disabled", String(this.data.full)); // not disabled: the focus would go elsewhere
    this.saves.hidden = this.recording || this.data.rows.length === 0;
  }

  /** What the record button does next. */
  get nextStep() {
    if (this.recording) return t("Stop recording");
    if (this.data.full) return t("The recording is full. Discard it to begin another.");
    return this.data.rows.length ? t("Go on recording") : t("Record the numbers, no picture");
  }

  /** @param {number[] | null} lines - indices of the attributes to draw; null: those that vary most */
  choose(lines) {
    this.chosen = lines;
    this.draw();
  }

  get face() {
    return Number(this.whose.value) || this.data.faces[0];
  }

  draw() {
    this.elapsed.textContent = this.data.started ? minutes(this.data.length) : "";
    this.plot.hidden = this.data.rows.length === 0;
    if (this.plot.hidden) return;
    const faces = this.data.faces;
    setOptions(
      this.whose,
      faces,
      faces.map((number) => t("Face {number}", {number})),
    );
    this.whose.hidden = faces.length === 1;
    const wanted = (this.chosen ?? this.data.varying(this.face, MOST_LINES, this.shows)).filter(this.shows);
    // Those that stay keep their places, and with them their colours, the focus and a click that has begun.
    const fresh = wanted.filter((index) => !this.lines.includes(index));
    const kept = this.lines.map((index) => (wanted.includes(index) ? index : fresh.shift()));
    this.lines = [...kept.filter((index) => index !== undefined), ...fresh];
    this.showLines();
    const colours = [...this.chips.children].map((chip) => getComputedStyle(chip).getPropertyValue("--colour"));
    const from = this.recording ? Math.max(0, this.data.length - WINDOW_MS) : 0;
    this.picture.draw(
      this.data.rowsOf(this.face, from),
      this.lines.map((index, place) => ({index, colour: colours[place]})),
      from,
      this.data.length,
    );
  }

  showLines() {
    const names = this.lines.map((index) => this.names[index]);
    writeAttribute(
      this.picture.canvas,
      "aria-label",
      t("Face {number} over {minutes}: {names}", {
        number: this.face,
        minutes: minutes(this.data.length),
        names: joined(names, ", "),
      }),
    );
    this.automatic.hidden = this.chosen === null;
    const others = this.attributes
      .map((_, index) => index)
      .filter((index) => this.shows(index) && !this.lines.includes(index));
    setOptions(this.adder, ["", ...others], [t("Add…"), ...others.map((index) => this.names[index])]);
    const chips = /** @type {HTMLElement[]} */ ([...this.chips.children]);
    for (const chip of chips.slice(this.lines.length)) chip.remove();
    this.lines.forEach((index, place) => {
      if (chips[place]?.dataset.line === String(index)) return;
      const chip = this.makeChip(index, place);
      if (chips[place]) chips[place].replaceWith(chip);
      else this.chips.append(chip);
    });
  }

  /**
   * @param {number} index - of an attribute
   * @param {number} place - of its line among the others
   */
  makeChip(index, place) {
    const chip = document.createElement("button");
    chip.type = "button";
    chip.dataset.line = String(index);
    writeAttribute(chip, "title", t("Take it off the plot"));
    write(chip, this.names[index]);
    chip.style.setProperty("--colour", `var(--line-${(place % LINE_COLOURS) + 1})`);
    return chip;
  }

  /** @param {string | undefined} kind - csv or json */
  save(kind) {
    if (!kind) return;
    const text = kind === "csv" ? this.data.csv() : this.data.json();
    const type = kind === "csv" ? "text/csv" : "application/json";
    const started = this.data.started.toISOString().slice(0, 19).replaceAll(":", "-");
    saveFile(new Blob([text], {type}), `faces-${started}.${kind}`);
    this.saved = this.data.rows.length;
  }
}

/**
 * Sets the options of a select, and keeps the choice; while nothing changes, an open list stays as it is.
 *
 * @param {HTMLSelectElement} select
 * @param {(string | number)[]} values
 * @param {Words[]} texts - one for each value
 */
function setOptions(select, values, texts) {
  if ([...select.options].map(({value}) => value).join() === values.join()) return;
  const chosen = select.value;
  select.replaceChildren(...values.map((value, place) => optionOf(texts[place], String(value))));
  if (values.map(String).includes(chosen)) select.value = chosen;
}
