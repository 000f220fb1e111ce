"""Do probabilities mean what they say? Reliability diagrams and the expected calibration error (Guo et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.calibration import calibration_curve

BINS = 15


@dataclass(frozen=True)
class Diagram:
    """Answers of all attributes in BINS bins of equal width by their probability; bins without answers are left out.

    predicted: the mean probability of a bin; observed: the share of its labels that are on; answers: how many.
    error: mean distance of predicted and observed, by answers. attribute_errors: the same in the bins of each attribute
    alone, which is larger by chance since they hold fewer answers.
    """

    predicted: tuple[float, ...]
    observed: tuple[float, ...]
    answers: tuple[int, ...]
    error: float
    attribute_errors: tuple[float, ...]


def diagram(labels: np.ndarray, probabilities: np.ndarray) -> Diagram:
    """labels: bool (N, attributes); probabilities: float (N, attributes)."""
    observed, predicted, answers = bins(labels.ravel(), probabilities.ravel())
    errors = [error(*bins(labels[:, n], probabilities[:, n])) for n in range(labels.shape[1])]
    return Diagram(
        tuple(predicted.round(6).tolist()),
        tuple(observed.round(6).tolist()),
        tuple(answers.tolist()),
        error(observed, predicted, answers),
        tuple(errors),
    )


def bins(truth: np.ndarray, probability: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Observed, predicted and the number of answers of each bin that holds any."""
    observed, predicted = calibration_curve(truth, probability, n_bins=BINS)
    inner = np.linspace(0, 1, BINS + 1)[1:-1]
    answers = np.bincount(np.searchsorted(inner, probability), minlength=BINS)  # as calibration_curve puts them
    return observed, predicted, answers[answers > 0]


def error(observed: np.ndarray, predicted: np.ndarray, answers: np.ndarray) -> float:
    return round(float(np.average(np.abs(observed - predicted), weights=answers)), 6)
