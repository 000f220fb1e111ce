"""How accuracy falls as crops get worse: moved as alignment may leave them, and spoilt as cameras and networks do."""

from __future__ import annotations

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
    """Scale, turn (degrees) and shift (fraction of the sides) about the centre; directions change from crop to crop.

    Borders are replicated, as in CelebA's own crops.
    """
    height, width = crop.shape[:2]
    sign_x, sign_y = ((1, 1), (-1, 1), (1, -1), (-1, -1))[number % 4]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), sign_x * turn, scale)
    matrix[:, 2] += sign_x * shift * width, sign_y * shift * height
    return cv2.warpAffine(crop, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _shrink(crop: np.ndarray, share: float) -> np.ndarray:
    """Lose the detail that a smaller picture does not have."""
    height, width = crop.shape[:2]
    small = cv2.resize(crop, (round(width * share), round(height * share)), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def _compress(crop: np.ndarray, quality: int) -> np.ndarray:
    """What a JPEG of that quality, 1 to 100, keeps of uint8 RGB (H, W, 3)."""
    written = cv2.imencode(".jpg", crop[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(written, cv2.IMREAD_COLOR_RGB))


@dataclass(frozen=True)
class Damage:
    """A kind of damage. unit: of its strengths; apply: (crop, its number, strength) -> crop, uint8 RGB (H, W, 3)."""

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
    # Not 50: it is twice as coarse as the quality 75 of CelebA's own files, whose values then fall between two steps.
    Damage("JPEG", "quality", (60, 40, 20, 10), lambda c, _, s: _compress(c, int(s))),
    Damage("darkness", "% of the light", (70, 50, 30, 15), lambda c, _, s: cv2.convertScaleAbs(c, alpha=s / 100)),
    Damage("detail", "% of the pixels a side", (50, 33, 25, 15), lambda c, _, s: _shrink(c, s / 100)),
)


@dataclass(frozen=True)
class Outcome:
    """Means over the attributes under one strength of damage; loss: of accuracy against the same crops undamaged,
    with its 95 % bootstrap interval."""

    kind: str
    unit: str
    strength: float
    accuracy: float
    balanced_accuracy: float | None
    loss: float
    interval: Interval | None


@dataclass(frozen=True)
class Robustness:
    """images: how many, spread over the split. undamaged: their mean accuracy. mirrored: that of each logit averaged
    with the mirrored crop's, which costs a second pass through the network; not what is served."""

    images: int
    undamaged: float
    mirrored: float
    outcomes: tuple[Outcome, ...]


def measure(predictor: Predictor, split: Split, images: int, batch_size: int, resamples: int) -> Robustness:
    """Measure accuracy under each strength of each damage.

    Args:
        predictor: The weights.
        split: Pictures and labels.
        images: How many of them at most.
        batch_size: Pictures at a time.
        resamples: Bootstrap samples behind the intervals.
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
    return damage.apply(crop, number, strength)


def _outcome(
    damage: Damage, strength: float, found: np.ndarray, split: Split, right: np.ndarray, weights: np.ndarray
) -> Outcome:
    """right: what was read right of the undamaged pictures, bool (N, attributes)."""
    still_right = (found > 0.5) == split.labels
    lost = right.astype(float) - still_right
    samples = metrics.mean(metrics.known_means(lost, split.known, weights))
    figures = metrics.figures(split.labels, found, np.zeros(found.shape[1], bool), split.known)
    return Outcome(
        damage.kind,
        damage.unit,
        strength,
        round(float(metrics.by_picture(still_right, split.known).mean()), 6),
        scores.json_number(metrics.mean(figures["balanced_accuracy"])),
        round(float(metrics.by_picture(lost, split.known).mean()), 6),
        scores.json_interval(bootstrap.interval(samples)),
    )
