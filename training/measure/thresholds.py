"""Where each attribute's logit is decided: at 0, unless the validation split clearly supports another place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from training.measure.metrics import by_picture, mean_with_error

_SUPPORTED = 1.645  # standard errors that an attribute's gain must be above nothing: one-sided 95 %


@dataclass(frozen=True)
class Thresholds:
    """Where each attribute's logit is decided, and whether moving there pays.

    logits: (attributes,), 0 where validation does not support another. gain: of accuracy, mean over the attributes, on
    people that the thresholds were not fitted on; low, high: its 95 % interval. folded: whether they were used.
    """

    logits: tuple[float, ...]
    gain: float
    low: float
    high: float
    folded: bool


_FOLDS = 5  # and the least people with a known label for a threshold to be tried


def _gains(logits: np.ndarray, labels: np.ndarray, threshold: np.ndarray | float) -> np.ndarray:
    """1 where a threshold makes a decision right that is wrong at 0, -1 where it makes it wrong, else 0."""
    return ((logits > threshold) == labels).astype(float) - ((logits > 0) == labels)


def _even_odds(logits: np.ndarray, labels: np.ndarray) -> float:
    """The logit (N,) at which labels (N,) are as often on as off, by logistic regression; 0 where there is none."""
    if labels.all() or not labels.any():
        return 0.0
    line = LogisticRegression(C=np.inf).fit(logits[:, None], labels)
    slope, offset = float(line.coef_[0, 0]), float(line.intercept_[0])
    return -offset / slope if slope > 0 else 0.0


def fit_thresholds(logits: np.ndarray, labels: np.ndarray, known: np.ndarray, identities: np.ndarray) -> np.ndarray:
    """(attributes,): where accuracy is highest, but 0 where cross-validation does not clearly show a gain.

    The best threshold on the very pictures would follow their noise (found on 1,500 pictures it lost 0.08 points on
    others), so the logit of even odds is taken, a smooth fit to all of them, and only where it gains on held-out folds.
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


def judge_thresholds(
    logits: np.ndarray, labels: np.ndarray, known: np.ndarray, identities: np.ndarray, repeats: int = 3
) -> Thresholds:
    """Fit them, and find out on halves that the choice never saw whether it pays; folded only if it clearly does."""
    gain = np.zeros((repeats, *logits.shape))
    for repeat in range(repeats):
        for fitted, held_out in people_apart(2, identities, seed=repeat):
            threshold = fit_thresholds(logits[fitted], labels[fitted], known[fitted], identities[fitted])
            gain[repeat, held_out] = _gains(logits[held_out], labels[held_out], threshold)
    mean, error = mean_with_error(by_picture(gain.mean(axis=0), known), identities)
    low, high = mean - 1.96 * error, mean + 1.96 * error
    found = fit_thresholds(logits, labels, known, identities)
    return Thresholds(tuple(found.tolist()), mean, low, high, folded=low > 0)


def people_apart(folds: int, identities: np.ndarray, seed: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The numbers of the pictures to fit on and to hold out, for each fold: no person is in both."""
    return GroupKFold(folds, shuffle=True, random_state=seed).split(identities, groups=identities)
