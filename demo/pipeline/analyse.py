"""From a frame to its faces and their attributes: find, align, classify; and one camera's frames in their order."""

import copy
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from demo.paths import WEIGHTS
from demo.pipeline.align import align
from demo.pipeline.detect import Box, Face, FaceFinder
from demo.pipeline.follow import FaceFollower
from demo.pipeline.quality import Doubt, SteadyDoubts, doubts
from demo.pipeline.track import Sighting, Tracker
from slimnet import Predictor
from slimnet.calibration import Reliability

# While no frames come, faces are not out of sight: a pause of any length counts as one that the tracker remembers.
_LONGEST_PAUSE = 1.5


@dataclass(frozen=True, eq=False)
class FaceResult:
    """One face of a frame with its attributes.

    Attributes:
        number: from 1, left to right; in a `Stream` the same from frame to frame.
        box: x, y, width, height in whole pixels of the frame.
        probabilities: (40,) float32 in [0, 1], in the order of `Analysis.attributes`.
        crop: (218, 178, 3) uint8 RGB, the aligned picture that the network saw.
        doubts: why the probabilities should not be trusted, as `demo.pipeline.quality` judges it.
    """

    number: int
    box: tuple[int, int, int, int]
    probabilities: np.ndarray
    crop: np.ndarray
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True)
class Timings:
    """How long the stages of an analysis took, for all its faces together, in milliseconds."""

    detect: float = 0.0
    align: float = 0.0
    infer: float = 0.0


@dataclass(frozen=True, eq=False)
class Analysis:
    """What a frame shows: every face, left to right, and the names of the attributes.

    Attributes:
        attributes: names, one for each probability of a face.
        width, height: of the frame, in pixels.
        faces: empty where the frame shows none.
        timings: where the time went.
    """

    attributes: tuple[str, ...]
    width: int
    height: int
    faces: tuple[FaceResult, ...]
    timings: Timings = Timings()

    def to_dict(self) -> dict[str, Any]:
        """The faces in plain types, as JSON takes them: number, box and probabilities by name."""
        return {
            "faces": [
                {
                    "number": face.number,
                    "box": list(face.box),
                    "probabilities": dict(zip(self.attributes, face.probabilities.tolist(), strict=True)),
                }
                for face in self.faces
            ]
        }


class Pipeline:
    """Analyses frames. Thread-safe; make one and share it.

    Args:
        weights: SlimNet's weights.
        device: "auto" or None, "cpu", "cuda" or "mps".

    Attributes:
        weights: the file they were read from.

    Raises:
        slimnet.checkpoint.CheckpointError: the weights are missing, damaged or foreign.
        demo.pipeline.detect.FaceModelError: a face model is missing or damaged.
    """

    def __init__(self, weights: str | Path = WEIGHTS, device: str | None = None) -> None:
        self.weights = Path(weights)
        self._predictor = Predictor(weights, device)
        self._finder = FaceFinder()

    def with_predictor(self, predictor: Predictor) -> "Pipeline":
        """The same pipeline, which finds faces with the same models, with another network to read them."""
        other = copy.copy(self)
        other._predictor = predictor
        return other

    @property
    def attributes(self) -> tuple[str, ...]:
        """The names of what is predicted for each face."""
        return self._predictor.attributes

    @property
    def parameters(self) -> int:
        """How many the network has."""
        return self._predictor.parameters

    @property
    def reliability(self) -> tuple[Reliability, ...] | None:
        """How far each attribute can be trusted, in their order; None for weights that were never measured."""
        calibration = self._predictor.calibration
        return calibration.reliability if calibration else None

    @property
    def device(self) -> Any:
        """The torch.device that the network runs on."""
        return self._predictor.device

    def analyse(self, frame: np.ndarray, *, thorough: bool) -> Analysis:
        """Find all faces of a frame and predict their attributes, all in one pass of the network.

        Args:
            frame: (height, width, 3), uint8, RGB.
            thorough: also look for small, sideways and upside-down faces, as an uploaded photo deserves; without it
                a webcam's frame takes a fraction of the time.

        Raises:
            ValueError: the frame has another shape or type.
        """
        return self._analyse(frame, partial(self._finder.find, thorough=thorough))

    def stream(self) -> "Stream":
        """For the frames of one camera."""
        return Stream(FaceFollower(self._finder), self._analyse)

    def _analyse(self, frame: np.ndarray, find: Callable[[np.ndarray], Iterable[Face]]) -> Analysis:
        marks = [time.perf_counter()]
        faces = sorted(find(frame), key=lambda face: face.box[0] + face.box[2] / 2)
        marks.append(time.perf_counter())
        crops = [align(frame, face) for face in faces]
        marks.append(time.perf_counter())
        probabilities = self._predictor(np.stack(crops)) if crops else ()
        marks.append(time.perf_counter())
        height, width = frame.shape[:2]
        results = tuple(
            FaceResult(number, _whole_pixels(face.box, width, height), values, crop, doubts(face, crop))
            for number, (face, values, crop) in enumerate(zip(faces, probabilities, crops, strict=True), start=1)
        )
        timings = Timings(*(1000 * (end - start) for start, end in pairwise(marks)))
        return Analysis(self.attributes, width, height, results, timings)


class Stream:
    """Analyses the frames of one camera in their order; `Pipeline.stream` makes it. Not thread-safe.

    Faces are followed, which takes less time than to find them anew in each frame, and keep their numbers, over a pause
    and where the frames change their size, too; doubts do not flicker.
    """

    def __init__(
        self,
        follower: FaceFollower,
        analyse: Callable[[np.ndarray, Callable[[np.ndarray], Iterable[Face]]], Analysis],
    ) -> None:
        self._follower = follower
        self._analyse = analyse
        self._tracker = Tracker()
        self._seconds = self._watched = 0.0  # of the last frame, and without what was too long of the pauses until then
        self._doubts: dict[int, SteadyDoubts] = {}

    def analyse(self, frame: np.ndarray, seconds: float) -> Analysis:
        """The faces of the next frame, in the order of their numbers.

        Args:
            frame: (height, width, 3), uint8, RGB; its size may change.
            seconds: when it was seen, on any clock that does not go back.

        Raises:
            ValueError: the frame has another shape or type.
        """
        analysis = self._analyse(frame, partial(self._follower.find, seconds=seconds))
        self._watched += min(seconds - self._seconds, _LONGEST_PAUSE)
        self._seconds = seconds
        numbers = self._tracker.update(self._watched, list(_sightings(analysis)))
        self._doubts = {number: self._doubts.get(number) or SteadyDoubts() for number in numbers}
        faces = (
            replace(face, number=number, doubts=self._doubts[number].update(seconds, face.doubts))
            for face, number in zip(analysis.faces, numbers, strict=True)
        )
        return replace(analysis, faces=tuple(sorted(faces, key=lambda face: face.number)))


def _sightings(analysis: Analysis) -> Iterator[Sighting]:
    """The faces for the tracker, their boxes as shares of the frame's longer side, whatever size it was sent in."""
    side = max(analysis.width, analysis.height)
    for face in analysis.faces:
        x, y, width, height = face.box
        yield Sighting((x / side, y / side, width / side, height / side), face.probabilities)


def _whole_pixels(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """The box rounded to the frame's pixels, at least one wide and high."""
    left, top = min(round(box[0]), width - 1), min(round(box[1]), height - 1)
    right, bottom = min(round(box[0] + box[2]), width), min(round(box[1] + box[3]), height)
    return left, top, max(1, right - left), max(1, bottom - top)
