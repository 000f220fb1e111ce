// The camera, for live mode and snapshots: opens it, closes it, and is the only place that encodes frames.

import {canReadBack} from "./picture/canvas_data.js";
import {joined, t, VisitorError} from "./language.js";

/** @typedef {import("./language.js").Words} Words */
/** @typedef {import("./settings.js").Camera} Camera */

/** @type {Object<string, Words>} */
const CAMERA_MESSAGES = {
  NotFoundError: t("No camera was found. Connect one, or use a photo instead."),
  NotReadableError: t(
    "The camera is in use by another program, or does not answer. Close the other program, then start again.",
  ),
  OverconstrainedError: t("This camera cannot give a usable picture. Try another camera, or use a photo instead."),
  AbortError: t("The camera did not start: another program may be using it. Close that one, then start again."),
};
const FRONT = {facingMode: "user"};
// Browsers' errors for a camera that is gone or in use; another one will do then.
const NOT_TO_BE_HAD = ["OverconstrainedError", "NotFoundError", "NotReadableError", "AbortError"];

let isCanvasReadable = false; // until then each try asks again, since the visitor may have allowed it meanwhile
const latestOpening = new WeakMap(); // video -> the call of openCamera that owns it; none after closeCamera

/**
 * Opens a camera and plays its picture.
 *
 * Throws a VisitorError whose cause is the browser's own error.
 *
 * @param {HTMLVideoElement} video - plays it
 * @param {Camera | undefined} wanted - if missing or not available, the front camera is opened
 * @param {boolean} only - whether no other camera will do
 * @returns {Promise<MediaStreamTrack | null>} null if another call, or closeCamera, came while this one waited
 */
export async function openCamera(video, wanted, only = false) {
  if (!navigator.mediaDevices?.getUserMedia) throw new VisitorError(withoutCameras());
  closeCamera(video); // phones can't open a second camera beside the first
  const mine = Symbol("opening");
  latestOpening.set(video, mine);
  const overtaken = () => latestOpening.get(video) !== mine;
  try {
    const stream = await (wanted?.deviceId ? askForChosen(wanted, only, overtaken) : askForCamera(FRONT));
    if (overtaken()) {
      stopTracks(stream);
      return null;
    }
    video.srcObject = stream;
    await play(video);
    return overtaken() ? null : stream.getVideoTracks()[0];
  } catch (error) {
    if (overtaken()) return null; // a later call has stopped this one's stream, and owns the video now
    closeCamera(video);
    throw error;
  }
}

/**
 * @param {Camera} wanted
 * @param {boolean} only - whether no other camera will do
 * @param {() => boolean} overtaken - whether another call owns the video by now
 */
async function askForChosen(wanted, only, overtaken) {
  const exactly = (/** @type {Camera} */ {deviceId}) => askForCamera({deviceId: {exact: deviceId}}); // with `ideal`, Chromium picks its first
  try {
    return await exactly(wanted);
  } catch (error) {
    if (only || overtaken() || !NOT_TO_BE_HAD.includes(error.cause.name)) throw error;
  }
  const front = await askForCamera(FRONT);
  // Browsers sometimes change a camera's id. Its name stays the same, but is only known while a camera is open.
  const cameras = await listCameras().catch(() => /** @type {MediaDeviceInfo[]} */ ([]));
  const renamed = cameras.filter(({label}) => label && label === wanted.label);
  if (overtaken() || renamed.length !== 1 || isCamera(front.getVideoTracks()[0], renamed[0])) return front;
  stopTracks(front);
  return exactly(renamed[0]).catch(() => askForCamera(FRONT));
}

/** @param {MediaTrackConstraints} which */
async function askForCamera(which) {
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: {...which, width: {ideal: 640}, height: {ideal: 480}, frameRate: {ideal: 30}},
    });
  } catch (error) {
    throw new VisitorError(whyNoCamera(error), {cause: error});
  }
}

/**
 * Whether an open camera is the wanted one.
 *
 * @param {MediaStreamTrack} track
 * @param {Camera} wanted
 */
function isCamera(track, {deviceId, label}) {
  return track.getSettings().deviceId === deviceId || (Boolean(label) && track.label === label);
}

/**
 * What to tell visitors who see another camera than the one they chose; else "".
 *
 * @param {MediaStreamTrack} track
 * @param {Camera | undefined} wanted
 * @returns {Words}
 */
export function otherCamera(track, wanted) {
  if (!wanted || isCamera(track, wanted)) return "";
  const [chosen, open] = [wanted.label, track.label].map((label) => (label ? ` (${label})` : ""));
  return t("The camera you chose{chosen} is not available: this is another one{open}.", {chosen, open});
}

