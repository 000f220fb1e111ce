// How far a head is turned and bowed, in degrees, like demo/pipeline/mediapipe/head_pose.py.

// MediaPipe's face mesh.
const [LEFT_EYE_CORNER, RIGHT_EYE_CORNER] = [33, 263]; // outer corners, left and right in the picture
const [FOREHEAD, CHIN] = [10, 152];
const FRONTAL_PITCH = 10; // degrees, of the line from forehead to chin, in CelebA's median picture
const YAW_PER_NOSE_OFFSET = 1.42; // fitted on the same pictures
const DEGREES = 180 / Math.PI;

/**
 * Yaw and pitch from landmarks of a square crop.
 *
 * @param {{x: number, y: number, z: number}[]} landmarks - z points away from the camera, in the unit of x
 */
export function headAngles(landmarks) {
  const angle = (/** @type {number} */ start, /** @type {number} */ end) => {
    const [a, b] = [landmarks[start], landmarks[end]];
    return DEGREES * Math.atan2(b.z - a.z, Math.hypot(b.x - a.x, b.y - a.y));
  };
  return {yaw: angle(LEFT_EYE_CORNER, RIGHT_EYE_CORNER), pitch: angle(FOREHEAD, CHIN) - FRONTAL_PITCH};
}

/**
 * Yaw from key points: from how far the nose lies off the middle of the eyes.
 *
 * @param {import("../face.js").Points} points - both eyes, mouth and nose
 */
export function yawByNose(points) {
  const [leftX, leftY, rightX, rightY, , , noseX, noseY] = points;
  const [acrossX, acrossY] = [rightX - leftX, rightY - leftY];
  const [offX, offY] = [noseX - (leftX + rightX) / 2, noseY - (leftY + rightY) / 2];
  const eyeDistances = (offX * acrossX + offY * acrossY) / Math.max(1e-6, acrossX ** 2 + acrossY ** 2);
  return DEGREES * Math.atan(YAW_PER_NOSE_OFFSET * eyeDistances);
}
