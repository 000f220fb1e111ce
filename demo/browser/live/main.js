// Live mode: one frame in flight; when its answer is here it is painted with its boxes, and the newest frame is sent.

import {EngineChoice} from "../engines/choice.js";
import {EngineSwitch} from "../engines/switch.js";
import {find} from "../shared/elements.js";
import {keepFocus} from "../shared/focus.js";
import {whenRefused} from "../shared/given.js";
import {t, translate} from "../shared/language.js";
import {chosenPanel, whenPanelChosen} from "../shared/panels.js";
import {Session} from "./session.js";
import {View} from "./view.js";

const OFF = t("The camera is off.");

/**
 * @param {HTMLElement} element - holds the panel
 * @param {Facts} facts
 * @param {import("../engines/server.js").Server} server
 */
export function start(element, facts, server) {
  const live = find(element, "#live", HTMLElement);
  const engines = new EngineChoice(server, facts.device && deviceParts(facts.device));
  keepFocus();
  translate(element);
  /** @type {Session | null} */
  let session = null; // of the last press of Start
  const running = () => (session?.signal.aborted ? null : session);
  const open = () => {
    if (running()) return;
    session = new Session(view, engines);
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
  stopWhileUnseen(running, open);
  new EngineSwitch(live, engines, () => view.overlay.picture);
  followChoice(engines, running);
  whenRefused((sentence) => {
    if (chosenPanel() === "live") view.refuse(sentence);
  });
}

/**
 * @param {{base: string}} device - of the facts, below the page's own address
 */
function deviceParts({base}) {
  return {base: new URL(`${window.gradio_config.root}/${base}`, location.href).href};
}

/**
 * Has the running session read by another engine once there is one.
 *
 * @param {EngineChoice} engines
 * @param {() => Session | null} running
 */
function followChoice(engines, running) {
  let known = `${engines.chosen} ${engines.state}`;
  engines.onChange(() => {
    const now = `${engines.chosen} ${engines.state}`;
    if (now !== known) running()?.changeEngine();
    known = now;
  });
  engines.begin();
}

/**
 * While Photo is seen the camera is off; if it was on before, it goes on afterwards.
 *
 * @param {() => Session | null} running
 * @param {() => void} open
 */
function stopWhileUnseen(running, open) {
  let wasOn = false;
  whenPanelChosen((panel) => {
    if (panel === "live") {
      if (wasOn) open();
      return;
    }
    wasOn = running() !== null;
    running()?.stop(OFF);
  });
}

/**
 * @param {View} view
 * @param {Session | null} session
 * @param {import("../shared/settings.js").Camera} camera
 */
function chooseCamera(view, session, camera) {
  view.settings.change({camera});
  if (session) session.changeCamera();
  else view.say(t("The next start takes another camera: {camera}.", {camera: camera.label}));
}
