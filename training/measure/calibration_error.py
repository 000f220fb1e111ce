"""Do probabilities mean what they say? Reliability diagrams, calibration error (Guo et al. 2017) and log loss."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.calibration import calibration_curve

from training.measure import bootstrap, metrics, scores

BINS = 15


@dataclass(frozen=True)
class Diagram:
    """Answers of all attributes in BINS bins of equal width by their probability; bins without answers are left out.

    predicted: the mean probability of a bin; observed: the share of its labels that are on; answers: how many.
    error: mean distance of predicted and observed, by answers. attribute_errors: the same in the bins of each attribute
    alone, which is larger by chance since they hold fewer answers; None where no label is known.
    """

    predicted: tuple[float, ...]
    observed: tuple[float, ...]
    answers: tuple[int, ...]
    error: float
    attribute_errors: tuple[float | None, ...]


@dataclass(frozen=True)
class LogLoss:
    """Mean negative log-likelihood of probabilities without temperatures and with them: of each attribute over its
    known labels, then over the attributes.

    change: of the second against the first, below 0 where temperatures help; interval: its 95 % bootstrap interval.
    """

    before: float
    served: float
    change: float
    interval: scores.Interval


def log_losses(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The negative log-likelihood of every answer, of the arguments' shape."""
    return np.logaddexp(0, np.where(labels, -logits, logits))


def compare(
    labels: np.ndarray, known: np.ndarray, logits: np.ndarray, temperatures: np.ndarray, draws: np.ndarray
) -> LogLoss:
    """labels, known, logits: (N, attributes); temperatures: (attributes,); draws: of bootstrap.draw, (resamples, N)."""
    losses = log_losses(logits, labels), log_losses(logits / temperatures, labels)
    before, served = (float(metrics.by_picture(each, known).mean()) for each in losses)
    low, high = bootstrap.interval(metrics.mean(metrics.known_means(losses[1] - losses[0], known, draws)))
    return LogLoss(
        before=round(before, 6),
        served=round(served, 6),
        change=round(served - before, 6),
        interval=(round(float(low), 6), round(float(high), 6)),
    )


def diagram(labels: np.ndarray, known: np.ndarray, probabilities: np.ndarray) -> Diagram:
    """labels, known: bool (N, attributes); probabilities: float (N, attributes). Some label must be known."""
    observed, predicted, answers = _bins(labels[known], probabilities[known])
    errors = [
        error(*_bins(labels[there, n], probabilities[there, n])) if there.any() else None
        for n, there in enumerate(known.T)
    ]
    return Diagram(
        tuple(predicted.round(6).tolist()),
        tuple(observed.round(6).tolist()),
        tuple(answers.tolist()),
        error(observed, predicted, answers),
        tuple(errors),
    )


def mean_error(found: Diagram) -> float:
    """The mean of the attributes' errors."""
    return float(np.mean([each for each in found.attribute_errors if each is not None]))


def _bins(truth: np.ndarray, probability: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Observed, predicted and the number of answers of each bin that holds any."""
    observed, predicted = calibration_curve(truth, probability, n_bins=BINS)
    inner = np.linspace(0, 1, BINS + 1)[1:-1]
    answers = np.bincount(np.searchsorted(inner, probability), minlength=BINS)  # as calibration_curve puts them
    return observed, predicted, answers[answers > 0]


def error(observed: np.ndarray, predicted: np.ndarray, answers: np.ndarray) -> float:
    return round(float(np.average(np.abs(observed - predicted), weights=answers)), 6)
