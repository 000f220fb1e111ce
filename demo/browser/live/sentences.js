// What the status line says about the faces in a frame.

import {t} from "../shared/language.js";

/** @typedef {import("../shared/language.js").Words} Words */
/** @typedef {import("./view.js").Face} Face */

export const ASKING_FOR_CAMERA = t("Waiting for the camera. Your browser may ask you to allow it.");
export const NO_FACE = t("No face in sight: come closer.");
export const NO_PICTURE = t("The camera gives no picture at the moment.");
/** @type {Object<string, Words>} */
const ADVICE = {
  small: t("Too small to be read well: come closer."),
  cut: t("Partly outside the picture: move into it."),
  turned: t("Turned too far: look towards the camera."),
  blurred: t("Blurred: hold still, or clean the lens."),
  dark: t("Too dark: turn towards the light."),
};

/**
 * The message about the faces of a frame, and its kind.
 *
 * @param {Face[]} faces
 * @param {number | null} chosen
 * @param {Words | null} guidance - how to get the face into the picture; empty: it is well placed, null: nobody asked
 * @returns {[Words, string]}
 */
export function describe(faces, chosen, guidance) {
  if (!faces.length) return [NO_FACE, "waiting"];
  const face = faces.find(({number}) => number === chosen);
  if (!face) return [t("Face {number} is out of sight.", {number: chosen}), "waiting"];
  if (guidance) return [guidance, "waiting"];
  if (face.warnings.length) return [ADVICE[face.warnings[0]], "waiting"];
  if (guidance !== null) return [t("You are in the picture."), "plain"];
  return [
    faces.length === 1
      ? t("One face.")
      : t("{count} faces. Choose one by its box or its button.", {count: faces.length}),
    "plain",
  ];
}

/**
 * The beginning of a sentence about a face. Numbers keep rising as faces come and go, so it can't be "2 of 3".
 *
 * @param {number} number
 * @param {number} count - of faces in the picture
 */
export function heading(number, count) {
  return count > 1 ? t("Face {number}", {number}) : t("One face");
}
