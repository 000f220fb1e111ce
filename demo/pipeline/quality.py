"""Whether a face shows enough for its attributes to be trusted, and if not, why.

The bounds were measured with the shipped weights on CelebA's validation pictures, spoilt more and more: they stand
where about two points of mean accuracy were lost, and next to none of the pictures as they are falls below them.
"""

from typing import Literal, get_args

import cv2
import numpy as np

from demo.pipeline.detect import Face

Doubt = Literal["small", "turned", "blurred", "dark"]

# Of the aligned crop, what lies between forehead and chin: hair and background may be as smooth and dark as they like.
_FACE = np.s_[70:190, 40:138]
# Pixels between the eyes, which are 38 in a crop: shrunk to 19 pictures lost 0.9 points, to 15 2.0, to 11.5 6.4.
_LEAST_EYE_DISTANCE = 15.0
# Enlarged from less than this, even a sharp face has little detail: what helps is to come closer.
_ENLARGED_EYE_DISTANCE = 22.0
# Degrees. Of 1,500 pictures 99 % lay within them and lost nothing; beyond, the network has hardly seen a face.
_MOST_YAW = 40.0
_MOST_PITCH, _LEAST_PITCH = 18.0, -30.0
# Standard deviation of the Laplacian in mean brightnesses, which light changes little. Blurred with a sigma of 1, 1.5
# and 2 pixels pictures lost 0.5, 2.4 and 5.9 points, and 30, 85 and 98 % of them fell below; as they are, 1.5 %.
_LEAST_SHARPNESS = 0.065
# Mean brightness of 255. The darkest face in a thousand has 48, skin of every colour among them; darkened to 60, 50
# and 40, with the noise of a camera, pictures lost 2, 3 and 5 points.
_LEAST_BRIGHTNESS = 48.0
# A doubt is told once it has held for most of the last moments, and no more once it has not.
_STEADY_SECONDS = 0.3
_TELL, _TAKE_BACK = 0.7, 0.3


def doubts(face: Face, crop: np.ndarray) -> tuple[Doubt, ...]:
    """Why the attributes of a face should not be trusted; empty for a good one.

    Args:
        face: as it was found in the frame.
        crop: (218, 178, 3) uint8 RGB, the same face aligned.
    """
    found: list[Doubt] = []
    brightness = cv2.cvtColor(np.ascontiguousarray(crop[_FACE]), cv2.COLOR_RGB2GRAY)
    mean = float(brightness.mean())
    eyes = _eye_distance(face)
    if eyes < _LEAST_EYE_DISTANCE:
        found.append("small")
    if abs(face.yaw) > _MOST_YAW or not _LEAST_PITCH < face.pitch < _MOST_PITCH:
        found.append("turned")
    # What is enlarged has no detail either, and what is wrong with it is its size.
    if "small" not in found and cv2.Laplacian(brightness, cv2.CV_32F).std() < _LEAST_SHARPNESS * mean:
        found.append("blurred" if eyes >= _ENLARGED_EYE_DISTANCE else "small")
    if mean < _LEAST_BRIGHTNESS:
        found.append("dark")
    return tuple(found)


class SteadyDoubts:
    """The doubts about one face over time: one that comes and goes from frame to frame does not flicker."""

    def __init__(self) -> None:
        self._seconds = -np.inf
        self._shares = dict.fromkeys(get_args(Doubt), 0.0)
        self._told: tuple[Doubt, ...] = ()

    def update(self, seconds: float, found: tuple[Doubt, ...]) -> tuple[Doubt, ...]:
        """What to tell of the doubts that the frame at `seconds` leaves; the first frame's are told as they are."""
        newest = 1 - np.exp((self._seconds - seconds) / _STEADY_SECONDS)
        for doubt in self._shares:
            self._shares[doubt] += newest * ((doubt in found) - self._shares[doubt])
        bounds = {doubt: _TAKE_BACK if doubt in self._told else _TELL for doubt in self._shares}
        self._told = tuple(doubt for doubt, share in self._shares.items() if share > bounds[doubt])
        self._seconds = seconds
        return self._told


def _eye_distance(face: Face) -> float:
    """In pixels of the frame, as if the head were not turned aside, which brings the eyes together."""
    distance = float(np.linalg.norm(face.points[1] - face.points[0]))
    return distance / max(0.5, float(np.cos(np.radians(face.yaw))))
