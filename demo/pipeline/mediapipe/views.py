"""Cuts parts out of a frame at the size and the way up that a model needs, and brings its points back to the frame."""

from typing import Any

import cv2
import numpy as np

from demo.pipeline.face import Box
from demo.pipeline.mediapipe.windows import Window

# How much larger than the face the square around it is.
_CONTEXT = 2.5


def shrink(image: np.ndarray, longest: int) -> np.ndarray:
    """Shrink an image by area averaging until its longer side has at most `longest` pixels.

    Args:
        image: (height, width, 3), uint8.
        longest: in pixels.

    Returns:
        The shrunk image, or the image itself if it is small enough already.
    """
    height, width = image.shape[:2]
    scale = longest / max(width, height)
    if scale >= 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def ratio(image: np.ndarray, shrunk: np.ndarray) -> np.ndarray:
    """Pixels of an image per pixel of its shrunk copy.

    Args:
        image: (height, width, 3).
        shrunk: (height, width, 3), the same image after `shrink`.

    Returns:
        (2,) float64, across and down.
    """
    return np.array([image.shape[1] / shrunk.shape[1], image.shape[0] / shrunk.shape[0]])


def cut(image: np.ndarray, window: Window) -> np.ndarray:
    """Cut a window out of an image, black wherever it reaches outside.

    Args:
        image: (height, width, 3), uint8.
        window: left, top, width, height in pixels of the image.

    Returns:
        (height, width, 3) uint8, of the window's size; a view of the image if the window lies inside it.
    """
    left, top, width, height = window
    inside = image[max(0, top) : top + height, max(0, left) : left + width]
    if inside.shape[:2] == (height, width):
        return inside
    padded = np.zeros((height, width, 3), np.uint8)
    y, x = max(0, -top), max(0, -left)
    padded[y : y + inside.shape[0], x : x + inside.shape[1]] = inside
    return padded


def around(box: Box) -> Window:
    """The square window around a face, 2.5 times the longer side of its box.

    Args:
        box: x, y, width, height in pixels.

    Returns:
        Left, top, width, height in whole pixels; may reach outside the image.
    """
    x, y, width, height = box
    side = max(1, round(_CONTEXT * max(width, height)))
    return round(x + width / 2 - side / 2), round(y + height / 2 - side / 2), side, side


def as_shares(points: list[Any]) -> np.ndarray:
    """MediaPipe's normalised points as an array.

    Args:
        points: MediaPipe's keypoints or landmarks, with x and y as shares of the image's width and height.

    Returns:
        (points, 2) float64, x and y.
    """
    return np.array([(point.x, point.y) for point in points])


def turn_back(shares: np.ndarray, quarters: int) -> np.ndarray:
    """Map points of a turned image back to the unturned one.

    Args:
        shares: (points, 2) shares of width and height of ``np.rot90(image, quarters)``.
        quarters: 0 to 3.

    Returns:
        (points, 2) shares of the width and height of the image.
    """
    x, y = shares[:, 0], shares[:, 1]
    return np.stack([(x, y), (1 - y, x), (1 - x, 1 - y), (y, 1 - x)][quarters], axis=1)
