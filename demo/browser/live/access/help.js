// The list of keyboard shortcuts, with settings for them and for what is spoken.

import {find, findAll} from "../../shared/elements.js";

export class Help {
  /**
   * @param {HTMLElement} root - the panel
   * @param {import("../../shared/settings.js").Settings} settings
   */
  constructor(root, settings) {
    this.settings = settings;
    this.button = find(root, "[data-do=help]", HTMLButtonElement);
    this.list = find(root, ".keys", HTMLElement);
    this.switches = findAll(this.list, "[role=switch]", HTMLButtonElement);
    this.pace = find(this.list, "select", HTMLSelectElement);
    for (const button of this.switches) {
      button.addEventListener("click", () => {
        settings.change({[button.dataset.setting]: button.getAttribute("aria-checked") !== "true"});
      });
    }
    this.pace.addEventListener("change", () => settings.change({pace: Number(this.pace.value)}));
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this.list.hidden) this.toggle();
    });
    settings.onChange(() => this.apply());
    this.apply();
  }

  toggle() {
    const hadFocus = this.list.contains(document.activeElement);
    this.list.hidden = !this.list.hidden;
    this.button.setAttribute("aria-expanded", String(!this.list.hidden));
    if (hadFocus) this.button.focus({preventScroll: true});
  }

  apply() {
    const {shortcuts, guide, pace} = this.settings.values;
    /** @type {Object<string, boolean>} */
    const on = {shortcuts, guide};
    for (const button of this.switches) button.setAttribute("aria-checked", String(on[button.dataset.setting]));
    this.pace.value = String(pace);
  }
}
