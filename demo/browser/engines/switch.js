// The switch between the server and this device, with how far that is loaded, and the proof that nothing is sent.

import {find, findAll} from "../shared/elements.js";
import {language, t} from "../shared/language.js";
import {showRemark} from "../shared/status.js";
import {compare} from "./compare.js";
import {SentBytes} from "./sent_bytes.js";

const MEGABYTE = 1e6;

export class EngineSwitch {
  /**
   * @param {HTMLElement} live - the panel
   * @param {import("./choice.js").EngineChoice} engines
   * @param {() => HTMLCanvasElement | null} lastPicture - that was read
   */
  constructor(live, engines, lastPicture) {
    this.live = live;
    this.engines = engines;
    this.lastPicture = lastPicture;
    this.row = find(live, ".engine", HTMLElement);
    find(this.row, "fieldset", HTMLFieldSetElement).hidden = !engines.server;
    this.choices = findAll(this.row, "input[type=radio]", HTMLInputElement);
    this.loading = find(this.row, ".loading", HTMLElement);
    this.bar = find(this.row, "progress", HTMLProgressElement);
    this.amount = find(this.row, ".amount", HTMLElement);
    this.sent = find(this.row, ".sent", HTMLElement);
    this.compareButton = find(this.row, "[data-do=compare]", HTMLButtonElement);
    this.resultLine = find(live, ".comparison", HTMLElement);
    this.problem = find(live, ".engine-problem", HTMLElement);
    this.sentBytes = new SentBytes((bytes) => this.showSent(bytes));
    for (const choice of this.choices) choice.addEventListener("change", () => this.keep(choice.value));
    const useServer = find(this.problem, "button", HTMLButtonElement);
    useServer.hidden = !engines.server;
    useServer.addEventListener("click", () => this.keep("server"));
    this.compareButton.addEventListener("click", () => this.compare());
    engines.onChange(() => this.show());
    this.show();
  }

  /** @param {string} name - of an engine */
  keep(name) {
    this.engines.keep(name === "device" ? "device" : "server");
  }

  show() {
    const {live, engines} = this;
    const {chosen, state, device} = engines;
    const onDevice = chosen === "device";
    if (onDevice && live.dataset.engine !== chosen) this.sentBytes.restart();
    live.dataset.engine = chosen;
    live.dataset.engineState = state;
    this.row.hidden = !device;
    for (const choice of this.choices) choice.checked = choice.value === chosen;
    this.loading.hidden = state !== "loading";
    if (state === "loading") this.showProgress();
    this.sent.hidden = !onDevice;
    this.compareButton.hidden = !(onDevice && state === "ready" && engines.server);
    if (this.compareButton.hidden) showRemark(this.resultLine, "");
    this.problem.hidden = state !== "failed";
    find(this.problem, "span", HTMLElement).textContent = engines.problem;
  }

  showProgress() {
    const {loaded, total} = this.engines.progress;
    if (!total) {
      this.bar.removeAttribute("value"); // not known yet how much it is
      this.amount.textContent = t("Loading…");
      return;
    }
    this.bar.value = loaded / total;
    const [done, all] = [loaded, total].map((bytes) => Math.round(bytes / MEGABYTE).toLocaleString(language));
    this.amount.textContent = t("{done} of {all} MB", {done, all});
  }

  /** @param {number} bytes */
  showSent(bytes) {
    this.sent.dataset.bytes = String(bytes);
    this.sent.textContent = t("{bytes} bytes sent", {bytes: bytes.toLocaleString(language)});
  }

  async compare() {
    const picture = this.lastPicture();
    if (!picture) {
      showRemark(this.resultLine, t("There is no picture yet."));
      return;
    }
    this.compareButton.disabled = true;
    showRemark(this.resultLine, t("Comparing…"));
    showRemark(this.resultLine, await compare(picture, this.engines.server, this.engines.reader));
    this.compareButton.disabled = false;
  }
}