function withoutCameras() {
  if (window.isSecureContext)
    return t("This browser gives pages no access to the camera. Open this page in another browser, or use a photo.");
  return location.protocol === "https:"
    ? t(
        "Browsers allow the camera only on secure pages: the page around this one is not. Open {address} in a tab of its " +
          "own. Photos still work here.",
        {address: ownAddress()},
      )
    : t(
        "Browsers allow the camera only on secure pages: open this page by https or as localhost. Photos still work here.",
      );
}

/** @param {DOMException} error */
function whyNoCamera(error) {
  if (error.name === "NotAllowedError" || error.name === "SecurityError") return whoRefused(error);
  return CAMERA_MESSAGES[error.name] ?? t("The camera did not start ({error}). Start it again.", {error: error.name});
}

/**
 * Who refused the camera: the visitor, the operating system, the page around this one, or the server. All cause the
 * same error; only Chromium tells them apart.
 *
 * @param {DOMException} error
 */
function whoRefused(error) {
  const framed = window.self !== window.top;
  const forbidden = document.featurePolicy?.allowsFeature("camera") === false;
  if (forbidden && framed) {
    return t(
      "The page around this one keeps the camera from it. Open {address} in a tab of its own, or ask whoever runs " +
        'the page around it to write allow="camera" into its iframe. Photos still work here.',
      {address: ownAddress()},
    );
  }
  if (forbidden) {
    return t(
      "The server sends this page with a header that forbids the camera (Permissions-Policy). Whoever runs it has to " +
        "allow camera=(self). Photos still work here.",
    );
  }
  if (/system/i.test(error.message)) {
    return t(
      "The operating system blocks the camera in this browser. Allow it in the system's privacy settings, then start again.",
    );
  }
  if (/dismissed/i.test(error.message))
    return t("The browser's question was closed without an answer. Start again and allow the camera.");
  const refused = t(
    "The browser refused the camera. Allow it for this page (the camera icon beside the address), then start again.",
  );
  const around = t("If it does not ask, open {address} in a tab of its own.", {address: ownAddress()});
  return framed ? joined([refused, around]) : refused;
}

function ownAddress() {
  return location.origin + location.pathname;
}

/** @param {HTMLVideoElement} video */
async function play(video) {
  try {
    await video.play();
  } catch (error) {
    throw new VisitorError(t("The browser did not play the camera's picture. Start it again."), {cause: error});
  }
}

/** The cameras of this device; their names are only known once the visitor has allowed one. */
export async function listCameras() {
  return (await navigator.mediaDevices.enumerateDevices()).filter((device) => device.kind === "videoinput");
}

/** @param {HTMLVideoElement} video - that plays it */
export function closeCamera(video) {
  latestOpening.delete(video);
  if (video.srcObject instanceof MediaStream) stopTracks(video.srcObject);
  video.srcObject = null;
}

/** @param {MediaStream} stream */
function stopTracks(stream) {
  stream.getTracks().forEach((track) => track.stop());
}

/**
 * Draws a picture onto a canvas, keeping its aspect, and sizes the canvas to fit.
 *
 * @param {CanvasImageSource} source
 * @param {HTMLCanvasElement} canvas
 * @param {number} width - of the source
 * @param {number} height - of the source
 * @param {number} longest - pixels of the canvas's longer side, at most
 */
export function drawScaled(source, canvas, width, height, longest) {
  const scale = Math.min(1, longest / Math.max(width, height));
  const [scaledWidth, scaledHeight] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== scaledWidth) canvas.width = scaledWidth;
  if (canvas.height !== scaledHeight) canvas.height = scaledHeight;
  canvas.getContext("2d", {alpha: false}).drawImage(source, 0, 0, scaledWidth, scaledHeight);
}

/** Throws a VisitorError if this browser keeps the page from reading what it draws. */
export function requireCanvasData() {
  isCanvasReadable ||= canReadBack(document.createElement("canvas").getContext("2d"));
  if (isCanvasReadable) return;
  throw new VisitorError(
    t("This browser keeps the page from reading pictures: allow canvas data for this page, or choose a photo file."),
  );
}

/**
 * A picture as the data: address of a JPEG. Synchronous on purpose: toBlob stalls while a camera is live.
 *
 * Throws what requireCanvasData throws.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {number} quality - 0 to 1
 */
export function encodeFrame(canvas, quality) {
  requireCanvasData();
  return canvas.toDataURL("image/jpeg", quality);
}
