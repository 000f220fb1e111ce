"""How accuracy falls on worse crops: poorly aligned, or degraded by cameras and compression."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np

from slimnet import Predictor
from training.data.celeba import Split
from training.measure import bootstrap, metrics, scores
from training.measure.predictions import evenly, probabilities, raw_logits
from training.measure.scores import Interval


def _move(crop: np.ndarray, number: int, scale: float = 1.0, turn: float = 0.0, shift: float = 0.0) -> np.ndarray:
    """Scale, rotate and shift a crop about its centre; directions change from crop to crop.

    Borders are replicated, as in CelebA's own crops.

    Args:
        crop: uint8 (H, W, 3).
        number: Index of the crop, which picks the directions.
        scale: Factor of the size.
        turn: Angle in degrees.
        shift: Along both axes, as a fraction of the side.
    """
    height, width = crop.shape[:2]
    sign_x, sign_y = ((1, 1), (-1, 1), (1, -1), (-1, -1))[number % 4]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), sign_x * turn, scale)
    matrix[:, 2] += sign_x * shift * width, sign_y * shift * height
    return cv2.warpAffine(crop, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _shrink(crop: np.ndarray, share: float) -> np.ndarray:
    """Lose detail by downscaling and upscaling again.

    Args:
        crop: uint8 (H, W, 3).
        share: Size of the small image, as a fraction of each side.
    """
    height, width = crop.shape[:2]
    small = cv2.resize(crop, (round(width * share), round(height * share)), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def _compress(crop: np.ndarray, quality: int) -> np.ndarray:
    """Compress a crop as JPEG and decode it again.

    Args:
        crop: uint8 RGB (H, W, 3).
        quality: JPEG quality, 1 to 100.
    """
    written = cv2.imencode(".jpg", crop[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(written, cv2.IMREAD_COLOR_RGB))


@dataclass(frozen=True)
class Damage:
    """A kind of damage.

    Attributes:
        kind: Its name.
        unit: Unit of the strengths.
        strengths: From mild to strong.
        apply: (crop, its index, strength) -> damaged crop; crops are uint8 RGB (H, W, 3).
    """

    kind: str
    unit: str
    strengths: tuple[float, ...]
    apply: Callable[[np.ndarray, int, float], np.ndarray]


# From mild to strong.
DAMAGES = (
    Damage("shift", "% of the sides, diagonally", (2, 5, 10, 15), lambda c, n, s: _move(c, n, shift=s / 100)),
    Damage("enlarged", "% of the size", (105, 110, 120, 135), lambda c, n, s: _move(c, n, scale=s / 100)),
    Damage("shrunk", "% of the size", (95, 90, 80, 70), lambda c, n, s: _move(c, n, scale=s / 100)),
    Damage("turn", "degrees", (5, 10, 20, 30), lambda c, n, s: _move(c, n, turn=s)),
    Damage("blur", "sigma in pixels", (1, 2, 3, 5), lambda c, _, s: cv2.GaussianBlur(c, (0, 0), s)),
    # Not 50: twice as coarse as the quality 75 of CelebA's own files, it puts their values between two steps.
    Damage("JPEG", "quality", (60, 40, 20, 10), lambda c, _, s: _compress(c, int(s))),
    Damage("darkness", "% of the light", (70, 50, 30, 15), lambda c, _, s: cv2.convertScaleAbs(c, alpha=s / 100)),
    Damage("detail", "% of the pixels a side", (50, 33, 25, 15), lambda c, _, s: _shrink(c, s / 100)),
)


@dataclass(frozen=True)
class Outcome:
    """Means over the attributes at one strength of damage.

    Attributes:
        kind: The damage's name.
        unit: Unit of the strength.
        strength: How strong the damage is.
        accuracy: From 0 to 1.
        balanced_accuracy: From 0 to 1; None if it is undefined for every attribute.
        loss: Accuracy lost against the same crops undamaged.
        interval: 95 % bootstrap interval of the loss.
    """

    kind: str
    unit: str
    strength: float
    accuracy: float
    balanced_accuracy: float | None
    loss: float
    interval: Interval | None


@dataclass(frozen=True)
class Robustness:
    """Accuracy under damage.

    Attributes:
        images: Number of images, evenly spaced over the split.
        undamaged: Mean accuracy on the undamaged crops, from 0 to 1.
        mirrored: Mean accuracy when each logit is averaged with the mirrored crop's. It costs a second forward pass and
            is not what we serve.
        outcomes: One for each strength of each damage.
    """

    images: int
    undamaged: float
    mirrored: float
    outcomes: tuple[Outcome, ...]


def measure(predictor: Predictor, split: Split, images: int, batch_size: int, resamples: int) -> Robustness:
    """Measure accuracy under each strength of each damage.

    Args:
        predictor: The network.
        split: Images and labels.
        images: How many images to use at most, evenly spaced.
        batch_size: Images per batch.
        resamples: Number of bootstrap samples behind the intervals.

    Raises:
        DataError: Images are damaged or have another size.
    """
    split = evenly(split, images)
    weights = bootstrap.draw(split.identities, resamples)
    clean = probabilities(predictor, split, batch_size, title="undamaged")
    right = (clean > 0.5) == split.labels
    flipped = probabilities(predictor, split, batch_size, lambda crop, _: crop[:, ::-1], "mirrored")
    both = raw_logits(clean, predictor.calibration) + raw_logits(flipped, predictor.calibration) > 0
    outcomes = []
    for damage, strength in [(each, strength) for each in DAMAGES for strength in each.strengths]:
        change = partial(apply, damage, strength)
        found = probabilities(predictor, split, batch_size, change, f"{damage.kind} {strength:g}")
        outcomes.append(_outcome(damage, strength, found, split, right, weights))
    undamaged, mirrored = (
        round(float(metrics.by_picture(each, split.known).mean()), 6) for each in (right, both == split.labels)
    )
    return Robustness(len(split), undamaged, mirrored, tuple(outcomes))


def apply(damage: Damage, strength: float, crop: np.ndarray, number: int) -> np.ndarray:
    """Damage a crop; the order of the arguments suits functools.partial.

    Args:
        damage: The kind of damage.
        strength: In the damage's unit.
        crop: uint8 RGB (H, W, 3).
        number: Index of the crop.

    Returns:
        The damaged crop, uint8 RGB (H, W, 3).
    """
    return damage.apply(crop, number, strength)


def _outcome(
    damage: Damage, strength: float, found: np.ndarray, split: Split, right: np.ndarray, weights: np.ndarray
) -> Outcome:
    """Compare the predictions on damaged crops with those on undamaged ones.

    Args:
        damage: The kind of damage.
        strength: In the damage's unit.
        found: float32 (N, attributes), probabilities on the damaged crops.
        split: Images and labels.
        right: bool (N, attributes), which undamaged predictions are correct.
        weights: float32 (resamples, N), from bootstrap.draw.
    """
    still_right = (found > 0.5) == split.labels
    lost = right.astype(float) - still_right
    samples = metrics.mean(metrics.known_means(lost, split.known, weights))
    figures = metrics.figures(split.labels, found, split.known)
    return Outcome(
        damage.kind,
        damage.unit,
        strength,
        round(float(metrics.by_picture(still_right, split.known).mean()), 6),
        scores.json_number(metrics.mean(figures["balanced_accuracy"])),
        round(float(metrics.by_picture(lost, split.known).mean()), 6),
        scores.json_interval(bootstrap.interval(samples)),
    )
