// What live mode shows: the picture with its boxes, the face that was chosen, and what is said about it.

import {AttributePanel} from "../shared/attributes.js";
import {find} from "../shared/elements.js";
import {FaceButtons} from "../shared/face_buttons.js";
import {ReliabilityOfFace} from "../shared/reliability.js";
import {say, showRemark} from "../shared/status.js";
import {Controls} from "./controls.js";
import {LARGEST_WIDTH} from "./frame_size.js";
import {Overlay} from "./overlay.js";
import {Smoother} from "./smoothing.js";
import {SpeedPanel} from "./speed.js";
import {Timeline} from "./timeline.js";

const CROP_MS = 100; // the crop is asked for no more often
const OUT_OF_SIGHT_MS = 1000; // the chosen face may be hidden for as long before another one takes its place
const SETTLED_MS = 300; // what is true for a shorter time is not worth a sentence
/** @type {Object<string, string>} */
const ADVICE = {
  small: "Too small to be read well: come closer.",
  turned: "Turned too far: look towards the camera.",
  blurred: "Blurred: hold still, or clean the lens.",
  dark: "Too dark: turn towards the light.",
};

/**
 * A face as demo/server/answer.py describes it.
 *
 * @typedef {{number: number, box: number[], probabilities: number[], doubts: string[],
 *   conditions: Object<string, number>, crop?: string}} Face
 */

export class View {
  /**
   * @param {HTMLElement} live - the panel
   * @param {Facts} facts
   * @param {{start: () => void, freeze: () => void, camera: (camera: import("../shared/settings.js").Camera) => void}} actions - of buttons and keys
   */
  constructor(live, facts, actions) {
    this.live = live;
    this.facts = facts;
    this.video = find(live, "video", HTMLVideoElement);
    this.canvas = find(live, "canvas", HTMLCanvasElement);
    this.startButton = find(live, "#live-start", HTMLButtonElement);
    this.stopButton = find(live, "#live-stop", HTMLButtonElement);
    this.reloadButton = find(live, "#live-reload", HTMLButtonElement);
    this.statusLine = find(live, ".status", HTMLElement);
    this.sizeLine = find(live, ".flow", HTMLElement);
    this.cameraLine = find(live, ".other-camera", HTMLElement);
    this.crop = find(live, ".crop", HTMLElement);
    this.panel = new AttributePanel(find(live, ".attributes", HTMLElement), facts);
    this.reliability = new ReliabilityOfFace(this.panel.root, facts.conditions);
    this.settings = this.panel.settings;
    this.buttons = new FaceButtons(find(live, ".faces", HTMLElement), facts.face_colours, (number) =>
      this.choose(number),
    );
    this.overlay = new Overlay(this.canvas, facts, (number) => this.choose(number));
    const {attributes, names} = this.panel;
    const shows = (/** @type {number} */ index) => this.panel.shows(index);
    this.timeline = new Timeline(
      find(live, ".timeline", HTMLElement),
      attributes,
      names,
      facts.recording_header,
      shows,
    );
    this.speed = new SpeedPanel(find(live, ".speed", HTMLElement));
    this.controls = new Controls(live, {
      ...actions,
      mirror: () => this.toggleMirror(),
      face: (number) => this.chooseIfThere(number),
    });
    /** @type {number | null} */
    this.chosen = null; // number of the face whose attributes are shown
    this.settling = {text: "", since: 0};
    this.mirror(this.settings.values.mirror ?? true);
  }

  /** "off", "starting", "on" or "waiting". */
  get state() {
    return this.live.dataset.state;
  }

  set state(state) {
    this.live.dataset.state = state;
  }

  /**
   * @param {string} text
   * @param {string} kind - "plain", "waiting" or "problem"
   */
  say(text, kind = "plain") {
    say(this.statusLine, text, kind);
  }

  /**
   * Says what keeps live mode from going on.
   *
   * @param {string} text
   */
  wait(text) {
    this.state = "waiting";
    this.say(text, "problem");
  }

  /** @param {string} text - shown while it is not empty */
  remarkOnCamera(text) {
    showRemark(this.cameraLine, text);
  }

  /**
   * Shows that live mode starts, and belongs to these frames until it ends.
   *
   * @param {import("./frames.js").Frames} frames
   */
  begin(frames) {
    this.frames = frames;
    this.smoother = new Smoother(this.facts.remembered_ms);
    this.seen = 0; // when the chosen face was seen last
    this.cropAsked = 0;
    this.state = "starting";
    this.startButton.disabled = true;
    this.stopButton.hidden = false;
    this.say("Waiting for the camera. Your browser may ask you to allow it.");
  }

  /**
   * @param {string} message - says why
   * @param {"plain" | "problem"} kind
   */
  end(message, kind) {
    const {live, startButton} = this;
    this.state = "off";
    live.dataset.faces = "0";
    startButton.disabled = false;
    if (live.contains(document.activeElement)) startButton.focus({preventScroll: true});
    for (const part of [this.stopButton, this.reloadButton, this.canvas, this.crop, this.sizeLine, this.cameraLine]) {
      part.hidden = true;
    }
    this.controls.press("freeze", false);
    this.chosen = null;
    this.overlay.clear();
    this.speed.clear();
    this.buttons.show([], null);
    this.panel.clear();
    this.reliability.clear();
    this.timeline.stop("The camera is off. Numbers only, no picture.");
    this.say(message, kind);
  }

  toggleMirror() {
    this.settings.change({mirror: !this.overlay.mirror});
    this.mirror(!this.overlay.mirror);
  }

  /** @param {boolean} on */
  mirror(on) {
    this.overlay.mirror = on;
    this.live.classList.toggle("mirrored", on);
    this.controls.press("mirror", on);
    this.overlay.paint(this.chosen);
  }

