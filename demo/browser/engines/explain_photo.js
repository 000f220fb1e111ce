// Explains a photo on this device: reads it again, with the maps of one of its faces.

import {sameFace} from "../device/pipeline/face.js";
import {t, VisitorError} from "../shared/language.js";

/** @typedef {import("../device/pipeline/face.js").Box} Box */
/** @typedef {import("../photo/view.js").Answer} Answer */

/**
 * @param {import("../device/engine.js").DeviceEngine} reader
 * @param {Blob} file - the photo
 * @param {Answer} first - to the photo, perhaps from the server, which may have numbered its faces otherwise
 * @param {number} number - of the face in it
 * @returns {Promise<import("../shared/why/map.js").Maps>} of all attributes
 * @throws {VisitorError} if there are none
 */
export async function explainPhoto(reader, file, first, number) {
  const {box} = first.faces.find((face) => face.number === number);
  const read = async (/** @type {number} */ face) => {
    const answer = await reader.analyse(file, {photo: true, why: {face}});
    if ("error" in answer) throw new VisitorError(answer.error);
    const here = /** @type {Box} */ (box.map((side) => (side * answer.width) / first.width));
    return answer.faces.find((other) => sameFace({box: /** @type {Box} */ (other.box)}, {box: here}));
  };
  let face = await read(number);
  if (face && face.number !== number) face = await read(face.number);
  if (!face)
    throw new VisitorError(t("The picture has changed since: that face is not in it any more. Choose it again."));
  if (!face.why) throw new VisitorError(t("No explanation is available here."));
  return face.why;
}
