"""How well probabilities are calibrated: reliability diagrams, ECE (Guo et al. 2017) and log loss."""

from dataclasses import dataclass

import numpy as np

from training.measure import bootstrap, metrics, scores

BINS = 15


@dataclass(frozen=True)
class Diagram:
    """A reliability diagram, and the expected calibration error (ECE).

    The predictions of all attributes are pooled into BINS bins of equal width; empty bins are left out.

    Attributes:
        predicted: Mean probability in each bin.
        observed: Share of positive labels in each bin.
        answers: Number of predictions in each bin.
        error: ECE: the mean of |observed - predicted|, weighted by the number of predictions.
        attribute_errors: ECE of each attribute in bins of its own; None if no label is known. They hold fewer
            predictions, so chance makes these larger.
    """

    predicted: tuple[float, ...]
    observed: tuple[float, ...]
    answers: tuple[int, ...]
    error: float
    attribute_errors: tuple[float | None, ...]


@dataclass(frozen=True)
class LogLoss:
    """Log loss without and with temperatures.

    Each is averaged over the known labels of an attribute, then over the attributes.

    Attributes:
        before: Log loss in nats, without temperatures.
        served: Log loss in nats, with temperatures.
        change: served minus before; negative if temperatures help.
        interval: 95 % bootstrap interval of the change.
    """

    before: float
    served: float
    change: float
    interval: scores.Interval


def log_losses(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Compute the negative log-likelihood of every label.

    Args:
        logits: float (N, attributes), or any other shape.
        labels: bool, of the same shape.

    Returns:
        float, of the same shape, in nats.
    """
    return np.logaddexp(0, np.where(labels, -logits, logits))


def compare(
    labels: np.ndarray, known: np.ndarray, logits: np.ndarray, temperatures: np.ndarray, draws: np.ndarray
) -> LogLoss:
    """Compare the log loss without and with temperatures.

    Args:
        labels: bool (N, attributes).
        known: bool (N, attributes), which labels are known.
        logits: float (N, attributes), without temperatures.
        temperatures: (attributes,), or a scalar for all; the logits are divided by them.
        draws: float32 (resamples, N), from bootstrap.draw.
    """
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
    """Build the reliability diagram; at least one label must be known.

    Args:
        labels: bool (N, attributes).
        known: bool (N, attributes), which labels are known.
        probabilities: float (N, attributes), from 0 to 1.
    """
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
    """Average the ECE over the attributes with known labels.

    Args:
        found: The diagram with each attribute's ECE.
    """
    return float(np.mean([each for each in found.attribute_errors if each is not None]))


def _bins(truth: np.ndarray, probability: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Observed share, mean probability and number of predictions of each bin that isn't empty.

    Args:
        truth: bool (n,).
        probability: float (n,), from 0 to 1.
    """
    from sklearn.calibration import calibration_curve  # takes seconds to import, and training needs only log_losses

    observed, predicted = calibration_curve(truth, probability, n_bins=BINS)
    inner = np.linspace(0, 1, BINS + 1)[1:-1]
    answers = np.bincount(np.searchsorted(inner, probability), minlength=BINS)  # bins like calibration_curve
    return observed, predicted, answers[answers > 0]


def error(observed: np.ndarray, predicted: np.ndarray, answers: np.ndarray) -> float:
    """Compute the expected calibration error, rounded to six decimals.

    Args:
        observed: (bins,), share of positive labels in each bin.
        predicted: (bins,), mean probability in each bin.
        answers: (bins,), number of predictions in each bin.
    """
    return round(float(np.average(np.abs(observed - predicted), weights=answers)), 6)
