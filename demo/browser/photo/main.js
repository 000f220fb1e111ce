// Photo mode: connects the panel with the photos, the engines and what visitors give.

import {engineChoice} from "../engines/choice.js";
import {EngineSwitch} from "../engines/switch.js";
import {closest, find} from "../shared/elements.js";
import {whenRefused} from "../shared/given.js";
import {chosenPanel, whenPanelChosen} from "../shared/panels.js";
import {translate} from "../shared/written.js";
import {fromFile, takeFiles} from "./files.js";
import {Photos} from "./photos.js";
import {View} from "./view.js";

export {ready} from "../shared/language.js";

/** @typedef {import("../engines/server_photos.js").PhotoServer} PhotoServer */

/**
 * @param {HTMLElement} element - holds the panel
 * @param {Facts} facts
 * @param {PhotoServer | null} server - null on a page that has none
 */
export function start(element, facts, server) {
  const photo = find(element, "#photo", HTMLElement);
  const engines = engineChoice(facts, server !== null);
  translate(element);
  const view = new View(photo, facts);
  new EngineSwitch(photo, engines);
  const photos = new Photos(view, engines, server, facts);
  takeFiles(photo, (files) => photos.give(files.map((file) => fromFile(file, facts.largest_bytes))));
  whenRefused((sentence) => {
    if (chosenPanel() === "photo") view.say(sentence, "problem");
  });
  find(photo, ".examples", HTMLElement).addEventListener("click", (event) => {
    const example = closest(event, "[data-example]")?.dataset.example;
    if (example) photos.give([{name: example, file: false, request: async () => ({example})}]);
  });
  whenPanelChosen((panel) => {
    if (panel === "live") photos.snapshot.cancel();
  });
}
