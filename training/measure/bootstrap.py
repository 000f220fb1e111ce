"""Bootstrap: how far chance in the choice of people moves the figures, and 95 % intervals."""

from __future__ import annotations

import warnings

import numpy as np


def draw(identities: np.ndarray, resamples: int, seed: int = 0) -> np.ndarray:
    """Draw bootstrap samples of people, each with all their pictures.

    Pictures of one person are alike, so drawing pictures would make the intervals too narrow (cluster bootstrap).

    Args:
        identities: (N,), the person in each picture, in any numbers.
        resamples: How many samples.
        seed: The same seed gives the same samples.

    Returns:
        float32 (resamples, N), how often each picture is in each sample.
    """
    people, person = np.unique(identities, return_inverse=True)
    rng = np.random.default_rng(seed)
    times = rng.multinomial(len(people), np.full(len(people), 1 / len(people)), size=resamples)
    return times[:, person].astype(np.float32)


def resampled(
    labels: np.ndarray, probabilities: np.ndarray, majority: np.ndarray, known: np.ndarray, weights: np.ndarray
) -> dict[str, np.ndarray]:
    """Compute metrics.figures of every bootstrap sample.

    scikit-learn takes one sample of one attribute at a time, which takes minutes; here each attribute is sorted once
    for all samples (a test holds both against each other).

    Args:
        labels, known: bool (N, attributes).
        probabilities: float (N, attributes).
        majority: bool (attributes,), of training.
        weights: (resamples, N), by draw.

    Returns:
        By name, float64 (resamples, attributes); nan where not defined.
    """
    ranked = [
        _ranking(labels[there, n], probabilities[there, n], weights if there.all() else weights[:, there])
        for n, there in enumerate(known.T)
    ]
    return {
        **resampled_ticks(labels, probabilities, majority, known, weights),
        "average_precision": np.stack([average_precision for average_precision, _ in ranked], axis=1),
        "roc_auc": np.stack([roc_auc for _, roc_auc in ranked], axis=1),
    }


def resampled_ticks(
    labels: np.ndarray, probabilities: np.ndarray, majority: np.ndarray, known: np.ndarray, weights: np.ndarray
) -> dict[str, np.ndarray]:
    """The quicker part of resampled: all but the figures of the order."""
    ticked = probabilities > 0.5

    def count(chosen: np.ndarray) -> np.ndarray:
        return (weights @ (chosen & known).astype(np.float32)).astype(np.float64)

    size = count(known)
    hits, ticks, positives = count(labels & ticked), count(ticked), count(labels)
    rejections = count(~labels & ~ticked)
    with np.errstate(divide="ignore", invalid="ignore"):  # 0 / 0 gives nan: not defined in this sample
        recall = hits / positives
        return {
            "accuracy": (hits + rejections) / size,
            "balanced_accuracy": (recall + rejections / (size - positives)) / 2,
            "precision": hits / ticks,
            "recall": recall,
            "f1": 2 * hits / (ticks + positives),
            "majority_accuracy": np.where(majority, positives, size - positives) / size,
            "positive_share": positives / size,
        }


def _ranking(truth: np.ndarray, probability: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Average precision and ROC area of one attribute for every bootstrap sample, each (resamples,)."""
    if not len(truth):
        return np.full(len(weights), np.nan), np.full(len(weights), np.nan)
    order = np.argsort(-probability, kind="stable")
    last_of_equal = np.flatnonzero(np.append(np.diff(probability[order]) != 0, True))  # equal ones are passed together
    sorted_weights = weights[:, order]
    seen = np.cumsum(sorted_weights, axis=1)[:, last_of_equal]
    hits = np.cumsum(sorted_weights * truth[order], axis=1)[:, last_of_equal]
    new_hits = np.diff(hits, axis=1, prepend=0)
    precision = np.divide(hits, seen, out=np.zeros_like(hits), where=seen > 0)
    false = seen - hits
    before = np.cumsum(new_hits, axis=1, dtype=np.float64) - new_hits / 2  # of equal ones half count as before
    area = (np.diff(false, axis=1, prepend=0) * before).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        average_precision = (new_hits * precision).sum(axis=1, dtype=np.float64) / hits[:, -1]
        return average_precision, area / (hits[:, -1].astype(np.float64) * false[:, -1])


def interval(values: np.ndarray) -> np.ndarray:
    """The ends of the 95 % interval over the samples in front: (resamples, …) -> (2, …); nan where all are nan."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # all nan: not defined in any sample
        return np.nanquantile(values, (0.025, 0.975), axis=0)
