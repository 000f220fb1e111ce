// What live mode shows: the picture, the chosen face, and what the page says about them.

import {AttributePanel} from "../shared/attributes/attributes.js";
import {find} from "../shared/elements.js";
import {FaceButtons} from "../shared/face_buttons.js";
import {joined, t, whenLanguageChanges} from "../shared/language.js";
import {Announcer} from "./access/announcer.js";
import {Choice} from "./choice.js";
import {ClassMode} from "./class_mode/class_mode.js";
import {Controls} from "./controls.js";
import {Guide} from "./access/guide.js";
import {LivePicture} from "./picture.js";
import {Readings} from "./readings.js";
import {Remarks} from "./remarks/remarks.js";
import {ASKING_FOR_CAMERA, describe, heading, NO_PICTURE} from "./sentences.js";
import {SpeedPanel} from "./speed.js";
import {StatusLine} from "./status_line.js";
import {Timeline} from "./timeline/timeline.js";
import {LiveWhy} from "./why.js";

const MISSED_MS = 300; // when all faces are missed for less than this, the panel only fades

/** @typedef {import("../shared/language.js").Words} Words */
/** @typedef {Pick<import("./controls.js").Actions, "start" | "freeze" | "camera">} SessionActions */

/**
 * A face as demo/server/answer.py describes it; `why` holds the map of the attribute that the visitor asked about.
 *
 * @typedef {{number: number, box: number[], probabilities: number[], warnings: string[],
 *   conditions: Object<string, number>, crop?: string, why?: import("../shared/why/map.js").Maps}} Face
 */

export class View {
  /**
   * @param {HTMLElement} live - the panel
   * @param {Facts} facts
   * @param {SessionActions} actions
   */
  constructor(live, facts, actions) {
    this.live = live;
    this.facts = facts;
    this.video = find(live, "video", HTMLVideoElement);
    this.startButton = find(live, "#live-start", HTMLButtonElement);
    this.stopButton = find(live, "#live-stop", HTMLButtonElement);
    this.reloadButton = find(live, "#live-reload", HTMLButtonElement);
    this.status = new StatusLine(find(live, ".status", HTMLElement));
    this.remarks = new Remarks(live);
    this.panel = new AttributePanel(find(live, ".attributes", HTMLElement), facts);
    this.why = this.makeWhy();
    this.settings = this.panel.settings;
    this.buttons = new FaceButtons(find(live, ".faces", HTMLElement), facts.face_colours, (number) =>
      this.choose(number),
    );
    this.picture = new LivePicture(live, facts, this.panel.names, (number) => this.choose(number));
    this.readings = new Readings(facts.remembered_ms);
    this.timeline = this.makeTimeline((index) => this.panel.shows(index));
    this.speed = this.makeSpeed();
    this.guide = new Guide();
    this.announcer = new Announcer((sentence) => this.status.speak(sentence));
    this.controls = this.makeControls(actions);
    this.classMode = new ClassMode(
      find(live, ".class-mode", HTMLDialogElement),
      this.picture.canvas,
      this.status.line,
      facts.face_colours,
      this.panel.listed,
    );
    this.choice = new Choice();
    /** @type {import("../engines/server.js").Engine | null} */
    this.shownBy = null; // the engine that read the last frame shown: another one numbers faces differently
    /** @type {number | null} */
    this.told = null; // number of the face whose attributes the panel shows, even if it has gone since
    this.settings.onChange(() => {
      this.decideAgain();
      this.timeline.draw(); // impressions may have been switched off or on
    });
    whenLanguageChanges(() => this.paint()); // the labels on the picture change, too
    this.mirror(this.settings.values.mirror ?? true);
  }

  /** @param {SessionActions} actions */
  makeControls(actions) {
    return new Controls(this.live, this.settings, {
      ...actions,
      say: () => this.sayFace(),
      mirror: () => this.toggleMirror(),
      record: () => this.timeline.toggle(),
      save: async () => this.status.notice(await this.picture.save()),
      copy: async () => this.status.notice(await this.picture.copy()),
      class: () => this.classMode.open(),
      face: (number) => this.chooseIfThere(number),
    });
  }

  makeSpeed() {
    return new SpeedPanel(
      find(this.live, ".speed", HTMLElement),
      (...figures) => this.remarks.showAge(...figures),
      () => this.fallSilent(),
    );
  }

  makeWhy() {
    return new LiveWhy(
      this.live,
      this.panel,
      this.facts,
      () => this.askWhy(),
      (sentence) => this.status.speak(sentence),
    );
  }

  /** @param {(index: number) => boolean} shows - whether an attribute may be drawn */
  makeTimeline(shows) {
    const {live, facts, panel} = this;
    return new Timeline(
      find(live, ".timeline", HTMLElement),
      find(live, "[data-do=record]", HTMLButtonElement),
      panel.attributes,
      panel.names,
      facts,
      shows,
    );
  }

  /** Number of the face whose attributes are shown; null if there is none. */
  get chosen() {
    return this.choice.number;
  }

  /** The faces on the page. */
  get faces() {
    return this.picture.answer.faces;
  }

