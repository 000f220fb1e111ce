// A snapshot: the camera's picture instead of a file.

import {base64Of} from "../shared/files/base64.js";
import {closeCamera, drawScaled, encodeFrame, openCamera, otherCamera, requireCanvasData} from "../shared/camera.js";
import {find} from "../shared/elements.js";
import {joined, t, wordsOf} from "../shared/language.js";

const WIDTH = 1280; // pixels of the longer side
const QUALITY = 0.92; // of the JPEG

export class Snapshot {
  /**
   * @param {import("./view.js").View} view
   * @param {(request: {picture: string, name: string}) => void} onTake
   */
  constructor(view, onTake) {
    this.view = view;
    this.onTake = onTake;
    this.video = find(view.snapshot, "video", HTMLVideoElement);
    find(view.photo, "#photo-snapshot", HTMLButtonElement).addEventListener("click", () => this.open());
    find(view.photo, "#photo-capture", HTMLButtonElement).addEventListener("click", () => this.take());
    find(view.photo, "#photo-cancel", HTMLButtonElement).addEventListener("click", () => this.cancel());
  }

  async open() {
    const {view, video} = this;
    view.showOnly(view.snapshot);
    view.say(t("Waiting for the camera. Your browser may ask you to allow it."));
    try {
      requireCanvasData(); // within the click, so that the browser may ask the visitor to allow it
      const wanted = view.panel.settings.values.camera;
      const track = await openCamera(video, wanted);
      if (!track) return; // cancelled while the browser asked
      const {mirror = track.getSettings().facingMode !== "environment"} = view.panel.settings.values;
      video.classList.toggle("mirrored", mirror);
      view.say(joined([otherCamera(track, wanted), t("Look into the camera, then capture.")]));
      track.addEventListener("ended", () => {
        if (isPlaying(video, track)) this.fail(t("The camera was disconnected. Connect it and try again."));
      });
    } catch (error) {
      this.fail(wordsOf(error));
    }
  }

  take() {
    const {video} = this;
    if (!video.videoWidth) return;
    const canvas = document.createElement("canvas");
    drawScaled(video, canvas, video.videoWidth, video.videoHeight, WIDTH);
    const picture = base64Of(encodeFrame(canvas, QUALITY));
    this.close();
    this.onTake({picture, name: "snapshot.jpg"});
  }

  cancel() {
    if (this.view.snapshot.hidden) return;
    this.close();
    this.view.sayWhatIsDue();
  }

  /** @param {import("../shared/language.js").Words} text - the reason */
  fail(text) {
    this.close();
    this.view.say(text, "problem");
  }

  /** Closes the camera, and shows what was there before. */
  close() {
    closeCamera(this.video);
    this.view.leaveSnapshot();
  }
}

/**
 * @param {HTMLVideoElement} video
 * @param {MediaStreamTrack} track
 */
function isPlaying(video, track) {
  return video.srcObject instanceof MediaStream && video.srcObject.getTracks().includes(track);
}
