"""Decision thresholds on the logits: 0, unless the validation split clearly supports another."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from training.measure.metrics import by_picture, mean_with_error

_REPEATS = 3  # random divisions into halves, over which the gain is averaged
_SUPPORTED = 1.645  # standard errors by which an attribute's gain must exceed 0: one-sided 95 %


@dataclass(frozen=True)
class Thresholds:
    """Each attribute's decision threshold, and whether using them pays.

    Attributes:
        logits: (attributes,), the thresholds; 0 where validation does not support another.
        gain: Gain in accuracy, as a share, averaged over the attributes, on people the thresholds were not fitted on.
        low: Lower end of the gain's 95 % interval.
        high: Upper end of the gain's 95 % interval.
        folded: Whether the gain is clearly positive, so that the thresholds are folded into the last bias.
    """

    logits: tuple[float, ...]
    gain: float
    low: float
    high: float
    folded: bool


_FOLDS = 5  # also the minimum number of people with a known label for trying a threshold


def _gains(logits: np.ndarray, labels: np.ndarray, threshold: np.ndarray | float) -> np.ndarray:
    """1 if the threshold corrects a decision made at 0, -1 if it spoils one, otherwise 0."""
    return ((logits > threshold) == labels).astype(float) - ((logits > 0) == labels)


def _even_odds(logits: np.ndarray, labels: np.ndarray) -> float:
    """The logit at which labels are as often positive as negative, by logistic regression; 0 if there is none.

    Args:
        logits: float (n,).
        labels: bool (n,).
    """
    if labels.all() or not labels.any():
        return 0.0
    line = LogisticRegression(C=np.inf).fit(logits[:, None], labels)
    slope, offset = float(line.coef_[0, 0]), float(line.intercept_[0])
    return -offset / slope if slope > 0 else 0.0


def fit_thresholds(logits: np.ndarray, labels: np.ndarray, known: np.ndarray, identities: np.ndarray) -> np.ndarray:
    """Fit the threshold with the highest accuracy for each attribute; keep 0 unless cross-validation clearly gains.

    The best threshold on the fitted images themselves would follow their noise (chosen on 1,500 images, it lost 0.08
    points on others). So this takes the logit of even odds, a smooth fit to all images, and only if that gains on
    held-out folds.

    Args:
        logits: float (N, attributes).
        labels: bool (N, attributes).
        known: bool (N, attributes), which labels are known.
        identities: (N,), who is in each image; folds share no person.

    Returns:
        float64 (attributes,).
    """
    found = np.zeros(logits.shape[1])
    for n in range(logits.shape[1]):
        there = known[:, n]
        column, truth, people = logits[there, n], labels[there, n], identities[there]
        if len(np.unique(people)) < _FOLDS:
            continue
        gain = np.zeros(len(column))
        for fitted, held_out in people_apart(_FOLDS, people):
            threshold = _even_odds(column[fitted], truth[fitted])
            gain[held_out] = _gains(column[held_out], truth[held_out], threshold)
        mean, error = mean_with_error(gain, people)
        if mean > _SUPPORTED * error:
            found[n] = _even_odds(column, truth)
    return found


def judge_thresholds(logits: np.ndarray, labels: np.ndarray, known: np.ndarray, identities: np.ndarray) -> Thresholds:
    """Fit the thresholds, and estimate their gain by two-fold cross-validation over people.

    Args:
        logits: float (N, attributes).
        labels: bool (N, attributes).
        known: bool (N, attributes), which labels are known.
        identities: (N,), who is in each image; the halves share no person.

    Returns:
        The thresholds fitted on all images, with the held-out gain; folded if its interval is above 0.

    Raises:
        ValueError: There are fewer than two people.
    """
    gain = np.zeros((_REPEATS, *logits.shape))
    for repeat in range(_REPEATS):
        for fitted, held_out in people_apart(2, identities, seed=repeat):
            threshold = fit_thresholds(logits[fitted], labels[fitted], known[fitted], identities[fitted])
            gain[repeat, held_out] = _gains(logits[held_out], labels[held_out], threshold)
    mean, error = mean_with_error(by_picture(gain.mean(axis=0), known), identities)
    low, high = mean - 1.96 * error, mean + 1.96 * error
    found = fit_thresholds(logits, labels, known, identities)
    return Thresholds(tuple(found.tolist()), mean, low, high, folded=low > 0)


def people_apart(folds: int, identities: np.ndarray, seed: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Divide images into cross-validation folds that share no person.

    Args:
        folds: Number of folds.
        identities: (N,), who is in each image.
        seed: Seed of the shuffling.

    Yields:
        For each fold, the indices of the images to fit on and of those held out.

    Raises:
        ValueError: There are fewer people than folds; raised on iteration.
    """
    return GroupKFold(folds, shuffle=True, random_state=seed).split(identities, groups=identities)
