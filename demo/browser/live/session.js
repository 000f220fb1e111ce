// One session, from one press of Start: the camera, which may go and come back, and the frames sent from it.

import {closeCamera, listCameras, openCamera, otherCamera, requireCanvasData} from "../shared/camera.js";
import {t, VisitorError, wordsOf} from "../shared/language.js";
import {pause} from "../shared/status.js";
import {Frames} from "./frames.js";
import {ASKING_FOR_CAMERA, NO_PICTURE} from "./sentences.js";

const CAMERA_RETRY_MS = 2000; // how often to look for a lost camera
const CAMERA_GONE = t(
  "The camera was disconnected. Live goes on when it is back, or with another one that you choose.",
);
const LOOKING = t("Looking for a face…");
const LOADING = t("Loading onto this device. Nothing is sent meanwhile.");
const NOT_READY = t("Not read yet: this device is not ready."); // the engine switch says why
const FROZEN = t("Frozen. Nothing is read until you go on.");

export class Session {
  /**
   * @param {import("./view.js").View} view
   * @param {import("../engines/choice.js").EngineChoice} engines
   * @param {import("../engines/server.js").Server | null} server - null on a page that has none
   */
  constructor(view, engines, server) {
    this.view = view;
    this.engines = engines;
    this.server = server;
    this.ending = new AbortController();
    this.frames = new Frames(view, engines.open(server), this.signal);
    /** @type {{deviceId: string, label: string} | null} */
    this.camera = null; // the last one that worked
    this.isGone = false; // whether it was lost, and nobody has chosen another one since
  }

  /** Aborted once the session is over. */
  get signal() {
    return this.ending.signal;
  }

  async start() {
    const {view, signal} = this;
    view.begin(this.frames);
    try {
      if (!view.video.requestVideoFrameCallback) {
        throw new VisitorError(t("This browser is too old for live mode. Update it, or use a photo."));
      }
      // Within the click, so that the browser may ask the visitor to allow it. The device's engine has its own check.
      if (this.engines.chosen === "server") requireCanvasData();
      await this.takeCamera();
    } catch (error) {
      this.stop(wordsOf(error), "problem");
      return;
    }
    if (signal.aborted) return;
    this.sayWhatIsDone();
    this.frames.run().catch((error) => this.fail(error));
  }

  /** @param {Error} error - because of which no more frames are read or painted */
  fail(error) {
    if (error instanceof VisitorError) {
      this.stop(error.words, "problem");
      return;
    }
    this.stop(t("Live mode stopped ({error}). Start it again, or use a photo.", {error: error.message}), "problem");
    reportError(error);
  }

  /**
   * @param {import("../shared/language.js").Words} message - says why
   * @param {"plain" | "problem"} kind
   */
  stop(message, kind = "plain") {
    if (this.signal.aborted) return;
    this.ending.abort();
    closeCamera(this.view.video);
    this.view.end(message, kind);
  }

  /**
   * Opens a camera, unless the session ends or another camera is chosen while the browser asks for permission.
   *
   * Throws what openCamera throws.
   *
   * @param {import("../shared/settings.js").Camera | undefined} wanted
   * @param {boolean} isBack - whether it is the one that was lost, so that no other will do
   */
  async takeCamera(wanted = this.view.settings.values.camera, isBack = false) {
    const {view, frames, signal} = this;
    frames.track = null;
    this.isGone &&= isBack;
    const lost = this.camera;
    const track = await openCamera(view.video, wanted, isBack);
    if (!track) return;
    const {deviceId = "", facingMode} = track.getSettings();
    this.camera = {deviceId, label: track.label};
    this.isGone = false;
    frames.take(track);
    // The browser may have hidden what `wanted` is called while no camera was open.
    view.remarks.showCamera(otherCamera(track, isBack ? lost : wanted));
    const isOpen = () => frames.track === track;
    track.addEventListener("ended", () => isOpen() && this.awaitCamera(), {signal});
    for (const change of ["mute", "unmute"]) {
      track.addEventListener(change, () => isOpen() && !document.hidden && this.sayWhatIsDone(), {signal});
    }
    view.guide.facesAway = facingMode === "environment";
    view.mirror(view.settings.values.mirror ?? facingMode !== "environment");
    this.offerCameras();
  }

