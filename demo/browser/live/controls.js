// The buttons over the live picture; shortcuts.js has the keys that do the same.

import {find, findAll} from "../shared/elements.js";
import {t} from "../shared/language.js";
import {optionOf} from "../shared/written.js";
import {Help} from "./access/help.js";
import {takeKeys} from "./access/shortcuts.js";

/**
 * What buttons and keys do that this module leaves to others.
 *
 * @typedef {object} Actions
 * @property {() => void} start
 * @property {() => void} freeze
 * @property {(camera: import("../shared/settings.js").Camera) => void} camera
 * @property {() => void} say
 * @property {() => void} mirror
 * @property {() => void} record
 * @property {() => void} save
 * @property {() => void} copy
 * @property {() => void} class
 * @property {(number: number) => void} face
 */

export class Controls {
  /**
   * @param {HTMLElement} root - the panel
   * @param {import("../shared/settings.js").Settings} settings
   * @param {Actions} actions
   */
  constructor(root, settings, actions) {
    this.root = root;
    /** @type {Object<string, Function>} */
    this.actions = {
      ...actions,
      nextCamera: () => this.nextCamera(),
      fullScreen: () => this.toggleFullScreen(),
      help: () => this.help.toggle(),
    };
    this.picker = find(root, ".picker select", HTMLSelectElement);
    this.pickerLabel = find(root, ".picker", HTMLElement);
    this.help = new Help(root, settings);
    /** @type {MediaDeviceInfo[]} */
    this.cameras = [];
    this.buttons = byAction(root);
    for (const [name, button] of Object.entries(this.buttons)) {
      button.addEventListener("click", () => this.actions[name]());
    }
    this.picker.addEventListener("change", () => this.chooseCamera(this.picker.selectedIndex));
    this.buttons.fullScreen.hidden = !document.fullscreenEnabled;
    document.addEventListener("fullscreenchange", () => this.press("fullScreen", document.fullscreenElement === root));
    takeKeys(
      root,
      settings,
      (name) => this.actions[name](),
      (number) => this.actions.face(number),
    );
  }

  /**
   * @param {string} name - of a button's action
   * @param {boolean} on - whether the button looks pressed
   */
  press(name, on) {
    this.buttons[name].setAttribute("aria-pressed", String(on));
  }

  /**
   * @param {MediaDeviceInfo[]} cameras
   * @param {string | null} current - deviceId of the open one, null while none is open
   */
  showCameras(cameras, current) {
    this.cameras = cameras.filter(({deviceId}) => deviceId); // without one, none could be told from another
    this.pickerLabel.hidden = this.cameras.length < (current === null ? 1 : 2);
    this.picker.replaceChildren(
      ...this.cameras.map(({label, deviceId}, position) =>
        optionOf(label || t("Camera {number}", {number: position + 1}), deviceId),
      ),
    );
    this.picker.value = current;
  }

  nextCamera() {
    const {selectedIndex, options} = this.picker;
    if (!options.length || (options.length === 1 && selectedIndex === 0)) return;
    this.picker.selectedIndex = (selectedIndex + 1) % options.length;
    this.chooseCamera(this.picker.selectedIndex);
  }

  /** @param {number} position - in the menu */
  chooseCamera(position) {
    const {deviceId, label} = this.cameras[position];
    this.actions.camera({deviceId, label});
  }

  async toggleFullScreen() {
    if (this.root.querySelector("dialog[open]")) return; // the panel would cover it and take no click
    try {
      await (document.fullscreenElement ? document.exitFullscreen() : this.root.requestFullscreen());
    } catch {
      this.buttons.fullScreen.hidden = true; // the page is embedded in another one that does not allow it
    }
  }
}

/**
 * The name of an action -> its button.
 *
 * @param {HTMLElement} root
 * @returns {Object<string, HTMLButtonElement>}
 */
function byAction(root) {
  const buttons = findAll(root, ":is(.controls, .keys) [data-do]", HTMLButtonElement);
  return Object.fromEntries(buttons.map((button) => [button.dataset.do, button]));
}
