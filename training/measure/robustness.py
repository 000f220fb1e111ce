"""How accuracy falls as crops get worse: moved as alignment may leave them, and spoilt as cameras and networks do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np

from slimnet import Predictor
from training.data.augment import compress
from training.data.celeba import Split
from training.measure import metrics
from training.measure.metrics import Interval
from training.measure.predictions import evenly, probabilities, raw_logits


def move(crop: np.ndarray, number: int, scale: float = 1.0, turn: float = 0.0, shift: float = 0.0) -> np.ndarray:
    """Scale, turn (degrees) and shift (fraction of the sides) about the centre; directions change from crop to crop.

    Borders are replicated, as in CelebA's own crops.
    """
    height, width = crop.shape[:2]
    sign_x, sign_y = ((1, 1), (-1, 1), (1, -1), (-1, -1))[number % 4]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), sign_x * turn, scale)
    matrix[:, 2] += sign_x * shift * width, sign_y * shift * height
    return cv2.warpAffine(crop, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def shrink(crop: np.ndarray, share: float) -> np.ndarray:
    """Lose the detail that a smaller picture does not have."""
    height, width = crop.shape[:2]
    small = cv2.resize(crop, (round(width * share), round(height * share)), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


@dataclass(frozen=True)
class Damage:
    """A kind of damage. unit: of its strengths; apply: (crop, its number, strength) -> crop, uint8 RGB (H, W, 3)."""

    kind: str
    unit: str
    strengths: tuple[float, ...]
    apply: Callable[[np.ndarray, int, float], np.ndarray]


# From mild to strong.
DAMAGES = (
    Damage("shift", "% of the sides, diagonally", (2, 5, 10, 15), lambda c, n, s: move(c, n, shift=s / 100)),
    Damage("enlarged", "% of the size", (105, 110, 120, 135), lambda c, n, s: move(c, n, scale=s / 100)),
    Damage("shrunk", "% of the size", (95, 90, 80, 70), lambda c, n, s: move(c, n, scale=s / 100)),
    Damage("turn", "degrees", (5, 10, 20, 30), lambda c, n, s: move(c, n, turn=s)),
    Damage("blur", "sigma in pixels", (1, 2, 3, 5), lambda c, _, s: cv2.GaussianBlur(c, (0, 0), s)),
    # Not 50: it is twice as coarse as the quality 75 of CelebA's own files, whose values then fall between two steps.
    Damage("JPEG", "quality", (60, 40, 20, 10), lambda c, _, s: compress(c, int(s))),
    Damage("darkness", "% of the light", (70, 50, 30, 15), lambda c, _, s: cv2.convertScaleAbs(c, alpha=s / 100)),
    Damage("detail", "% of the pixels a side", (50, 33, 25, 15), lambda c, _, s: shrink(c, s / 100)),
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
    """Show the network at most so many crops of a split under each strength of each damage."""
    split = evenly(split, images)
    weights = metrics.drawn(split.identities, resamples)
    clean = probabilities(predictor, split, batch_size, title="undamaged")
    right = (clean > 0.5) == split.labels
    flipped = probabilities(predictor, split, batch_size, lambda crop, _: crop[:, ::-1], "mirrored")
    both = raw_logits(clean, predictor.calibration) + raw_logits(flipped, predictor.calibration) > 0
    outcomes = []
    for damage, strength in [(each, strength) for each in DAMAGES for strength in each.strengths]:
        change = partial(apply, damage, strength)
        found = probabilities(predictor, split, batch_size, change, f"{damage.kind} {strength:g}")
        outcomes.append(outcome(damage, strength, found, split, right, weights))
    undamaged, mirrored = (
        round(float(metrics.by_picture(each, split.known).mean()), 6) for each in (right, both == split.labels)
    )
    return Robustness(len(split), undamaged, mirrored, tuple(outcomes))


def apply(damage: Damage, strength: float, crop: np.ndarray, number: int) -> np.ndarray:
    return damage.apply(crop, number, strength)


def outcome(
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
        metrics.number(metrics.mean(figures["balanced_accuracy"])),
        round(float(metrics.by_picture(lost, split.known).mean()), 6),
        metrics.ends(metrics.interval(samples)),
    )
