"""How reliable each attribute is on small, blurred and turned faces.

It shrinks and blurs CelebA's validation pictures, finds their faces again, and puts each into a class by the same
figures that the pipeline measures for a face in view. Turned faces are those that are turned in CelebA.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from demo.benchmark.alignment import Distortion, most_central
from demo.benchmark.tick_figures import tick_figures
from demo.benchmark.validation import ValidationPictures, validation_pictures
from demo.pipeline.analyse import CropPredictor, Pipeline
from demo.pipeline.result import FaceResult
from slimnet import Calibration, Predictor

# Condition, a key of `Quality.conditions` -> the lowest figure of each class: pixels between the eyes, sharpness,
# degrees. Most of CelebA's own faces are in the last class or, for turn, in the first.
CLASSES = {"size": (0, 15, 22, 32), "sharpness": (0, 0.045, 0.065, 0.1), "turn": (0, 10, 20, 30)}
_CELEBA_EYE_DISTANCE = 38.5  # pixels, in CelebA's pictures
_EYE_DISTANCES = (10.0, 32.0)  # pixels, after shrinking
_BLURS = (0.6, 2.5)  # sigma in pixels
_THREADS = 2
LEAST_FACES = 10  # a class needs this many faces with an attribute, and without it, to have a reliability
_Z = 1.96  # for a 95 % interval


@dataclass(frozen=True, eq=False)
class Sightings:
    """The answers about faces in one condition.

    Attributes:
        figures: (N,) size, sharpness or turn of each face.
        probabilities: (N, attributes) float, 0 to 1.
        labels: (N, attributes) bool, what CelebA says; False if unknown.
        known: (N, attributes) bool, which labels are known; the others never count.
    """

    figures: np.ndarray
    probabilities: np.ndarray
    labels: np.ndarray
    known: np.ndarray

    def where(self, faces: np.ndarray) -> "Sightings":
        """Select some faces, by bool (N,) or indices."""
        return Sightings(self.figures[faces], self.probabilities[faces], self.labels[faces], self.known[faces])


def measure_conditions(pipeline: Pipeline[Predictor], data_dir: Path, images: int) -> dict[str, Any]:
    """Measure the reliability of every attribute in each class of faces.

    Args:
        pipeline: reads the pictures.
        data_dir: CelebA in Kaggle's CSV layout.
        images: how many validation pictures at most; each is read as it is, shrunk, and blurred.

    Returns:
        weights: file and sha256; images: how many there were; attributes: their names; conditions: name, found (the
        faces), and classes. A class has from: the lowest figure; images: its faces; accuracy, balanced_accuracy, low
        and high, one for each attribute, where low to high is the 95 % interval of balanced accuracy, and None means
        that fewer than `LEAST_FACES` faces have the attribute or lack it, for accuracy that no face has a known label;
        mean: balanced accuracy over the attributes that all classes measure; decided: how good the ticks are at each
        operating point, from `tick_figures`, or None for weights without operating points.
    """
    pictures = validation_pictures(data_dir, images, pipeline.attributes)
    predictor = pipeline.predictor
    found = [
        {
            "name": name,
            "found": len(seen.figures),
            "classes": classes(seen, CLASSES[name], pipeline.attributes, predictor.calibration),
        }
        for name, seen in _sightings(pipeline, pictures).items()
    ]
    return {
        "weights": {"file": predictor.path.name, "sha256": predictor.sha256},
        "images": len(pictures.crops),
        "attributes": list(pipeline.attributes),
        "conditions": found,
    }


def _sightings(pipeline: Pipeline[CropPredictor], pictures: ValidationPictures) -> dict[str, Sightings]:
    """Read every picture as it is, shrunk and blurred."""
    crops, labels, known = pictures.crops, pictures.labels, pictures.known

    def read(row: int) -> dict[str, list[FaceResult]]:
        return dict(_read(pipeline, crops[row], np.random.default_rng(row)))

    with ThreadPoolExecutor(_THREADS) as pool:
        answers = list(tqdm(pool.map(read, range(len(crops))), "pictures", len(crops), leave=False))
    found = {}
    for name in CLASSES:
        seen = [(row, face) for row, faces in enumerate(answers) for face in faces[name]]
        rows = np.array([row for row, _ in seen], int)
        found[name] = Sightings(
            np.array([face.quality.conditions[name] for _, face in seen]),
            np.array([face.probabilities for _, face in seen]).reshape(-1, labels.shape[1]),
            labels[rows],
            known[rows],
        )
    return found


def _read(
    pipeline: Pipeline[CropPredictor], crop: np.ndarray, random: np.random.Generator
) -> Iterator[tuple[str, list[FaceResult]]]:
    """For each condition, a picture's face as it is and as the condition changes it, except faces not found."""
    plain = _face(pipeline, crop)
    for name in CLASSES:
        changed = _face(pipeline, _CHANGES[name](crop, random)) if name in _CHANGES else []
        yield name, plain + changed


def _face(pipeline: Pipeline[CropPredictor], picture: np.ndarray) -> list[FaceResult]:
    """The most central face; empty if there is none."""
    faces = pipeline.analyse_photo(picture).faces
    return [most_central(faces, picture)] if faces else []


