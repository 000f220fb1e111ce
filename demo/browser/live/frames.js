// A frame's way: it is taken from the camera, read by an engine, and its answer painted. If that fails, the page says
// why and tries again.

import {drawScaled} from "../shared/camera.js";
import {joined, t} from "../shared/language.js";
import {NO_ANSWER} from "../shared/server.js";
import {pause} from "../shared/status.js";

const VIEW_WIDTH = 960; // pixels of the longer side shown
const RETRY_MS = [300, 600, 1200, 2000];
const RELOAD_FAILURES = 4; // in a row: if the server answers something else by then, trying again does not help

/** @typedef {import("../engines/server.js").Engine} Engine */

export class Frames {
  /**
   * @param {import("./view.js").View} view
   * @param {Engine | null} engine - null while none is ready
   * @param {AbortSignal} signal - aborted when no more frames are wanted
   */
  constructor(view, engine, signal) {
    this.view = view;
    this.video = view.video;
    this.engine = engine;
    this.signal = signal;
    /** @type {MediaStreamTrack | null} */
    this.track = null; // of the camera; null while there is none
    this.frozen = false;
    this.awaits = ""; // "camera", "engine", or neither
    /** @type {import("../shared/language.js").Words} */
    this.turn = ""; // what to say while the server has asked to be left alone
    /** @type {number | null} */
    this.newest = null; // capture time of the frame that the video shows; null once it has been taken
    this.wake = () => {};
    this.goOn = () => {}; // ends a pause before another try
    this.taken = document.createElement("canvas"); // the frame being read, as it will be shown
    this.spare = document.createElement("canvas"); // the previous one, on the page
    signal.addEventListener("abort", () => this.leave());
  }

  /**
   * Switches to another engine.
   *
   * @param {Engine | null} engine - null: none is ready, so frames wait
   */
  use(engine) {
    this.engine?.breakOff();
    this.engine = engine;
    this.turn = "";
    this.wake();
    this.goOn();
  }

  leave() {
    this.engine?.close();
    this.wake();
    this.goOn();
  }

  /** @param {number} milliseconds - to wait before another try, unless another engine comes or the session ends */
  async pause(milliseconds) {
    const goingOn = new Promise((resolve) => {
      this.goOn = () => resolve(undefined);
    });
    await Promise.race([pause(milliseconds), goingOn]);
  }

  /**
   * Switches to another camera.
   *
   * @param {MediaStreamTrack} track
   */
  take(track) {
    this.track = track;
    this.newest = null;
  }

  /** Whether there is a moving picture, somebody watching, and an engine to read it. */
  get watched() {
    return Boolean(this.engine && this.track && !this.track.muted && !this.frozen && !document.hidden);
  }

  async run() {
    this.video.requestVideoFrameCallback((now, metadata) => this.noteFrame(now, metadata));
    let failures = 0;
    for (;;) {
      this.awaits = "camera";
      const captured = await this.next();
      if (this.signal.aborted) return;
      this.awaits = "engine";
      const {engine} = this;
      const {answer, stages} = await this.read(captured);
      this.awaits = "";
      if (this.signal.aborted) return;
      if (engine !== this.engine) continue; // the new engine numbers faces differently
      if (!answer.faces && !this.watched) continue; // the page already says what it is waiting for
      if (answer.faces) {
        failures = 0;
        [this.taken, this.spare] = [this.spare, this.taken];
        this.view.show(this.spare, answer, captured, stages);
      } else if (answer.busy) {
        const seconds = Math.ceil(answer.seconds);
        const crowded = t("Many visitors at once: your turn comes in about {seconds} s.", {seconds});
        this.turn = answer.own ? t("The server is still reading the last frame.") : crowded;
        this.view.say(this.turn, "waiting");
        await this.pause(1000 * answer.seconds);
        this.turn = "";
      } else {
        failures += 1;
        this.explain(answer, failures);
        await this.pause(RETRY_MS[Math.min(failures, RETRY_MS.length) - 1]);
      }
    }
  }

  /**
   * @param {number} now - milliseconds
   * @param {VideoFrameCallbackMetadata} metadata
   */
  noteFrame(now, metadata) {
    if (this.signal.aborted) return;
    this.newest = metadata.captureTime ?? now;
    this.wake();
    this.video.requestVideoFrameCallback((later, details) => this.noteFrame(later, details));
  }

  /** The capture time of a frame that has not been read yet: the current one, or the next one wanted. */
  async next() {
    while (!this.signal.aborted && (this.newest === null || !this.watched)) {
      await new Promise((resolve) => {
        this.wake = () => resolve(undefined);
      });
    }
    const captured = this.newest;
    this.newest = null;
    return captured;
  }

  /**
   * Has the video's current frame read. Returns the engine's answer, and how many milliseconds each stage took.
   *
   * @param {number} captured - its time on the page's clock, in milliseconds
   */
  async read(captured) {
    const {video, taken, engine, view} = this;
    drawScaled(video, taken, video.videoWidth, video.videoHeight, VIEW_WIDTH);
    const drawn = performance.now();
    const answer = await engine.analyse(taken, {
      crop: view.picture.wantedCrop(drawn, view.chosen),
      why: view.why.wanted(view.chosen, drawn),
    });
    return {answer, stages: {capture: drawn - captured, ...answer.ms}};
  }

  /**
   * Says why there is no result, and offers to reload the page if trying again does not help.
   *
   * @param {{error?: import("../shared/language.js").Words, failure?: import("../shared/server.js").Failure}} answer - the engine's, or why there is none
   * @param {number} failures - in a row
   */
  explain({error, failure = NO_ANSWER}, failures) {
    if (error) {
      this.view.wait(error);
      this.view.reloadButton.hidden = true;
      return;
    }
    const reload = failure.helps === "reload" && failures >= RELOAD_FAILURES;
    const next = reload ? t("Reload the page to go on.") : failure.helps === "nothing" ? "" : t("Trying again…");
    this.view.wait(joined([failure.text, next]));
    this.view.reloadButton.hidden = !reload;
  }
}
