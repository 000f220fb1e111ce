"""How much accuracy it costs to find and align a face.

It distorts CelebA's validation pictures in known ways, finds and aligns their faces again, and compares the attributes
with those of the untouched crops of the same pictures.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from demo.benchmark.validation import ValidationPictures, validation_pictures
from demo.pipeline.analyse import CropPredictor, Pipeline
from demo.pipeline.detect import FaceFinder
from demo.pipeline.result import FaceResult
from slimnet import Predictor

Distortion = Callable[[np.ndarray, np.random.Generator], np.ndarray]


class VariantError(ValueError):
    """There is no such variant; the message names those that there are."""


@dataclass(frozen=True)
class Loss:
    """The accuracy that one variant costs.

    Attributes:
        variant: a key of `VARIANTS`.
        found: number of pictures in which a face was found.
        pictures: number of pictures tried.
        accuracy: mean over attributes and pictures with a face, in per cent; like the next two, nan if there are none.
        reference: accuracy of the untouched crops of the same pictures, in per cent.
        error: standard error of the difference of the two, in percentage points.
    """

    variant: str
    found: int
    pictures: int
    accuracy: float
    reference: float
    error: float


def report_alignment(data_dir: Path, images: int, weights: Path, device: str, only: str = "") -> None:
    """Print for each variant how many faces were found, and their accuracy.

    Args:
        data_dir: CelebA in Kaggle's CSV layout.
        images: how many validation pictures, at most.
        weights: SlimNet's weights.
        device: "auto", "cpu", "cuda" or "mps".
        only: measure those variants alone whose names have this in them.

    Raises:
        VariantError: there is no such variant.
    """
    variants = {name: distort for name, distort in VARIANTS.items() if only in name}
    if not variants:
        raise VariantError(f"no variant has {only!r} in its name; there are: {'; '.join(VARIANTS)}")
    predictor = Predictor(weights, device)
    pipeline = Pipeline(predictor, FaceFinder())
    pictures = validation_pictures(data_dir, images, predictor.attributes)
    crops = pictures.crops
    reference = np.concatenate([predictor(np.stack(crops[i : i + 64])) for i in range(0, len(crops), 64)])
    correct = np.array([pictures.right(row, answers) for row, answers in enumerate(reference)])
    print(f"{len(crops)} validation pictures; their own crops have {100 * correct.mean():.2f} % mean accuracy")
    print(f"{'variant':28} {'found':>11} {'accuracy':>9} {'loss':>6} {'standard error':>15}")
    for variant, distort in variants.items():
        loss = _measure(pipeline, variant, distort, pictures, correct)
        share = f"{loss.found}/{loss.pictures}"
        figures = (f"{value:.2f}" for value in (loss.accuracy, loss.reference - loss.accuracy, loss.error))
        accuracy, lost, error = figures if loss.found else "---"
        print(f"{variant:28} {share:>11} {accuracy:>9} {lost:>6} {error:>15}", flush=True)


def _measure(
    pipeline: Pipeline[CropPredictor],
    variant: str,
    distort: Distortion,
    pictures: ValidationPictures,
    correct: np.ndarray,
) -> Loss:
    """Measure one variant against the untouched crops; `correct` is the share of right labels for each of these."""
    random = np.random.default_rng(0)
    rows, shares = [], []
    for row, crop in enumerate(tqdm(pictures.crops, variant, leave=False)):
        picture = distort(crop, random)
        faces = pipeline.analyse_photo(picture).faces
        if faces:
            rows.append(row)
            shares.append(pictures.right(row, most_central(faces, picture).probabilities))
    if not rows:
        return Loss(variant, 0, len(correct), np.nan, np.nan, np.nan)
    accuracy, reference = 100 * np.array(shares), 100 * correct[rows]
    error = np.std(reference - accuracy) / np.sqrt(len(rows))
    return Loss(variant, len(rows), len(correct), float(accuracy.mean()), float(reference.mean()), float(error))


def most_central(faces: tuple[FaceResult, ...], picture: np.ndarray) -> FaceResult:
    """Choose the most central face, since CelebA labels that one and there may be others in the background.

    Args:
        faces: at least one face.
        picture: (height, width, 3), where they were found.

    Returns:
        The face whose box has its centre nearest to the picture's.
    """

    def distance(face: FaceResult) -> float:
        x, y, width, height = face.box
        return float(np.hypot(x + width / 2 - picture.shape[1] / 2, y + height / 2 - picture.shape[0] / 2))

    return min(faces, key=distance)


def _padded(crop: np.ndarray, across: int, down: int, border: int) -> np.ndarray:
    """Pad by pixels on each side; `border` is one of OpenCV's BORDER types, where a constant one is grey."""
    return cv2.copyMakeBorder(crop, down, down, across, across, border, value=(128, 128, 128))


def _turned(crop: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Rotate by up to 30 degrees either way, with room for the corners."""
    picture = _padded(crop, 80, 60, cv2.BORDER_REFLECT)
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), random.uniform(-30, 30), 1)
    return cv2.warpAffine(picture, turn, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)


def _scaled(crop: np.ndarray, factor: float) -> np.ndarray:
    """Resize both sides by a factor."""
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return cv2.resize(crop, None, fx=factor, fy=factor, interpolation=method)


def _square(crop: np.ndarray, side: int) -> np.ndarray:
    """Widen by reflection to a square portrait of `side` pixels."""
    return cv2.resize(_padded(crop, 20, 0, cv2.BORDER_REFLECT), (side, side), interpolation=cv2.INTER_AREA)


VARIANTS: dict[str, Distortion] = {
    "as they are, 178x218": lambda crop, _: crop,
    "portrait, 200x200": lambda crop, _: _square(crop, 200),
    "padded by grey": lambda crop, _: _padded(crop, 60, 60, cv2.BORDER_CONSTANT),
    "padded by reflection": lambda crop, _: _padded(crop, 60, 60, cv2.BORDER_REFLECT),
    "turned up to 30 degrees": _turned,
    "scaled by 0.5": lambda crop, _: _scaled(crop, 0.5),
    "scaled by 0.75": lambda crop, _: _scaled(crop, 0.75),
    "scaled by 1.5": lambda crop, _: _scaled(crop, 1.5),
    "scaled by 4": lambda crop, _: _scaled(crop, 4),
    "cut to the face, 130x160": lambda crop, _: np.ascontiguousarray(crop[43:203, 24:154]),
}
