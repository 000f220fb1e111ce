"""Track faces: each keeps its number while it moves, crosses another or is hidden for a moment."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import count

import numpy as np
from scipy.optimize import linear_sum_assignment

# A face unseen for longer than REMEMBERED_SECONDS counts as new; its number stays reserved for RESERVED_SECONDS.
REMEMBERED_SECONDS = 2.0
_RESERVED_SECONDS = 5.0
# Time constants: for the decay of a hidden face's velocity (nobody moves on for ever), and for the running means (EMA)
# of velocity and logits.
_COASTING_SECONDS = 0.3
_VELOCITY_SECONDS = 0.1
_APPEARANCE_SECONDS = 0.5
# How far a face may be from where it was expected, in its own widths: at once, and more for each second unseen.
_REACH, _REACH_PER_SECOND = 0.6, 2.0
# Any of these costs 1, half of the largest cost allowed: a distance of the full reach; a size 1.6 times as large; a
# change of the logits by 1.5 (root mean square). On CelebA that change was 0.4 if a crop was moved and turned a little
# (at most 0.8 in 120 trials), 2.0 between two photos of one person, and 3.4 between two people.
_SIZE_CHANGE = 0.5
_APPEARANCE_CHANGE = 1.5
_MAX_COST = 2.0
_MAX_LOGIT = 6.0
# A face seen this recently, where it is expected, may look entirely different: a laugh, a turned head.
_IN_SIGHT_SECONDS = 0.4


@dataclass(frozen=True, eq=False)
class Sighting:
    """A face in one frame.

    Attributes:
        box: x, y, width, height, in the same unit for frames of any size; width and height are not 0.
        probabilities: (attributes,) in [0, 1]; they distinguish two people who cross.
    """

    box: tuple[float, float, float, float]
    probabilities: np.ndarray

    @cached_property
    def centre(self) -> np.ndarray:
        """(2,) x and y of the middle of the box."""
        x, y, width, height = self.box
        return np.array([x + width / 2, y + height / 2])

    @cached_property
    def size(self) -> float:
        """The side of a square with the same area as the box."""
        return float(np.sqrt(self.box[2] * self.box[3]))

    @cached_property
    def logits(self) -> np.ndarray:
        """(attributes,) float64, clipped, since logits far from 0 say little more, and vary most."""
        edge = 1 / (1 + np.exp(_MAX_LOGIT))
        clipped = np.clip(self.probabilities.astype(np.float64), edge, 1 - edge)
        return np.log(clipped / (1 - clipped))


class Tracker:
    """Numbers the faces of one camera, from 1; not thread-safe.

    Assigns faces to tracks at the least total cost (Hungarian method): distance from where the track was expected at
    constant velocity, change of size, and change of the attributes' logits.
    """

    def __init__(self) -> None:
        self._tracks: list[_Track] = []

    def update(self, seconds: float, sightings: list[Sighting]) -> list[int]:
        """Number the faces of the next frame.

        Args:
            seconds: when the frame was seen, on any clock that does not go back.
            sightings: all faces of the frame, in any order.

        Returns:
            A number for each sighting, in the same order; no number occurs twice.
        """
        self._tracks = [track for track in self._tracks if seconds - track.seconds <= _RESERVED_SECONDS]
        known = [track for track in self._tracks if seconds - track.seconds <= REMEMBERED_SECONDS]
        numbers = [0] * len(sightings)
        for row, track in _assigned(seconds, sightings, known):
            track.update(seconds, sightings[row])
            numbers[row] = track.number
        free = self._free_numbers()
        for row, face in enumerate(sightings):
            if not numbers[row]:
                numbers[row] = next(free)
                velocity, logits = np.zeros(2), face.logits.copy()
                self._tracks.append(_Track(numbers[row], seconds, face.centre, velocity, face.size, logits))
        return numbers

    def _free_numbers(self) -> Iterator[int]:
        taken = {track.number for track in self._tracks}
        return (number for number in count(1) if number not in taken)


@dataclass(eq=False)
class _Track:
    """One person.

    Attributes:
        number: shown beside the face.
        seconds: when it was last seen.
        centre: (2,) where it was then.
        velocity: (2,) running mean, per second.
        size: the side of a square with the same area as its box then.
        logits: (attributes,) running mean.
    """

    number: int
    seconds: float
    centre: np.ndarray
    velocity: np.ndarray
    size: float
    logits: np.ndarray

    def cost(self, seconds: float, face: Sighting) -> float:
        """How unlike this track a face is; at `_MAX_COST` or more it is somebody else."""
        unseen = seconds - self.seconds
        coasted = _COASTING_SECONDS * (1 - np.exp(-unseen / _COASTING_SECONDS))
        distance = np.linalg.norm(face.centre - self.centre - self.velocity * coasted) / max(face.size, self.size)
        motion = distance / (_REACH + _REACH_PER_SECOND * unseen)
        growth = abs(np.log(face.size / self.size)) / _SIZE_CHANGE
        appearance = np.sqrt(np.mean((face.logits - self.logits) ** 2)) / _APPEARANCE_CHANGE
        return float(motion + growth + (min(1.0, appearance) if unseen < _IN_SIGHT_SECONDS else appearance))

    def update(self, seconds: float, face: Sighting) -> None:
        """Continue the track with the face assigned to it."""
        unseen = seconds - self.seconds
        if unseen > 0:
            weight = _newest_weight(unseen, _VELOCITY_SECONDS)
            self.velocity += weight * ((face.centre - self.centre) / unseen - self.velocity)
        self.logits += _newest_weight(unseen, _APPEARANCE_SECONDS) * (face.logits - self.logits)
        self.seconds, self.centre, self.size = seconds, face.centre, face.size


def _assigned(seconds: float, seen: list[Sighting], known: list[_Track]) -> list[tuple[int, _Track]]:
    """Pairs of a face's index and its track, for those alike enough."""
    if not seen or not known:
        return []
    costs = np.array([[track.cost(seconds, face) for track in known] for face in seen])
    # Without the bound, a pair that is no match could cost another pair its match.
    pairs = zip(*linear_sum_assignment(np.minimum(costs, _MAX_COST)), strict=True)
    return [(row, known[column]) for row, column in pairs if costs[row, column] < _MAX_COST]


def _newest_weight(elapsed: float, time_constant: float) -> float:
    """The weight of the newest value in an exponential moving average (EMA) with uneven intervals."""
    return float(1 - np.exp(-elapsed / time_constant))
