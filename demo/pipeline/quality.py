"""Whether a face is clear enough to trust its attributes, and if not, why.

The thresholds were measured with the shipped weights on CelebA's validation pictures, degraded step by step: each is
set where about two points of mean accuracy were lost, and hardly any untouched picture falls below it.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import cv2
import numpy as np

from demo.pipeline.align import placement
from demo.pipeline.face import Face

QualityWarning = Literal["small", "cut", "turned", "blurred", "dark"]

# The part of the aligned crop between forehead and chin; hair and background may be as smooth and dark as they like.
_FACE = np.s_[70:190, 40:138]
# Pixels between the eyes; a crop has 38. Pictures shrunk to 19 lost 0.9 points, to 15 2.0, and to 11.5 6.4.
_MIN_EYE_DISTANCE = 15.0
# Enlarged from less than this, even a sharp face has little detail, so the advice is to come closer.
_ENLARGED_EYE_DISTANCE = 22.0
# The share of the face outside the frame, where the crop only repeats its border. 120 pictures, cut at one side after
# the other, lost 1.5 points with 20 to 30 % of the face outside, and 2.6 with 30 to 40 %.
_MAX_OUTSIDE = 0.25
_GRID_PIXELS = 8  # of the crop, between the points by which that share is measured
# In degrees. 99 % of 1,500 pictures lay within these limits and lost nothing; the network has seen few faces beyond.
_MAX_YAW = 40.0
_MAX_PITCH, _MIN_PITCH = 18.0, -30.0
# Standard deviation of the Laplacian as a share of the mean brightness, which light changes little. Blurred with a
# sigma of 1, 1.5 and 2 pixels, pictures lost 0.5, 2.4 and 5.9 points, and 30, 85 and 98 % of them fell below this; of
# untouched ones, 1.5 % did.
_MIN_SHARPNESS = 0.065
# Mean brightness, from 0 to 255. The darkest face in a thousand has 48, people of every skin colour included; darkened
# to 60, 50 and 40, with the noise of a camera, pictures lost 2, 3 and 5 points.
_MIN_BRIGHTNESS = 48.0
# Hysteresis: show a warning above 70 % of the last 0.3 s, drop it below 30 %.
_AVERAGED_SECONDS = 0.3
_SHOW_SHARE, _DROP_SHARE = 0.7, 0.3


@dataclass(frozen=True)
class Quality:
    """How clearly a face is seen.

    Attributes:
        size: distance between the eyes, in pixels of the frame, corrected for yaw, which brings them together.
        sharpness: standard deviation of the Laplacian in the aligned face, as a share of its mean brightness.
        brightness: mean of the aligned face, from 0 to 255.
        yaw: as in `Face`, in degrees.
        pitch: as in `Face`, in degrees.
        outside: the share of the face that lies outside the frame, from 0 to 1.
    """

    size: float
    sharpness: float
    brightness: float
    yaw: float
    pitch: float
    outside: float

    @property
    def conditions(self) -> dict[str, float]:
        """The figures that class faces, to measure on which of them the network does worse.

        Returns:
            size and sharpness as above; turn: degrees by which the head is turned to either side.
        """
        return {"size": self.size, "sharpness": self.sharpness, "turn": abs(self.yaw)}

    @property
    def warnings(self) -> tuple[QualityWarning, ...]:
        """Why the attributes of the face should not be trusted; empty for a good face."""
        found: list[QualityWarning] = []
        if self.size < _MIN_EYE_DISTANCE:
            found.append("small")
        if self.outside > _MAX_OUTSIDE:
            found.append("cut")
        if abs(self.yaw) > _MAX_YAW or not _MIN_PITCH < self.pitch < _MAX_PITCH:
            found.append("turned")
        # An enlarged face lacks detail, too, but the problem is its size.
        if "small" not in found and self.sharpness < _MIN_SHARPNESS:
            found.append("blurred" if self.size >= _ENLARGED_EYE_DISTANCE else "small")
        if self.brightness < _MIN_BRIGHTNESS:
            found.append("dark")
        return tuple(found)


def measure_quality(face: Face, crop: np.ndarray, frame_size: tuple[int, int]) -> Quality:
    """Measure how clearly a face is seen.

    Args:
        face: as found in the frame.
        crop: (218, 178, 3) uint8 RGB, the same face aligned.
        frame_size: height and width of the frame, in pixels.

    Returns:
        Its figures; a face that is all black has sharpness 0.
    """
    brightness = cv2.cvtColor(np.ascontiguousarray(crop[_FACE]), cv2.COLOR_RGB2GRAY)
    mean = float(brightness.mean())
    detail = float(cv2.Laplacian(brightness, cv2.CV_32F).std())
    sharpness = detail / mean if mean else 0.0
    return Quality(_eye_distance(face), sharpness, mean, face.yaw, face.pitch, _share_outside(face, *frame_size))


class SteadyWarnings:
    """The warnings about one face over time, smoothed (EMA) and with hysteresis, so that none flickers.

    Not thread-safe.
    """

    def __init__(self) -> None:
        self._seconds = -np.inf
        self._shares = dict.fromkeys(get_args(QualityWarning), 0.0)  # of the last moments
        self._shown: tuple[QualityWarning, ...] = ()

    def update(self, seconds: float, found: tuple[QualityWarning, ...]) -> tuple[QualityWarning, ...]:
        """Add the next frame.

        Args:
            seconds: when it was seen, on any clock that does not go back.
            found: the warnings about this frame alone.

        Returns:
            The warnings to show; the first frame's are shown at once.
        """
        newest = 1 - np.exp((self._seconds - seconds) / _AVERAGED_SECONDS)
        for warning in self._shares:
            self._shares[warning] += newest * ((warning in found) - self._shares[warning])
        needed = {warning: _DROP_SHARE if warning in self._shown else _SHOW_SHARE for warning in self._shares}
        self._shown = tuple(warning for warning, share in self._shares.items() if share > needed[warning])
        self._seconds = seconds
        return self._shown


def _eye_distance(face: Face) -> float:
    """The distance in pixels of the frame, corrected for yaw, which brings the eyes together."""
    distance = float(np.linalg.norm(face.points[1] - face.points[0]))
    return distance / max(0.5, float(np.cos(np.radians(face.yaw))))


def _share_outside(face: Face, height: int, width: int) -> float:
    """The share of the face that lies outside a frame of this size."""
    rows, columns = (np.arange(part.start, part.stop, _GRID_PIXELS) for part in _FACE)
    y, x = np.meshgrid(rows, columns)
    across, down = placement(face) @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
    inside = (across > -0.5) & (across < width - 0.5) & (down > -0.5) & (down < height - 0.5)
    return 1 - float(inside.mean())