def _shrunk(crop: np.ndarray, random: np.random.Generator) -> np.ndarray:
    factor = np.exp(random.uniform(*np.log(_EYE_DISTANCES))) / _CELEBA_EYE_DISTANCE
    return cv2.resize(crop, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)


def _blurred(crop: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return cv2.GaussianBlur(crop, (0, 0), np.exp(random.uniform(*np.log(_BLURS))))


_CHANGES: dict[str, Distortion] = {"size": _shrunk, "sharpness": _blurred}


def classes(
    seen: Sightings, starts: tuple[float, ...], names: Sequence[str], calibration: Calibration | None
) -> list[dict[str, Any]]:
    """Compute the figures of each class of faces.

    Args:
        seen: faces in one condition.
        starts: the lowest figure of each class, rising from 0.
        names: the attributes.
        calibration: of the weights; None if they have none.

    Returns:
        One row for each class, as described at `measure_conditions`.
    """
    place = np.searchsorted(starts, seen.figures, side="right") - 1
    parts = [seen.where(place == n) for n in range(len(starts))]
    found = [_reliability(part.probabilities > 0.5, part.labels, part.known) for part in parts]
    compared = np.all([measured for _, _, measured, _ in found], axis=0)
    return [
        {
            "from": start,
            "images": len(part.figures),
            "mean": _rounded(balanced[compared].mean() if compared.any() else np.nan),
            "accuracy": [_rounded(value) for value in accuracy],
            "balanced_accuracy": [_rounded(value) for value in np.where(measured, balanced, np.nan)],
            "low": [_rounded(value) for value in np.where(measured, balanced - margins[0], np.nan)],
            "high": [_rounded(value) for value in np.where(measured, balanced + margins[1], np.nan)],
            "decided": _decided(part, names, calibration),
        }
        for start, part, (accuracy, balanced, measured, margins) in zip(starts, parts, found, strict=True)
    ]


def _decided(seen: Sightings, names: Sequence[str], calibration: Calibration | None) -> dict[str, Any] | None:
    """How good the ticks are; None for weights without operating points."""
    if calibration is None or calibration.sure is None:
        return None
    return tick_figures(seen.probabilities, seen.labels, seen.known, names, calibration)


def _reliability(
    ticks: np.ndarray, labels: np.ndarray, known: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Reliability of each attribute.

    Args:
        ticks: (N, attributes) bool, the answers.
        labels: (N, attributes) bool.
        known: (N, attributes) bool, which labels are known.

    Returns:
        Accuracy, nan without a known label, and balanced accuracy, (attributes,) each; whether enough faces have and
        lack the attribute, bool (attributes,); how far the 95 % interval of balanced accuracy reaches below and above
        it, from Wilson's intervals of both recalls by the method of variance estimates recovery (MOVER).
    """
    right = ticks == labels
    sides, below, above = [], [], []
    positive, negative = labels & known, ~labels & known
    for side in (positive, negative):
        count = side.sum(axis=0)
        share = (right & side).sum(axis=0) / np.maximum(count, 1)
        low, high = _wilson(share, np.maximum(count, 1))
        sides.append(share)
        below.append(share - low)
        above.append(high - share)
    measured = np.minimum(positive.sum(axis=0), negative.sum(axis=0)) >= LEAST_FACES
    count = known.sum(axis=0)
    accuracy = np.where(count > 0, (right & known).sum(axis=0) / np.maximum(count, 1), np.nan)
    return accuracy, np.mean(sides, axis=0), measured, (np.hypot(*below) / 2, np.hypot(*above) / 2)


def _wilson(share: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the 95 % intervals of shares with these counts."""
    middle = (share + _Z**2 / (2 * count)) / (1 + _Z**2 / count)
    half = _Z * np.sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2)) / (1 + _Z**2 / count)
    return middle - half, middle + half


def _rounded(value: float | np.floating) -> float | None:
    """Four decimals, and None for nan."""
    return None if np.isnan(value) else round(float(value), 4)


def conditions_table(found: dict[str, Any]) -> str:
    """Format the measurements, in per cent.

    Args:
        found: as `measure_conditions` returns it.

    Returns:
        A line for each class, with means over the attributes: accuracy over all of them, balanced accuracy over those
        that every class of the condition measures.
    """
    lines = [
        f"{found['images']} validation pictures",
        f"{'condition':12} {'from':>6} {'faces':>6} {'accuracy':>9} {'balanced':>9}",
    ]
    for condition in found["conditions"]:
        for row in condition["classes"]:
            accuracy = _percent([value for value in row["accuracy"] if value is not None])
            balanced = _percent([] if row["mean"] is None else [row["mean"]])
            lines.append(f"{condition['name']:12} {row['from']:>6g} {row['images']:>6} {accuracy:>9} {balanced:>9}")
    return "\n".join(lines)


def _percent(shares: list[float]) -> str:
    """Their mean; a dash if there are none."""
    return f"{100 * float(np.mean(shares)):.2f}" if shares else "-"