  /** The chosen face as it is on the page; undefined while it is out of sight. */
  get face() {
    return this.faces.find(({number}) => number === this.chosen);
  }

  /** "off", "starting", "on" or "waiting". */
  get state() {
    return this.live.dataset.state;
  }

  set state(state) {
    this.live.dataset.state = state;
  }

  /**
   * @param {Words} text
   * @param {string} kind - "plain", "waiting" or "problem"
   */
  say(text, kind = "plain") {
    this.status.say(text, kind);
  }

  /**
   * Says what keeps live mode from going on.
   *
   * @param {Words} text
   * @param {"problem" | "waiting"} kind
   */
  wait(text, kind = "problem") {
    this.state = "waiting";
    this.live.classList.add("stale");
    this.rest();
    this.say(text, kind);
  }

  /** Clears the figures about frames, since none are expected for now. */
  rest() {
    this.speed.clear();
    this.remarks.rest();
  }

  /**
   * Shows a picture that stands still because the visitor wants it to: what the page says about it is not stale.
   *
   * @param {Words} text
   */
  stand(text) {
    this.state = "on";
    this.live.classList.remove("stale");
    this.say(text);
  }

  /** Shows that the next frame is overdue: what is on the page belongs to the last one. */
  fallSilent() {
    this.live.classList.add("stale");
    this.remarks.hideAge();
    if (this.frames.awaits === "camera") this.say(this.frames.track ? NO_PICTURE : ASKING_FOR_CAMERA, "waiting");
    if (this.frames.awaits === "engine") this.say(this.frames.engine.waiting, "waiting");
  }

  /**
   * Shows that live mode is starting, and shows these frames until it ends.
   *
   * @param {import("./frames.js").Frames} frames
   */
  begin(frames) {
    this.frames = frames;
    this.shownBy = null;
    this.forgetFaces();
    this.state = "starting";
    this.stopButton.hidden = false;
    if (document.activeElement === this.startButton || document.activeElement === document.body) {
      this.stopButton.focus({preventScroll: true});
    }
    this.startButton.disabled = true;
    this.say(ASKING_FOR_CAMERA);
    this.askWhy();
  }

  /** Forgets the faces so far: those that come now have other numbers. */
  forgetFaces() {
    this.readings.forget();
    this.choice.forget();
    this.picture.dropCrop();
    this.announcer.turnTo(null);
    this.panel.reliability.clear();
    this.timeline.forgetFaces();
    this.remarks.forgetFaces();
  }

  /**
   * @param {Words} message - says why
   * @param {"plain" | "problem"} kind
   */
  end(message, kind) {
    const {live, startButton} = this;
    this.state = "off";
    live.dataset.faces = "0";
    startButton.disabled = false;
    if (live.contains(document.activeElement)) startButton.focus({preventScroll: true});
    for (const part of [this.stopButton, this.reloadButton]) part.hidden = true;
    this.controls.press("freeze", false);
    this.forgetFaces();
    this.classMode.close();
    this.why.panel.close();
    this.picture.clear();
    this.showClass();
    this.speed.clear();
    this.remarks.end();
    live.classList.remove("stale");
    this.buttons.show([], null);
    this.panel.clear();
    this.timeline.stop(t("The camera is off. Numbers only, no picture."));
    this.say(message, kind);
  }

  toggleMirror() {
    const mirror = !this.picture.isMirrored;
    this.settings.change({mirror});
    this.mirror(mirror);
  }

  /** @param {boolean} on */
  mirror(on) {
    this.picture.mirror(on);
    this.controls.press("mirror", on);
    this.showClass(); // from left to right, as in the picture
  }

  /**
   * Paints the very frame that was analysed, so that no box trails its face.
   *
   * @param {HTMLCanvasElement} frame
   * @param {FrameAnswer} answer - of the engine
   * @param {number} captured - when it was captured, by the page's clock
   * @param {Object<string, number>} stages - milliseconds of each so far; this adds painting
   */
  show(frame, answer, captured, stages) {
    const began = performance.now();
    if (this.shownBy !== this.frames.engine) {
      this.shownBy = this.frames.engine;
      this.forgetFaces();
    }
    const {faces} = answer;
    const {chosen, picture} = this;
    this.choice.follow(faces, began);
    if (this.chosen !== chosen) picture.dropCrop();
    picture.take(frame, answer);
    picture.map = this.why.show(this.face, began);
    this.readings.take(faces, began, this.panel);
    this.paint();
    if (this.frames.watched) {
      // Otherwise this frame was the last one in flight, and the page already says what it is waiting for.
      this.state = "on";
      this.live.classList.remove("stale");
      this.status.settle(...describe(faces, this.chosen, this.guidance(answer)), began);
    }
    this.reloadButton.hidden = true;
    this.showChoice(faces);
    this.showAttributes(faces, began);
    this.remarks.showCrowd(faces.length, answer.left_out, began);
    this.timeline.add(began, answer, captured);
    this.showFrameSize(this.frames.engine?.frameSize);
    const painted = performance.now();
    stages.paint = painted - began;
    this.note(painted, painted - captured, stages, faces.length);
  }

