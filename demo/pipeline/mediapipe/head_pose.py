"""How far a head is turned and bowed: yaw and pitch in degrees, as in `demo.pipeline.face.Face`."""

from typing import Any

import numpy as np

# MediaPipe's face mesh.
_LEFT_EYE_CORNER, _RIGHT_EYE_CORNER = 33, 263  # outer corners, left and right in the picture
_FOREHEAD, _CHIN = 10, 152
# The median pitch of the line from forehead to chin on 1,500 validation pictures of CelebA, in degrees.
_FRONTAL_PITCH = 10.0
# Fitted on the same pictures: yaw from the nose is within 2 degrees of yaw from landmarks for half of them, and within
# 5 for nine in ten.
_YAW_PER_NOSE_OFFSET = 1.42


def head_angles(landmarks: list[Any]) -> tuple[float, float]:
    """Yaw and pitch from landmarks.

    Args:
        landmarks: MediaPipe's face mesh in a square crop; z points away from the camera, in the unit of x.

    Returns:
        Yaw and pitch in degrees.
    """
    eyes = _line(landmarks[_LEFT_EYE_CORNER], landmarks[_RIGHT_EYE_CORNER])
    face = _line(landmarks[_FOREHEAD], landmarks[_CHIN])
    yaw, pitch = (np.degrees(np.arctan2(line[2], np.hypot(line[0], line[1]))) for line in (eyes, face))
    return float(yaw), float(pitch - _FRONTAL_PITCH)


def yaw_by_nose(points: np.ndarray) -> float:
    """Yaw from key points: from how far the nose lies off the middle of the eyes.

    Args:
        points: (4, 2), both eyes, mouth and nose, as in `demo.pipeline.face.Detection`.

    Returns:
        Yaw in degrees.
    """
    eyes = points[1] - points[0]
    offset = (points[3] - (points[0] + points[1]) / 2) @ eyes / max(1e-6, eyes @ eyes)  # in eye distances
    return float(np.degrees(np.arctan(_YAW_PER_NOSE_OFFSET * offset)))


def _line(start: Any, end: Any) -> np.ndarray:
    return np.array([end.x - start.x, end.y - start.y, end.z - start.z])
