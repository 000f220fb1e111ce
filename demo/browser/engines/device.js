// Reads frames on this device, in a worker of this page.

import {LARGEST_WIDTH} from "./frame_size.js";
import {drawScaled} from "../shared/camera.js";
import {t} from "../shared/language.js";
import {newVisitor} from "../shared/server.js";

/**
 * @param {import("./choice.js").DeviceReader} reader - kept for the next session
 * @returns {import("./server.js").Engine}
 */
export function deviceEngine(reader) {
  const visitor = newVisitor();
  const small = document.createElement("canvas");
  return {
    waiting: t("This device is busy…"),
    frameSize: null,
    analyse(frame, {crop, why}) {
      drawScaled(frame, small, frame.width, frame.height, LARGEST_WIDTH);
      return reader.analyse(small, {visitor, crop, why});
    },
    breakOff: () => {},
    close: () => {},
  };
}
