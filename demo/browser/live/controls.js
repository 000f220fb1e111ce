// The buttons over the live picture, and the keys that do the same.

import {find, findAll} from "../shared/elements.js";

/** @type {Object<string, string>} */
const KEYS = {
  s: "start",
  p: "freeze",
  m: "mirror",
  c: "nextCamera",
  f: "fullScreen",
  "?": "help",
};
const TYPED_IN = "input:not([type=checkbox], [type=radio], [type=range]), textarea, select, [contenteditable]";

export class Controls {
  /**
   * @param {HTMLElement} root - the panel
   * @param {{start: () => void, freeze: () => void, mirror: () => void,
   *   camera: (camera: {deviceId: string, label: string}) => void, face: (number: number) => void}} actions
   */
  constructor(root, actions) {
    this.root = root;
    /** @type {Object<string, Function>} */
    this.actions = {
      ...actions,
      nextCamera: () => this.nextCamera(),
      fullScreen: () => this.toggleFullScreen(),
      help: () => this.toggleHelp(),
    };
    this.picker = find(root, ".picker select", HTMLSelectElement);
    this.pickerLabel = find(root, ".picker", HTMLElement);
    this.help = find(root, ".keys", HTMLElement);
    /** @type {MediaDeviceInfo[]} */
    this.cameras = [];
    this.buttons = byAction(root);
    for (const [name, button] of Object.entries(this.buttons)) {
      button.addEventListener("click", () => this.actions[name]());
    }
    this.picker.addEventListener("change", () => this.chooseCamera(this.picker.selectedIndex));
    this.buttons.fullScreen.hidden = !document.fullscreenEnabled;
    document.addEventListener("fullscreenchange", () => this.press("fullScreen", document.fullscreenElement === root));
    document.addEventListener("keydown", (event) => this.obey(event));
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
   * @param {string | null} current - deviceId of the one that is open, null while none is
   */
  showCameras(cameras, current) {
    this.cameras = cameras;
    this.pickerLabel.hidden = cameras.length < (current === null ? 1 : 2);
    this.picker.replaceChildren(
      ...cameras.map(({label, deviceId}, position) => new Option(label || `Camera ${position + 1}`, deviceId)),
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
    try {
      await (document.fullscreenElement ? document.exitFullscreen() : this.root.requestFullscreen());
    } catch {
      this.buttons.fullScreen.hidden = true; // the page is shown inside another one that does not allow it
    }
  }

  toggleHelp() {
    this.help.hidden = !this.help.hidden;
    this.buttons.help.setAttribute("aria-expanded", String(!this.help.hidden));
  }

  /**
   * Keys count where nothing else would take them: not while somebody types, nor from within another part of the page.
   *
   * @param {KeyboardEvent} event
   */
  obey(event) {
    const {target, key} = event;
    if (!(target instanceof Element)) return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented) return;
    if (target.closest(TYPED_IN) || !(target === document.body || this.root.contains(target))) return;
    if (key === "Escape" && !this.help.hidden) this.toggleHelp();
    else if (/^[1-9]$/.test(key)) this.actions.face(Number(key));
    else this.actions[KEYS[key.toLowerCase()]]?.();
  }
}

/**
 * The name of an action -> its button.
 *
 * @param {HTMLElement} root
 * @returns {Object<string, HTMLButtonElement>}
 */
function byAction(root) {
  const buttons = findAll(root, ".controls [data-do]", HTMLButtonElement);
  return Object.fromEntries(buttons.map((button) => [button.dataset.do, button]));
}
