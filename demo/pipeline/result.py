"""The result of an analysis: the faces of a frame with their attributes."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from demo.pipeline.quality import Quality, QualityWarning


@dataclass(frozen=True, eq=False)
class FaceResult:
    """One face of a frame with its attributes.

    Attributes:
        number: from 1, in reading order (rows from the top, each from left to right); in a `Stream` it stays the same.
        box: x, y, width, height in whole pixels of the frame.
        probabilities: (attributes,) float32 in [0, 1], in the order of `Analysis.attributes`.
        crop: (218, 178, 3) uint8 RGB, the aligned picture that the network saw.
        quality: how clearly it is seen in this frame.
        warnings: why the probabilities should not be trusted, from `demo.pipeline.quality`.
        placement: (2, 3) float64, pixel-centre coordinates (x, y, 1) of the crop -> those of the frame.
        features: (1, channels, h, w) float32, what `ExplainingPredictor.explain_features` needs, if asked for.
    """

    number: int
    box: tuple[int, int, int, int]
    probabilities: np.ndarray
    crop: np.ndarray
    quality: Quality
    warnings: tuple[QualityWarning, ...] = ()
    placement: np.ndarray = field(default_factory=lambda: np.eye(2, 3))  # for a crop that is the frame itself
    features: np.ndarray | None = None


@dataclass(frozen=True)
class Timings:
    """How long the stages of an analysis took, for all its faces together.

    Attributes:
        detect: finding the faces, in milliseconds.
        align: cutting them out, in milliseconds.
        infer: the network, in milliseconds.
    """

    detect: float = 0.0
    align: float = 0.0
    infer: float = 0.0


@dataclass(frozen=True, eq=False)
class Analysis:
    """Every face of a frame, and the names of the attributes.

    Attributes:
        attributes: names, one for each probability of a face.
        width: of the frame, in pixels.
        height: of the frame, in pixels.
        faces: in reading order, or in a `Stream` by number; empty if there is none.
        timings: how long each stage took.
        left_out: how many faces were seen beyond those that are read; always 0 but in a `Stream` of a crowd.
    """

    attributes: tuple[str, ...]
    width: int
    height: int
    faces: tuple[FaceResult, ...]
    timings: Timings = Timings()
    left_out: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Convert the faces to types that JSON can hold.

        Returns:
            {"faces": [{"number", "box": [x, y, width, height], "probabilities": {attribute: probability}}]}.
        """
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
