// Live mode: connects the panel with a session and the engines.

import {engineChoice} from "../engines/choice.js";
import {Comparison} from "../engines/compare.js";
import {EngineSwitch} from "../engines/switch.js";
import {find} from "../shared/elements.js";
import {keepFocus} from "../shared/focus.js";
import {whenRefused} from "../shared/given.js";
import {t} from "../shared/language.js";
import {chosenPanel, whenPanelChosen} from "../shared/panels.js";
import {translate} from "../shared/written.js";
import {Session} from "./session.js";
import {View} from "./view.js";

export {ready} from "../shared/language.js";

const OFF = t("The camera is off.");

/**
 * @param {HTMLElement} element - holds the panel
 * @param {Facts} facts
 * @param {import("../engines/server.js").Server | null} server - null on a page that has none
 */
export function start(element, facts, server) {
  const live = find(element, "#live", HTMLElement);
  const engines = engineChoice(facts, server !== null);
  keepFocus();
  translate(element);
  /** @type {Session | null} */
  let session = null; // since Start was last pressed
  const running = () => (session?.signal.aborted ? null : session);
  const open = () => {
    if (running()) return;
    session = new Session(view, engines, server);
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
  new EngineSwitch(live, engines);
  new Comparison(live, engines, server, () => view.picture.frame);
  followChoice(engines, running);
  whenRefused((sentence) => {
    if (chosenPanel() === "live") view.remarks.refuse(sentence);
  });
}

/**
 * Switches the running session to another engine once it is ready.
 *
 * @param {import("../engines/choice.js").EngineChoice} engines
 * @param {() => Session | null} running
 */
function followChoice(engines, running) {
  let known = `${engines.chosen} ${engines.state}`;
  engines.onChange(() => {
    const now = `${engines.chosen} ${engines.state}`;
    if (now !== known) running()?.changeEngine();
    known = now;
  });
}

/**
 * Turns the camera off while Photo is shown, and on again afterwards if it was on before.
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
  else view.say(t("The next start will use another camera: {camera}.", {camera: camera.label}));
}