  /**
   * The number of the face whose crop is to come with a frame, or null where the last one is still new.
   *
   * @param {number} now - milliseconds
   */
  wantedCrop(now) {
    if (now - this.cropAsked < CROP_MS) return null;
    this.cropAsked = now;
    return this.chosen;
  }

  /**
   * Paints the very frame that was analysed, so that no box trails its face.
   *
   * @param {HTMLCanvasElement} picture - the frame
   * @param {{faces: Face[], width: number, height: number}} answer - of the server
   * @param {number} captured - its time on the page's clock
   * @param {Object<string, number>} stages - milliseconds of each until now; painting is added
   */
  show(picture, answer, captured, stages) {
    const began = performance.now();
    const {faces} = answer;
    this.keepChoice(faces, began);
    this.overlay.show(picture, answer, this.chosen);
    if (this.frames.watched) {
      // Else this frame was the last one in flight, and the page says already what it waits for.
      this.state = "on";
      this.saySettled(...describe(faces, this.chosen), began);
    }
    this.canvas.hidden = false;
    this.reloadButton.hidden = true;
    this.showChoice(faces);
    this.showAttributes(faces, began);
    this.showFrameSize(this.frames.frameSize);
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

  /**
   * @param {Face[]} faces
   * @param {number} now - milliseconds
   */
  showAttributes(faces, now) {
    const {smoother, panel, crop} = this;
    smoother.calm = panel.calm;
    smoother.forget(now);
    for (const face of faces) {
      const {probabilities, ticks} = smoother.update(face.number, face.probabilities, now, panel.rule);
      if (face.number === this.chosen) {
        panel.show(probabilities, ticks, face.doubts);
        this.reliability.follow(face.number, face.conditions, now);
      }
    }
    // A face that is missed in a frame or two takes nothing off the page; the reason is told when the boxes are emptied.
    if (!faces.length && now - this.seen < SETTLED_MS) panel.fade();
    else if (!faces.length) panel.clear();
    this.timeline.add(now, faces);
    const picture = faces.find(({number}) => number === this.chosen)?.crop;
    if (picture) find(crop, "img", HTMLImageElement).src = picture;
    crop.hidden = !faces.length || (crop.hidden && !picture);
  }

  /** @param {import("./frame_size.js").FrameSize} size - of the pictures that are sent */
  showFrameSize(size) {
    this.live.dataset.sentWidth = String(size.width);
    const reduced = `Slow connection: sending smaller pictures, ${size.width} pixels instead of ${LARGEST_WIDTH}.`;
    showRemark(this.sizeLine, size.reduced ? reduced : "");
  }

  /**
   * Tells the speed on the page, and each frame to whoever listens, such as the benchmark.
   *
   * @param {number} painted - milliseconds
   * @param {number} latency - milliseconds
   * @param {Object<string, number>} stages - milliseconds of each
   * @param {number} faces - how many there are
   */
  note(painted, latency, stages, faces) {
    const {dataset} = this.live;
    this.speed.note(painted, latency, stages);
    dataset.latencyMs = latency.toFixed(1);
    dataset.faces = String(faces);
    dataset.frame = String(Number(dataset.frame) + 1);
    const detail = {frame: Number(dataset.frame), latency, faces, stages};
    this.live.dispatchEvent(new CustomEvent("live-frame", {bubbles: true, detail}));
  }

  /**
   * @param {string} text
   * @param {string} kind - "plain", "waiting" or "problem"
   * @param {number} now - milliseconds
   */
  saySettled(text, kind, now) {
    if (this.settling.text !== text) this.settling = {text, since: now};
    if (now - this.settling.since >= SETTLED_MS) this.say(text, kind);
  }

  /** @param {number} number - of a face */
  chooseIfThere(number) {
    if (this.overlay.answer.faces.some((face) => face.number === number)) this.choose(number);
  }

  /**
   * Shows the attributes of another face from now on.
   *
   * @param {number} number - of a face on the page
   */
  choose(number) {
    if (number === this.chosen) return;
    this.chosen = number;
    this.seen = performance.now();
    this.cropAsked = 0;
    this.crop.hidden = true; // it is another face's, until the next one comes
    const {faces} = this.overlay.answer;
    this.showChoice(faces);
    this.overlay.paint(number);
    const face = faces.find((other) => other.number === number);
    if (this.frames.watched) return; // the next frame shows it
    this.panel.show(face.probabilities, null, face.doubts);
    this.reliability.show(face.conditions);
  }

  /**
   * The chosen face stays it while it is there; of new ones the largest is taken, who sits before the camera.
   *
   * @param {Face[]} faces
   * @param {number} now - milliseconds
   */
  keepChoice(faces, now) {
    const there = faces.some(({number}) => number === this.chosen);
    if (there || !faces.length) {
      if (there) this.seen = now;
    } else if (this.chosen === null || now - this.seen > OUT_OF_SIGHT_MS) {
      const area = (/** @type {Face} */ {box}) => box[2] * box[3];
      this.chosen = faces.reduce((largest, face) => (area(face) > area(largest) ? face : largest)).number;
      this.seen = now;
    }
  }
}

/**
 * What to say about the faces of a frame, and of which kind it is.
 *
 * @param {Face[]} faces
 * @param {number | null} chosen
 * @returns {[string, string]}
 */
function describe(faces, chosen) {
  if (!faces.length) return ["No face in sight: come closer.", "waiting"];
  const face = faces.find(({number}) => number === chosen);
  if (!face) return [`Face ${chosen} is out of sight.`, "waiting"];
  if (face.doubts.length) return [ADVICE[face.doubts[0]], "waiting"];
  return [faces.length === 1 ? "One face." : `${faces.length} faces. Choose one by its box or its button.`, "plain"];
}
