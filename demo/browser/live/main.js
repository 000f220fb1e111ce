// Live mode: one frame in flight; when its answer is here it is painted with its boxes, and the newest frame is sent.

import {find} from "../shared/elements.js";
import {Session} from "./session.js";
import {View} from "./view.js";

const OFF = "The camera is off.";

/**
 * @param {HTMLElement} element - holds the panel
 * @param {Facts} facts
 * @param {import("./frames.js").Server} server
 */
export function start(element, facts, server) {
  const live = find(element, "#live", HTMLElement);
  /** @type {Session | null} */
  let session = null; // of the last press of Start
  const running = () => (session?.signal.aborted ? null : session);
  const open = () => {
    if (running()) return;
    session = new Session(view, server);
    session.start();
  };
  const view = new View(live, facts, {
    start: () => (running() ? running().stop(OFF) : open()),
    freeze: () => running()?.freeze(),
    camera: (camera) => chooseCamera(view, running(), camera),
  });

  view.startButton.addEventListener("click", open);
  view.stopButton.addEventListener("click", () => running()?.stop(OFF));
  view.reloadButton.addEventListener("click", () => location.reload());
  document.addEventListener("visibilitychange", () => running()?.waitWhileHidden());
  window.addEventListener("pagehide", () => running()?.stop(OFF));
  navigator.mediaDevices?.addEventListener("devicechange", () => running()?.offerCameras());
}

/**
 * @param {View} view
 * @param {Session | null} session
 * @param {import("../shared/settings.js").Camera} camera
 */
function chooseCamera(view, session, camera) {
  view.settings.change({camera});
  if (session) session.changeCamera();
  else view.say(`The next start takes another camera: ${camera.label}.`);
}
