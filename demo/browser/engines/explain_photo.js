// Explains a photo that this device read: reads it again, with the maps of one of its faces.

import {t, VisitorError} from "../shared/language.js";

/**
 * @param {import("../device/engine.js").DeviceEngine} reader
 * @param {Blob} file - the photo
 * @param {number} number - of the face
 * @returns {Promise<import("../shared/why/map.js").Maps>} of all attributes
 * @throws {VisitorError} if there are none
 */
export async function explainPhoto(reader, file, number) {
  const answer = await reader.analyse(file, {thorough: true, why: {face: number}});
  if ("error" in answer) throw new VisitorError(answer.error);
  const face = answer.faces.find((other) => other.number === number);
  if (!face)
    throw new VisitorError(t("The picture has changed since: that face is not in it any more. Choose it again."));
  if (!face.why) throw new VisitorError(t("What reads the faces here cannot tell why."));
  return face.why;
}
