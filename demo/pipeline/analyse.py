"""From a frame to its faces and their attributes: find, align, predict.

Photos go through `Pipeline.analyse_photo`; a camera's frames go through `Stream.analyse`, which follows the faces and
keeps their numbers.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Generic, Protocol, TypeVar, runtime_checkable

import numpy as np

from demo.paths import WEIGHTS
from demo.pipeline.align import HEIGHT, WIDTH, align, placement
from demo.pipeline.detect import FaceFinder
from demo.pipeline.face import Box, Face
from demo.pipeline.follow import FaceFollower
from demo.pipeline.quality import SteadyWarnings, measure_quality
from demo.pipeline.reading_order import in_reading_order
from demo.pipeline.result import Analysis, FaceResult, Timings
from demo.pipeline.track import Sighting, Tracker
from slimnet import Calibration, CheckpointError, Predictor, Reliability
from slimnet.explain import Explanation

# Faces are not out of sight while no frames come: the tracker counts a longer pause as this long, and remembers them.
_MAX_PAUSE_SECONDS = 1.5


class CropPredictor(Protocol):
    """Turns aligned crops into probabilities: `slimnet.Predictor`, or a stand-in for one elsewhere."""

    @property
    def attributes(self) -> tuple[str, ...]:
        """The names of the attributes."""

    @property
    def calibration(self) -> Calibration | None:
        """How far each attribute can be trusted; None for weights that were never measured."""

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        """Predict the attributes of aligned crops.

        Args:
            crops: (N, 218, 178, 3), uint8, RGB.

        Returns:
            (N, attributes) float32 probabilities in [0, 1].
        """


@runtime_checkable
class ExplainingPredictor(CropPredictor, Protocol):
    """Can also say what its answers come from: which weights, and which places of a crop."""

    @property
    def sha256(self) -> str:
        """SHA-256 of the weights' file, in hexadecimal."""

    def with_features(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Predict the attributes of aligned crops, and keep what `explain_features` needs.

        Args:
            crops: (N, 218, 178, 3), uint8, RGB; at least one.

        Returns:
            Probabilities, as from a call, and (N, channels, h, w) float32 features.
        """

    def explain_features(self, features: np.ndarray, attributes: Sequence[int]) -> Explanation:
        """Say which places spoke for and against some attributes.

        Args:
            features: from `with_features`.
            attributes: indices of the attributes to explain.

        Returns:
            Maps and bias of these attributes, which add up to their log-odds.
        """


# Covariant: whoever needs a pipeline with a CropPredictor can have one with any kind of it.
_AnyPredictor = TypeVar("_AnyPredictor", bound=CropPredictor, covariant=True)


class Pipeline(Generic[_AnyPredictor]):
    """Analyses frames. Thread-safe; make one and share it.

    Args:
        predictor: predicts the attributes of aligned crops.
        finder: finds the faces; several pipelines may share one.

    Attributes:
        predictor: predicts the attributes of aligned crops.
        finder: finds the faces.
    """

    def __init__(self, predictor: _AnyPredictor, finder: FaceFinder) -> None:
        self.predictor = predictor
        self.finder = finder

    @staticmethod
    def load(weights: str | Path = WEIGHTS, device: str | None = None, copies: int = 1) -> "Pipeline[Predictor]":
        """Make the usual pipeline, with a network in this process.

        Args:
            weights: SlimNet's weights.
            device: "auto" or None, "cpu", "cuda" or "mps".
            copies: of the face models: how many threads can find faces at the same time.

        Returns:
            A pipeline with a predictor and a face finder of its own.

        Raises:
            slimnet.CheckpointError: the weights are missing, damaged or foreign, or read crops of another size.
            demo.pipeline.mediapipe.face_models.FaceModelError: a face model is missing or damaged.
        """
        predictor = Predictor(weights, device)
        if (predictor.height, predictor.width) != (HEIGHT, WIDTH):
            raise CheckpointError(
                f"{weights} reads crops of {predictor.width}x{predictor.height} pixels, but faces are cut out with "
                f"{WIDTH}x{HEIGHT}: use weights that were trained on such crops"
            )
        return Pipeline(predictor, FaceFinder(copies))

    @property
    def attributes(self) -> tuple[str, ...]:
        """The names of the attributes predicted for each face."""
        return self.predictor.attributes

    @property
    def reliability(self) -> tuple[Reliability, ...] | None:
        """How far each attribute can be trusted, in their order; None for weights that were never measured."""
        calibration = self.predictor.calibration
        return calibration.reliability if calibration else None

    @property
    def calibration(self) -> Calibration | None:
        """The weights' calibration, for slimnet.decide; None for weights that were never measured."""
        return self.predictor.calibration

    @property
    def weights(self: "Pipeline[ExplainingPredictor]") -> str:
        """SHA-256 of the weights' file, in hexadecimal, so that an answer can say which weights gave it."""
        return self.predictor.sha256

    def analyse_photo(self, frame: np.ndarray, *, most_faces: int | None = None, explained: bool = False) -> Analysis:
        """Find all faces of a photo, also small, sideways and upside-down ones, and predict their attributes.

        Args:
            frame: (height, width, 3), uint8, RGB.
            most_faces: how many faces there may be; None for any number.
            explained: as for `read`.

        Returns:
            The faces in reading order with their probabilities, numbered from 1, and the timings.

        Raises:
            TooManyFacesError: there are more faces.
            ValueError: the frame has another shape or type.
            TypeError: as for `read`.
        """
        began = time.perf_counter()
        faces = self.finder.find_in_photo(frame, most=most_faces)
        return self.read(frame, faces, began, explained=explained)

    def analyse_camera_frame(self, frame: np.ndarray) -> Analysis:
        """Find the faces of a single webcam frame, in a fraction of a photo's time, and predict their attributes.

        A camera's frames in their order belong to `stream`, which follows the faces.

        Args:
            frame: (height, width, 3), uint8, RGB.

        Returns:
            The faces in reading order with their probabilities, numbered from 1, and the timings.

        Raises:
            ValueError: the frame has another shape or type.
        """
        began = time.perf_counter()
        return self.read(frame, self.finder.find_in_camera_frame(frame), began)

    def stream(self) -> "Stream":
        """Begin analysing the frames of one camera; the stream shares this pipeline."""
        return Stream(self)

    def read(self, frame: np.ndarray, faces: tuple[Face, ...], began: float, *, explained: bool = False) -> Analysis:
        """Predict the attributes of the faces found, all in one batch.

        Args:
            frame: (height, width, 3), uint8, RGB.
            faces: the faces found in this frame, in any order.
            began: when the search for them began, by `time.perf_counter`; it counts as detection.
            explained: whether to keep each face's features, from which its attributes can be explained.

        Returns:
            The faces in reading order with their probabilities, numbered from 1, and the timings.

        Raises:
            TypeError: they are to be explained, and the predictor is no ExplainingPredictor.
        """
        marks = [began, time.perf_counter()]
        faces = in_reading_order(faces)
        crops = [align(frame, face) for face in faces]
        marks.append(time.perf_counter())
        probabilities, features = self._predict(crops, explained)
        marks.append(time.perf_counter())
        height, width = frame.shape[:2]
        qualities = [measure_quality(face, crop, (height, width)) for face, crop in zip(faces, crops, strict=True)]
        results = tuple(
            FaceResult(
                number=number,
                box=_whole_pixels(face.box, width, height),
                probabilities=values,
                crop=crop,
                quality=quality,
                warnings=quality.warnings,
                placement=placement(face),
                features=face_features,
            )
            for number, (face, values, crop, quality, face_features) in enumerate(
                zip(faces, probabilities, crops, qualities, features, strict=True), start=1
            )
        )
        timings = Timings(*(1000 * (end - start) for start, end in pairwise(marks)))
        return Analysis(self.attributes, width, height, results, timings)

    def _predict(
        self, crops: list[np.ndarray], explained: bool
    ) -> tuple[Iterable[np.ndarray], Sequence[np.ndarray | None]]:
        """The probabilities of each crop and, if they are to be explained, its features."""
        if not crops:
            return (), ()
        if not explained:
            return self.predictor(np.stack(crops)), [None] * len(crops)
        if not isinstance(self.predictor, ExplainingPredictor):
            raise TypeError(f"a {type(self.predictor).__name__} keeps no features to explain its answers by")
        probabilities, features = self.predictor.with_features(np.stack(crops))
        return probabilities, np.split(features, len(features))


class Stream:
    """Analyses the frames of one camera in their order; `Pipeline.stream` makes it. Not thread-safe.

    Faces are followed, which takes less time than finding them in each frame. They keep their numbers, even over a
    pause or when the frames change size, and their warnings do not flicker.

    Args:
        pipeline: finds the faces and predicts; it may be shared with other streams.
    """

    def __init__(self, pipeline: Pipeline[CropPredictor]) -> None:
        self._pipeline = pipeline
        self._follower = FaceFollower(pipeline.finder)
        self._tracker = Tracker()
        self._seconds = 0.0  # of the last frame
        self._watched_seconds = 0.0  # up to that frame, with long pauses cut short
        self._warnings: dict[int, SteadyWarnings] = {}  # kept while a face is missed; the smallest numbers are reused

    def analyse(self, frame: np.ndarray, seconds: float, waiting: int = 0, *, explained: bool = False) -> Analysis:
        """Analyse the next frame.

        Args:
            frame: (height, width, 3), uint8, RGB; its size may change.
            seconds: when it was seen, on any clock that does not go back.
            waiting: how many frames of other cameras wait for this one; the more, the less often landmarks are found.
            explained: as for `Pipeline.read`.

        Returns:
            The faces in the order of their numbers, and how many more were seen.

        Raises:
            ValueError: the frame has another shape or type.
        """
        began = time.perf_counter()
        faces = self._follower.find(frame, seconds, waiting)
        analysis = self._pipeline.read(frame, faces, began, explained=explained)
        self._watched_seconds += min(seconds - self._seconds, _MAX_PAUSE_SECONDS)
        self._seconds = seconds
        numbers = self._tracker.update(self._watched_seconds, list(_sightings(analysis)))
        results = (
            replace(face, number=number, warnings=self._steady(number).update(seconds, face.warnings))
            for face, number in zip(analysis.faces, numbers, strict=True)
        )
        faces_by_number = tuple(sorted(results, key=lambda face: face.number))
        return replace(analysis, faces=faces_by_number, left_out=self._follower.left_out)

    def _steady(self, number: int) -> SteadyWarnings:
        return self._warnings.setdefault(number, SteadyWarnings())


def _sightings(analysis: Analysis) -> Iterator[Sighting]:
    """The faces for the tracker. Boxes are shares of the frame's longer side, since frames may change size."""
    side = max(analysis.width, analysis.height)
    for face in analysis.faces:
        x, y, width, height = face.box
        yield Sighting((x / side, y / side, width / side, height / side), face.probabilities)


def _whole_pixels(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """Round a box to whole pixels of the frame, at least one wide and high."""
    left, top = min(round(box[0]), width - 1), min(round(box[1]), height - 1)
    right, bottom = min(round(box[0] + box[2]), width), min(round(box[1] + box[3]), height)
    return left, top, max(1, right - left), max(1, bottom - top)
