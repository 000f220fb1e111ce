"""What is found in a frame: faces, the detections they come from, and which of them are the same face."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, Protocol, TypeVar

import numpy as np

Box = tuple[float, float, float, float]
PointKind = Literal["landmarks", "keypoints"]

# Two boxes are the same face if they share more than this much of the smaller one.
_SAME_FACE_OVERLAP = 0.45
_MIN_FACE_PIXELS = 12


@dataclass(frozen=True, eq=False)
class Face:
    """One face of a frame.

    Attributes:
        box: x, y, width, height in pixels of the frame, inside the frame.
        points: (3, 2) float32, the eye on the left of an upright picture, the eye on its right, the middle of the
            mouth; pixel-centre coordinates (x, y) of the frame.
        kind: which model found the points, and so which alignment targets apply: the landmarker, or the detector with
            its own key points if the landmarker saw no face (usually a profile).
        yaw: how far the head is turned to the picture's right, in degrees.
        pitch: how far it is bowed, in degrees; 0 for key points, which don't show it. At (0, 0) a face looks into the
            camera like CelebA's median face.
    """

    box: Box
    points: np.ndarray
    kind: PointKind
    yaw: float = 0.0
    pitch: float = 0.0


@dataclass(frozen=True, eq=False)
class Detection:
    """One face as the detector sees it.

    Attributes:
        box: x, y, width, height in pixels of the image searched.
        points: (4, 2) float32, the three points of a `Face` and the tip of the nose, in that image.
        score: the detector's confidence, from 0 to 1.
        quarters: quarter turns to the left by which the image was turned to find the face.
    """

    box: Box
    points: np.ndarray
    score: float
    quarters: int

    def mapped(self, ratio: np.ndarray, offset: tuple[int, int] = (0, 0)) -> "Detection":
        """Map the detection to the larger image that its own was cut or shrunk from.

        Args:
            ratio: (2,) pixels of the larger image per pixel of this one, across and down.
            offset: where this image begins in the larger one, x and y in pixels of the larger one.

        Returns:
            A copy with its box and points in pixels of the larger image.
        """
        corner, size = np.array(self.box[:2]) * ratio + offset, np.array(self.box[2:]) * ratio
        points = ((self.points + 0.5) * ratio + offset - 0.5).astype(np.float32)
        return replace(self, box=(*corner.tolist(), *size.tolist()), points=points)


class Boxed(Protocol):
    """Anything with a box in a frame."""

    @property
    def box(self) -> Box:
        """x, y, width, height in pixels."""


_AnyBoxed = TypeVar("_AnyBoxed", bound=Boxed)


def suppress_overlaps(found: Iterable[_AnyBoxed]) -> list[_AnyBoxed]:
    """Non-maximum suppression (NMS): of the boxes around one face, keep the first.

    Overlap is measured against the smaller box, not as intersection over union, because tiles see one face at several
    sizes and a box inside another is the same face. torchvision's NMS only has intersection over union, and keeps both.

    Args:
        found: faces or detections, best first.

    Returns:
        Those kept, in the same order.
    """
    candidates = list(found)
    left, top, width, height = np.array([one.box for one in candidates], np.float64).reshape(-1, 4).T
    right, bottom, area = left + width, top + height, width * height
    is_free = np.ones(len(candidates), bool)
    for place in range(len(candidates)):  # in a picture packed with faces, comparing them one by one takes minutes
        if is_free[place]:
            rest = slice(place + 1, None)
            across = np.minimum(right[place], right[rest]) - np.maximum(left[place], left[rest])
            down = np.minimum(bottom[place], bottom[rest]) - np.maximum(top[place], top[rest])
            shared = np.maximum(0, across) * np.maximum(0, down)
            is_free[rest] &= ~(shared / np.minimum(area[place], area[rest]) > _SAME_FACE_OVERLAP)
    return [one for one, is_kept in zip(candidates, is_free, strict=True) if is_kept]


def same_face(a: Boxed, b: Boxed) -> bool:
    """Whether two boxes are around the same face.

    Args:
        a: a face or detection.
        b: another one in the same frame.

    Returns:
        True if the boxes overlap by more than 0.45 of the smaller one.
    """
    return overlap(a.box, b.box) > _SAME_FACE_OVERLAP


def overlap(a: Box, b: Box) -> float:
    """The intersection of two boxes as a share of the smaller one, from 0 to 1.

    Args:
        a: x, y, width, height; width and height are not 0.
        b: another box in the same unit.
    """
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return max(0.0, width) * max(0.0, height) / min(a[2] * a[3], b[2] * b[3])


def face_inside(
    frame: np.ndarray, box: Box, points: np.ndarray, kind: PointKind, yaw: float, pitch: float
) -> Face | None:
    """Make a face, with its box clipped to the frame.

    Args:
        frame: (height, width, 3).
        box: x, y, width, height in pixels of the frame; may reach outside.
        points: (3, 2), as in `Face`.
        kind: as in `Face`.
        yaw: in degrees, as in `Face`.
        pitch: in degrees, as in `Face`.

    Returns:
        None if too little of the face lies inside the frame.
    """
    height, width = frame.shape[:2]
    left, top = max(0.0, float(box[0])), max(0.0, float(box[1]))
    right, bottom = min(float(width), float(box[0] + box[2])), min(float(height), float(box[1] + box[3]))
    if min(right - left, bottom - top) < _MIN_FACE_PIXELS or np.ptp(points, axis=0).max() < _MIN_FACE_PIXELS / 4:
        return None
    return Face((left, top, right - left, bottom - top), points.astype(np.float32), kind, yaw, pitch)
