// The way of a frame: it is taken from the camera, sent, and its answer painted; or it is tried again, with a word why.

import {drawScaled, encodeFrame} from "../shared/camera.js";
import {t} from "../shared/language.js";
import {askServer, NO_ANSWER} from "../shared/server.js";
import {pause} from "../shared/status.js";
import {FrameSize} from "./frame_size.js";

const VIEW_WIDTH = 960; // pixels of the longer side shown
const ANSWER_MS = 8000;
const RETRY_MS = [300, 600, 1200, 2000];
const RELOAD_FAILURES = 4; // after as many in a row, trying again does not help where the server answers something else

/**
 * The functions of demo/server/live.py.
 *
 * @typedef {{analyse_frame: (message: object) => Promise<any>}} Server
 */

export class Frames {
  /**
   * @param {import("./view.js").View} view
   * @param {Server} server
   * @param {AbortSignal} signal - aborted when no more frames are wanted
   */
  constructor(view, server, signal) {
    this.view = view;
    this.video = view.video;
    this.server = server;
    this.signal = signal;
    this.visitor = Math.random().toString(36).slice(2); // lets the server tell the frames of this page from others'
    this.frameSize = new FrameSize();
    /** @type {MediaStreamTrack | null} */
    this.track = null; // of the camera, null while it is not there
    this.frozen = false;
    this.awaits = ""; // "camera", "server", or neither
    /** @type {number | null} */
    this.newest = null; // capture time of the frame that the video shows, null once it was sent
    this.wake = () => {};
    this.taken = document.createElement("canvas"); // the frame in flight, as it will be shown
    this.spare = document.createElement("canvas"); // the one before, on the page
    this.sent = document.createElement("canvas");
    signal.addEventListener("abort", () => this.leave());
  }

  /**
   * Takes the frames of another camera from now on.
   *
   * @param {MediaStreamTrack} track
   */
  take(track) {
    this.track = track;
    this.newest = null;
  }

  /** Whether there is a moving picture, and somebody to see it. */
  get watched() {
    return Boolean(this.track && !this.track.muted && !this.frozen && !document.hidden);
  }

  async run() {
    this.video.requestVideoFrameCallback((now, metadata) => this.noteFrame(now, metadata));
    let failures = 0;
    for (;;) {
      this.awaits = "camera";
      const captured = await this.next();
      if (this.signal.aborted) return;
      this.awaits = "server";
      const {answer, stages} = await this.send(captured);
      this.awaits = "";
      if (this.signal.aborted) return;
      if (answer.faces) {
        failures = 0;
        [this.taken, this.spare] = [this.spare, this.taken];
        this.view.show(this.spare, answer, captured, stages);
      } else if (answer.busy) {
        const wait = {seconds: Math.ceil(answer.seconds)};
        this.view.say(t("Many visitors at once: your turn comes in about {seconds} s.", wait), "waiting");
        await pause(1000 * answer.seconds);
      } else {
        failures += 1;
        this.explain(answer, failures);
        await pause(RETRY_MS[Math.min(failures, RETRY_MS.length) - 1]);
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

  /** The capture time of a frame that was not sent yet: the present one, or else the next that is wanted. */
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
   * Sends the frame that the video shows: the server's answer, and the milliseconds of each stage on the way.
   *
   * @param {number} captured - its time on the page's clock, in milliseconds
   */
  async send(captured) {
    const {video, taken, sent, frameSize, visitor} = this;
    drawScaled(video, taken, video.videoWidth, video.videoHeight, VIEW_WIDTH);
    const drawn = performance.now();
    drawScaled(taken, sent, taken.width, taken.height, frameSize.width);
    const frame = encodeFrame(sent, frameSize.quality);
    const encoded = performance.now();
    const {view} = this;
    const message = {visitor, frame, crop: view.wantedCrop(encoded), why: view.why.wanted(view.chosen)};
    const answer = await askServer(ANSWER_MS, () => this.server.analyse_frame(message));
    const away = performance.now() - encoded;
    if (answer.faces || away >= ANSWER_MS) frameSize.note(away);
    /** @type {Object<string, number>} */
    const atServer = answer.ms ?? {};
    const network = Math.max(0, away - Object.values(atServer).reduce((sum, part) => sum + part, 0));
    return {answer, stages: {capture: drawn - captured, encode: encoded - drawn, network, ...atServer}};
  }

  /**
   * Says why there is no result, and offers to reload the page where trying again does not help.
   *
   * @param {{error?: string, failure?: import("../shared/server.js").Failure}} answer - of the server, or why there is none
   * @param {number} failures - in a row
   */
  explain({error, failure = NO_ANSWER}, failures) {
    if (error) {
      this.view.wait(error);
      return;
    }
    const reload = failure.helps === "reload" && failures >= RELOAD_FAILURES;
    const next = reload ? t("Reload the page to go on.") : failure.helps === "nothing" ? "" : t("Trying again…");
    this.view.wait(`${failure.text} ${next}`.trim());
    this.view.reloadButton.hidden = !reload;
  }

  /** Gives this visitor's place at the server to somebody else. */
  leave() {
    this.wake();
    this.server.analyse_frame({visitor: this.visitor, leave: true}).catch(() => {});
  }
}
