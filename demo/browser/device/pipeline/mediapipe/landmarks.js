// MediaPipe's face landmarker, which finds eyes and mouth to the pixel, like demo/pipeline/mediapipe/landmarks.py.

import {faceInside} from "../face.js";
import {headAngles} from "./head_pose.js";
import {around, cut, shrink, turn, turnBack} from "./views.js";

/**
 * @typedef {import("../face.js").Face} Face
 * @typedef {import("../numeric/resize.js").Frame} Frame
 * @typedef {{x: number, y: number, z: number}} Landmark - x and y as shares of the image's width and height
 */

const INPUT_SIDE = 512;
// MediaPipe's face mesh: the irises and the corners of the mouth, left and right in the picture.
const [LEFT_IRIS, RIGHT_IRIS] = [468, 473];
const [LEFT_CORNER, RIGHT_CORNER] = [61, 291];

export class Landmarker {
  /** @param {(image: Frame) => Landmark[][]} find - MediaPipe's FaceLandmarker: the landmarks of each face */
  constructor(find) {
    this.find = find;
  }

  /**
   * Looks for a face around a box.
   *
   * @param {Frame} frame
   * @param {import("../face.js").Box} box
   * @param {import("../face.js").Points} points - where eyes and mouth are expected
   * @param {number} maxShift - how far from there they may be, as a share of the box's longer side; a face farther off
   *   is a neighbour
   * @param {number} quarters - quarter turns to the left that put the face upright
   * @returns {Face | null}
   */
  faceNear(frame, box, points, maxShift, quarters = 0) {
    const window = around(box);
    const [expectedX, expectedY] = middle(points);
    for (const landmarks of this.find(turn(shrink(cut(frame, window), INPUT_SIDE), quarters))) {
      const mesh = landmarks.map((landmark) => {
        const [x, y] = turnBack(landmark, quarters);
        return [x * window[2] + window[0] - 0.5, y * window[3] + window[1] - 0.5];
      });
      const mouth = [0, 1].map((axis) => (mesh[LEFT_CORNER][axis] + mesh[RIGHT_CORNER][axis]) / 2);
      const found = Float64Array.of(...mesh[LEFT_IRIS], ...mesh[RIGHT_IRIS], ...mouth);
      const [x, y] = middle(found);
      if (Math.hypot(x - expectedX, y - expectedY) < maxShift * Math.max(box[2], box[3])) {
        return faceInside(frame, {box: extent(mesh), points: found, kind: "landmarks", ...headAngles(landmarks)});
      }
    }
    return null;
  }
}

/** @param {import("../face.js").Points} points - of a face */
function middle([leftX, leftY, rightX, rightY, mouthX, mouthY]) {
  return [(leftX + rightX + mouthX) / 3, (leftY + rightY + mouthY) / 3];
}

/**
 * The box around points in pixel-centre coordinates.
 *
 * @param {number[][]} mesh
 * @returns {import("../face.js").Box}
 */
function extent(mesh) {
  const [[left, right], [top, bottom]] = [0, 1].map((axis) => {
    const values = mesh.map((point) => point[axis] + 0.5);
    return [Math.min(...values), Math.max(...values)];
  });
  return [left, top, right - left, bottom - top];
}
