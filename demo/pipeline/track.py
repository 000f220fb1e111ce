"""Keep the number of each face from frame to frame, while it moves, crosses another one or is hidden for a moment."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import numpy as np
from scipy.optimize import linear_sum_assignment

# A face not seen for longer is taken for a new one, and its number is not given away for some seconds more.
_REMEMBERED_SECONDS = 2.0
_RESERVED_SECONDS = 5.0
# Somebody who gets out of sight does not go on for ever: the velocity last seen fades away with this time constant.
_COASTING_SECONDS = 0.3
_VELOCITY_SECONDS = 0.1
_APPEARANCE_SECONDS = 0.5
# How far a face may be from where it was expected, in its own widths: at once, and more for each second unseen.
_REACH, _REACH_PER_SECOND = 0.6, 2.0
# What makes up half of the largest cost each: as far as it reaches, 1.6 times the size, such a change of the logits.
# On CelebA the root mean square of the change was 0.4 where a crop was moved and turned a little (0.8 at most of 120),
# 2.0 between two photos of one person, 3.4 between two people.
_SIZE_CHANGE = 0.5
_APPEARANCE_CHANGE = 1.5
_LARGEST_LOGIT = 6.0
_LARGEST_COST = 2.0
# Who was in sight so shortly before and is where expected may look as different as can be: a laugh, a turned head.
_IN_SIGHT_SECONDS = 0.4


@dataclass(frozen=True, eq=False)
class Sighting:
    """A face in one frame.

    Attributes:
        box: x, y, width, height in one unit for all frames, whatever their size; width and height are not 0.
        probabilities: (attributes,) in [0, 1]; what tells two people apart who cross.
    """

    box: tuple[float, float, float, float]
    probabilities: np.ndarray


@dataclass(eq=False)
class _Track:
    """One person: where the face was last, its velocity a second, its width, its usual logits."""

    number: int
    seconds: float
    centre: np.ndarray
    velocity: np.ndarray
    size: float
    logits: np.ndarray

    def cost(self, seconds: float, centre: np.ndarray, size: float, logits: np.ndarray) -> float:
        """How unlike this track a face is that is seen now; from `_LARGEST_COST` on it is somebody else."""
        unseen = seconds - self.seconds
        coasted = _COASTING_SECONDS * (1 - np.exp(-unseen / _COASTING_SECONDS))
        distance = np.linalg.norm(centre - self.centre - self.velocity * coasted) / max(size, self.size)
        motion = distance / (_REACH + _REACH_PER_SECOND * unseen)
        growth = abs(np.log(size / self.size)) / _SIZE_CHANGE
        appearance = np.sqrt(np.mean((logits - self.logits) ** 2)) / _APPEARANCE_CHANGE
        return float(motion + growth + (min(1.0, appearance) if unseen < _IN_SIGHT_SECONDS else appearance))

    def follow(self, seconds: float, centre: np.ndarray, size: float, logits: np.ndarray) -> None:
        unseen = seconds - self.seconds
        if unseen > 0:
            self.velocity += _share(unseen, _VELOCITY_SECONDS) * ((centre - self.centre) / unseen - self.velocity)
        self.logits += _share(unseen, _APPEARANCE_SECONDS) * (logits - self.logits)
        self.seconds, self.centre, self.size = seconds, centre, size


class Tracker:
    """Numbers the faces of one camera, from 1; not thread-safe.

    Faces are assigned to the tracks so that the sum of their costs is least (the Hungarian method): distance from
    where the track was expected at constant velocity, change of size, and change of the attributes' logits.
    """

    def __init__(self) -> None:
        self._tracks: list[_Track] = []

    def update(self, seconds: float, sightings: list[Sighting]) -> list[int]:
        """The numbers of the faces of the next frame.

        Args:
            seconds: when the frame was seen, on any clock that does not go back.
            sightings: all faces of the frame, in any order.

        Returns:
            One number for each sighting, in the same order, none twice.
        """
        self._tracks = [track for track in self._tracks if seconds - track.seconds <= _RESERVED_SECONDS]
        seen = [(_centre(sighting), _size(sighting), _logits(sighting)) for sighting in sightings]
        known = [track for track in self._tracks if seconds - track.seconds <= _REMEMBERED_SECONDS]
        numbers = [0] * len(seen)
        for row, track in self._assigned(seconds, seen, known):
            track.follow(seconds, *seen[row])
            numbers[row] = track.number
        free = self._free_numbers()
        for row, (centre, size, logits) in enumerate(seen):
            if not numbers[row]:
                numbers[row] = next(free)
                self._tracks.append(_Track(numbers[row], seconds, centre, np.zeros(2), size, logits))
        return numbers

    @staticmethod
    def _assigned(
        seconds: float, seen: list[tuple[np.ndarray, float, np.ndarray]], known: list[_Track]
    ) -> list[tuple[int, _Track]]:
        """Which face is which track, for those alike enough."""
        if not seen or not known:
            return []
        costs = np.array([[track.cost(seconds, *face) for track in known] for face in seen])
        # Without the bound, a pair that is none could cost another one its match.
        pairs = zip(*linear_sum_assignment(np.minimum(costs, _LARGEST_COST)), strict=True)
        return [(row, known[column]) for row, column in pairs if costs[row, column] < _LARGEST_COST]

    def _free_numbers(self) -> Iterator[int]:
        taken = {track.number for track in self._tracks}
        return (number for number in count(1) if number not in taken)


def _share(elapsed: float, constant: float) -> float:
    """How much of a running mean the newest value makes up."""
    return float(1 - np.exp(-elapsed / constant))


def _centre(sighting: Sighting) -> np.ndarray:
    x, y, width, height = sighting.box
    return np.array([x + width / 2, y + height / 2])


def _size(sighting: Sighting) -> float:
    return float(np.sqrt(sighting.box[2] * sighting.box[3]))


def _logits(sighting: Sighting) -> np.ndarray:
    # Far out a logit says little more, and varies most.
    edge = 1 / (1 + np.exp(_LARGEST_LOGIT))
    clipped = np.clip(sighting.probabilities.astype(np.float64), edge, 1 - edge)
    return np.log(clipped / (1 - clipped))
