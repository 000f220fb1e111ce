"""Parts of a frame at the size and the way up that a model needs them, and the way back to the frame."""

from typing import Any

import cv2
import numpy as np

from demo.pipeline.face import Box
from demo.pipeline.windows import Window

# How much larger than the face the square around it is.
_CONTEXT = 2.5


def shrink(image: np.ndarray, longest: int) -> np.ndarray:
    """The image, shrunk by area until its longer side has at most `longest` pixels."""
    height, width = image.shape[:2]
    scale = longest / max(width, height)
    if scale >= 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def ratio(image: np.ndarray, shrunk: np.ndarray) -> np.ndarray:
    """(2,) pixels of the image for one pixel of the shrunk one, across and down."""
    return np.array([image.shape[1] / shrunk.shape[1], image.shape[0] / shrunk.shape[0]])


def cut(image: np.ndarray, window: Window) -> np.ndarray:
    """The window's part of the image, black where the window reaches outside."""
    left, top, width, height = window
    inside = image[max(0, top) : top + height, max(0, left) : left + width]
    if inside.shape[:2] == (height, width):
        return inside
    padded = np.zeros((height, width, 3), np.uint8)
    y, x = max(0, -top), max(0, -left)
    padded[y : y + inside.shape[0], x : x + inside.shape[1]] = inside
    return padded


def around(box: Box) -> Window:
    """The square window around a face, with context."""
    x, y, width, height = box
    side = max(1, round(_CONTEXT * max(width, height)))
    return round(x + width / 2 - side / 2), round(y + height / 2 - side / 2), side, side


def as_shares(points: list[Any]) -> np.ndarray:
    """MediaPipe's points as (points, 2) shares of the image's width and height."""
    return np.array([(point.x, point.y) for point in points])


def turn_back(shares: np.ndarray, quarters: int) -> np.ndarray:
    """Map points of a turned image back to the image itself.

    Args:
        shares: (points, 2) shares of width and height of ``np.rot90(image, quarters)``.
        quarters: 0 to 3.

    Returns:
        (points, 2) shares of the width and height of the image.
    """
    x, y = shares[:, 0], shares[:, 1]
    return np.stack([(x, y), (1 - y, x), (1 - x, 1 - y), (y, 1 - x)][quarters], axis=1)