  /** Waits for a camera that was unplugged, or taken by the system. */
  async awaitCamera() {
    const {view, frames, signal} = this;
    frames.track = null;
    this.isGone = true;
    view.wait(CAMERA_GONE);
    this.offerCameras();
    while (!signal.aborted && this.isGone) {
      await pause(CAMERA_RETRY_MS);
      const camera = await this.lostCamera();
      if (signal.aborted || !this.isGone || !camera || document.hidden) continue;
      try {
        await this.takeCamera(camera, true);
        this.sayWhatIsDone();
      } catch (error) {
        if (error.cause?.name === "NotAllowedError") this.stop(wordsOf(error), "problem");
      }
    }
  }

  /** The camera that was lost, as far as the browser tells; undefined if it is not back. */
  async lostCamera() {
    const {deviceId, label} = this.camera;
    const cameras = await listCameras();
    const isUnknown = (/** @type {MediaDeviceInfo} */ other) => !deviceId || !other.deviceId; // the browser has to ask again
    return (
      cameras.find((other) => other.deviceId === deviceId) ??
      cameras.find((other) => isUnknown(other) || (label && other.label === label))
    );
  }

  async offerCameras() {
    if (!this.camera) return;
    const cameras = await listCameras();
    this.view.controls.showCameras(cameras, this.frames.track ? this.camera.deviceId : null);
  }

  /** Opens the camera that the visitor has just chosen. */
  async changeCamera() {
    const {frames} = this;
    const waited = !frames.track;
    try {
      await this.takeCamera();
      const isSaidToWait = waited || this.view.state === "waiting"; // as after freezing while it opened
      if (isSaidToWait && frames.track) this.sayWhatIsDone();
    } catch (error) {
      this.stop(wordsOf(error), "problem");
    }
  }

  /** Switches to the engine that the visitor chose, or that has just become ready. */
  changeEngine() {
    const {view, frames, engines, server} = this;
    frames.use(engines.open(server));
    view.askWhy();
    view.reloadButton.hidden = true;
    if (frames.track || view.state !== "starting") this.sayWhatIsDone();
  }

  freeze() {
    const {view, frames} = this;
    if (!(frames.frozen || view.state === "on")) return;
    frames.frozen = !frames.frozen;
    frames.wake();
    view.rest();
    view.controls.press("freeze", frames.frozen);
    if (!view.picture.map) view.askWhy(); // whether it comes depends on whether anything is sent
    this.sayWhatIsDone();
  }

  waitWhileHidden() {
    const {view, frames} = this;
    if (view.state === "starting") return;
    frames.newest = null; // it will be out of date when the tab is shown again
    if (document.hidden) view.wait(t("Live waits while this tab is hidden."));
    else this.sayWhatIsDone();
    frames.wake();
  }

  /** After an interruption, says what is going on until the next frame is painted. */
  sayWhatIsDone() {
    const {view, frames, signal} = this;
    if (signal.aborted) return;
    if (!frames.track) {
      if (this.isGone) view.wait(CAMERA_GONE);
      else view.wait(ASKING_FOR_CAMERA, "waiting");
      return;
    }
    const {state} = this.engines;
    if (state === "loading") view.wait(LOADING, "waiting");
    else if (state === "failed") view.wait(NOT_READY);
    else if (frames.frozen) view.stand(FROZEN);
    else if (frames.track.muted) view.wait(NO_PICTURE);
    else if (frames.turn) view.say(frames.turn, "waiting");
    else view.say(LOOKING);
  }
}
