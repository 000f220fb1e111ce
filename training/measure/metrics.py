"""Figures of binary attributes: accuracy, F1, ROC area and so on, and their means.

Labels are bool (N, attributes); `known`, of the same shape, says which of them there are. All figures are of these
alone, and nan for an attribute that has none.
"""

from __future__ import annotations

import warnings

import numpy as np
from sklearn import metrics

# In the order of every table: those of the ticks and of the ranking by probability, then those of the labels alone.
NETWORK_FIGURES = ("accuracy", "balanced_accuracy", "precision", "recall", "f1", "average_precision", "roc_auc")
FIGURES = (*NETWORK_FIGURES, "majority_accuracy", "positive_share")


def figures(
    labels: np.ndarray, probabilities: np.ndarray, majority: np.ndarray, known: np.ndarray
) -> dict[str, np.ndarray]:
    """Each of FIGURES for every attribute, float64 (attributes,), nan where it is not defined; by scikit-learn.

    probabilities: float (N, attributes); majority: bool (attributes,), of training.
    """
    rows = [
        _column_figures(labels[there, n], probabilities[there, n], bool(majority[n])) for n, there in enumerate(known.T)
    ]
    return {name: np.array([row[name] for row in rows]) for name in FIGURES}


def _column_figures(truth: np.ndarray, probability: np.ndarray, majority: bool) -> dict[str, float]:
    if not len(truth):
        return dict.fromkeys(FIGURES, np.nan)
    ticked = probability > 0.5
    both = 0 < truth.sum() < len(truth)
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        truth, ticked, average="binary", zero_division=np.nan
    )
    return {
        "accuracy": metrics.accuracy_score(truth, ticked),
        "balanced_accuracy": metrics.balanced_accuracy_score(truth, ticked) if both else np.nan,
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "average_precision": metrics.average_precision_score(truth, probability) if truth.any() else np.nan,
        "roc_auc": metrics.roc_auc_score(truth, probability) if both else np.nan,
        "majority_accuracy": metrics.accuracy_score(truth, np.full(len(truth), majority)),
        "positive_share": float(truth.mean()),
    }


def known_means(values: np.ndarray, known: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean of each attribute's values (N, attributes) over its known ones, in every sample: (resamples, attributes)."""
    with np.errstate(invalid="ignore"):
        return (weights @ np.where(known, values, 0)) / (weights @ known.astype(weights.dtype))


def by_picture(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Of values (N, attributes) what each picture adds, (N,): their mean is the mean over the attributes of the means
    over the known ones."""
    counts = known.sum(axis=0)
    share = known / np.maximum(counts, 1)
    return (np.where(known, values, 0) * share).sum(axis=1) * len(values) / max(1, np.count_nonzero(counts))


def shares(labels: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Of every attribute the share of known labels that are on, (attributes,)."""
    return known_means(labels, known, np.ones((1, len(labels))))[0]


def mean_with_error(values: np.ndarray, identities: np.ndarray) -> tuple[float, float]:
    """Mean of (N,) and its standard error, pictures of one person, by identities (N,), taken together."""
    middle = float(values.mean())
    by_person = np.bincount(np.unique(identities, return_inverse=True)[1], values - middle)
    return middle, float(np.sqrt(np.square(by_person).sum())) / len(values)


def mean(values: np.ndarray) -> np.ndarray:
    """Over the attributes, the last axis, that have a figure: (…, attributes) -> (…); nan where none has one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.nanmean(values, axis=-1)
