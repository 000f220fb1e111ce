// A panel's switch between the server and this device, with the loading progress, and proof that nothing is sent.

import {find, findAll} from "../shared/elements.js";
import {number, t} from "../shared/language.js";
import {write} from "../shared/written.js";

export class EngineSwitch {
  /**
   * @param {HTMLElement} panel - holds engines/switch.html
   * @param {import("./choice.js").EngineChoice} engines
   */
  constructor(panel, engines) {
    this.panel = panel;
    this.engines = engines;
    this.row = find(panel, ".engine", HTMLElement);
    find(this.row, "fieldset", HTMLFieldSetElement).hidden = !engines.hasServer;
    this.choices = findAll(this.row, "input[type=radio]", HTMLInputElement);
    this.loading = find(this.row, ".loading", HTMLElement);
    this.bar = find(this.row, "progress", HTMLProgressElement);
    this.amount = find(this.row, ".amount", HTMLElement);
    this.sent = find(this.row, ".sent", HTMLElement);
    this.problem = find(panel, ".engine-problem", HTMLElement);
    for (const choice of this.choices) choice.addEventListener("change", () => this.keep(choice.value));
    const button = (/** @type {string} */ name) => find(this.problem, `[data-do=${name}]`, HTMLButtonElement);
    button("load-again").addEventListener("click", () => engines.choose("device"));
    button("use-server").hidden = !engines.hasServer;
    button("use-server").addEventListener("click", () => this.keep("server"));
    engines.onChange(() => this.show());
    this.show();
  }

  /** @param {string} name - of an engine */
  keep(name) {
    this.engines.keep(name === "device" ? "device" : "server");
  }

  show() {
    const {panel, engines} = this;
    const {chosen, state, device} = engines;
    panel.dataset.engine = chosen;
    panel.dataset.engineState = state;
    this.row.hidden = !device;
    for (const choice of this.choices) choice.checked = choice.value === chosen;
    this.loading.hidden = state !== "loading";
    if (state === "loading") this.showProgress();
    this.sent.hidden = chosen !== "device";
    this.showSent(engines.sentBytes.count);
    this.problem.hidden = state !== "failed";
    find(this.problem, "[data-do=load-again]", HTMLButtonElement).hidden = !device;
    write(find(this.problem, "span", HTMLElement), engines.problem);
  }

  showProgress() {
    const {loaded, total} = this.engines.progress;
    if (!total) {
      this.bar.removeAttribute("value"); // the total is not known yet
      write(this.amount, t("Loading…"));
      return;
    }
    this.bar.value = loaded / total;
    // Not in megabytes: a web server may send the files compressed, so that fewer travel than arrive here.
    write(this.amount, t("{share} %", {share: number(Math.floor((100 * loaded) / total))}));
  }

  /** @param {number} bytes */
  showSent(bytes) {
    this.sent.dataset.bytes = String(bytes);
    write(this.sent, t("{bytes} bytes sent", {bytes: number(bytes)}));
  }
}