  /** @param {Face[]} faces */
  showChoice(faces) {
    this.buttons.show(
      faces.map(({number}) => number),
      this.chosen,
    );
  }

  paint() {
    this.picture.paint(this.readings, this.chosen, this.panel.rule);
  }

  /** Applies settings to the picture on the page: the next frame may be a while, or not come at all. */
  decideAgain() {
    if (!this.frames) return;
    this.readings.decideAgain(this.panel.rule);
    this.paint();
    this.showClass();
  }

  /**
   * @param {Face[]} faces
   * @param {number} now - milliseconds
   */
  showAttributes(faces, now) {
    const {panel} = this;
    for (const face of faces) {
      const {probabilities, ticks} = this.readings.of(face.number);
      if (face.number === this.chosen) {
        this.told = face.number;
        panel.show(probabilities, ticks, face.warnings);
        panel.reliability.follow(face.number, face.conditions, now);
        if (this.settings.values.pace) this.announce(face, faces.length, now);
      }
    }
    if (!faces.length && now - this.choice.seen < MISSED_MS) panel.fade();
    else if (!faces.length) {
      panel.clear();
      panel.reliability.clear();
      this.why.loseFace();
      // Whoever comes now may be another.
      if (now - this.choice.seen > this.facts.remembered_ms) this.announcer.turnTo(null);
    }
    this.showClass();
    this.picture.showCrop(this.face);
  }

  /** Shows the faces on the page, as they are ticked, in class mode. */
  showClass() {
    const ticked = this.faces.map(({number, box}) => ({number, box, ticks: this.readings.of(number).ticks}));
    this.classMode.show(ticked, this.picture.isMirrored);
  }

  /** @param {import("../engines/frame_size.js").FrameSize | null} size - of the pictures that are sent; null if none are */
  showFrameSize(size) {
    if (size) this.live.dataset.sentWidth = String(size.width);
    else delete this.live.dataset.sentWidth;
    if (this.frames.watched) this.remarks.showSize(size); // else nothing is sent now
  }

  /**
   * Shows the speed on the page, and tells listeners, such as the benchmark, about each frame.
   *
   * @param {number} painted - milliseconds
   * @param {number} latency - milliseconds
   * @param {Object<string, number>} stages - milliseconds of each
   * @param {number} faces - how many there are
   */
  note(painted, latency, stages, faces) {
    const {dataset} = this.live;
    if (this.frames.watched) this.speed.note(painted, latency, stages);
    dataset.latencyMs = latency.toFixed(1);
    dataset.faces = String(faces);
    dataset.frame = String(Number(dataset.frame) + 1);
    const detail = {frame: Number(dataset.frame), latency, faces, stages};
    this.live.dispatchEvent(new CustomEvent("live-frame", {bubbles: true, detail}));
  }

  /**
   * Says what has changed, at the chosen pace. Skips a face with warnings: the status line already says so.
   *
   * @param {Face} face - the chosen one
   * @param {number} count - of all faces
   * @param {number} now - milliseconds
   */
  announce({number, warnings}, count, now) {
    if (warnings.length) return;
    this.announcer.follow(number, heading(number, count), this.panel.readings, this.settings.values.pace, now);
  }

  /** Tells screen readers what is read in the chosen face and why, and repeats what the page is waiting for. */
  sayFace() {
    const {status, panel, told} = this;
    const read = () => panel.sentence(heading(told, this.faces.length));
    const awaited = this.live.classList.contains("stale") ? status.shown : "";
    if (panel.face) status.speak(joined([read(), this.why.panel.sentence, awaited]));
    else status.repeat();
  }

  /** Drops the map when another attribute, face or engine is chosen: the next frame brings the new one. */
  askWhy() {
    const frozen = this.frames?.frozen ? t("Nothing is read while the picture is frozen. Go on to see why.") : "";
    const text = this.state === "off" ? t("Start the camera to see why.") : frozen || t("Working it out…");
    this.why.begin(text);
    this.picture.map = null;
    if (this.picture.frame) this.paint();
  }

  /**
   * How to bring the chosen face into the picture: null if the guide is off, empty if the face is well placed.
   *
   * @param {{width: number, height: number}} answer - to the frame on the page
   */
  guidance({width, height}) {
    return this.settings.values.guide && this.face ? this.guide.place(this.face.box, width, height) : null;
  }

  /** @param {number} number - of a face */
  chooseIfThere(number) {
    if (this.faces.some((face) => face.number === number)) this.choose(number);
  }

  /**
   * Shows the attributes of another face from now on.
   *
   * @param {number} number - of a face on the page
   */
  choose(number) {
    if (number === this.chosen) return;
    this.choice.take(number, performance.now());
    this.picture.dropCrop();
    this.showChoice(this.faces);
    this.askWhy(); // the map was the other face's
    const {probabilities, ticks} = this.readings.of(number);
    this.told = number;
    this.panel.show(probabilities, ticks, this.face.warnings);
    this.panel.reliability.show(this.face.conditions);
  }
}
