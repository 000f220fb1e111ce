"""Metrics of binary attributes: accuracy, F1, ROC AUC and others, and their means.

Labels are bool (N, attributes); `known`, of the same shape, marks the labels that exist. All metrics use
only these, and are nan for an attribute without any.
"""

import warnings

import numpy as np

# In the order of every table: metrics of the predictions, then of the labels alone.
NETWORK_FIGURES = ("accuracy", "balanced_accuracy", "precision", "recall", "f1", "average_precision", "roc_auc")
FIGURES = (*NETWORK_FIGURES, "majority_accuracy", "positive_share")
_SPLIT_FIGURES = (*NETWORK_FIGURES, "positive_share")  # the others also need the training split


def figures(labels: np.ndarray, probabilities: np.ndarray, known: np.ndarray) -> dict[str, np.ndarray]:
    """Compute each of FIGURES except majority_accuracy for every attribute with scikit-learn.

    Args:
        labels: bool (N, attributes).
        probabilities: float (N, attributes), from 0 to 1; above 0.5 is a positive prediction.
        known: bool (N, attributes), which labels are known.

    Returns:
        For each name, float64 (attributes,); nan if undefined.
    """
    rows = [_column_figures(labels[there, n], probabilities[there, n]) for n, there in enumerate(known.T)]
    return {name: np.array([row[name] for row in rows]) for name in _SPLIT_FIGURES}


def majority_accuracy(labels: np.ndarray, majority: np.ndarray, known: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Compute the accuracy of always predicting the majority class, for every attribute and bootstrap sample.

    Args:
        labels: bool (N, attributes).
        majority: bool (attributes,), whether most training labels of an attribute are positive.
        known: bool (N, attributes), which labels are known.
        weights: (resamples, N), how often each image occurs in each sample.

    Returns:
        (resamples, attributes), from 0 to 1; nan if a sample has no known label.
    """
    return known_means(labels == majority, known, weights)


def _column_figures(truth: np.ndarray, probability: np.ndarray) -> dict[str, float]:
    """_SPLIT_FIGURES of one attribute, from its known labels.

    Args:
        truth: bool (n,), the known labels.
        probability: float (n,).
    """
    from sklearn import metrics  # takes seconds to import, and training needs it only when an epoch is judged

    if not len(truth):
        return dict.fromkeys(_SPLIT_FIGURES, np.nan)
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
        "positive_share": float(truth.mean()),
    }


def known_means(values: np.ndarray, known: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Average each attribute's values over its known labels, in every bootstrap sample.

    Args:
        values: (N, attributes), numbers or bool.
        known: bool (N, attributes), which labels are known.
        weights: (resamples, N), how often each image occurs in each sample.

    Returns:
        (resamples, attributes); nan if a sample has no known label.
    """
    with np.errstate(invalid="ignore"):
        return (weights @ np.where(known, values, 0)) / (weights @ known.astype(weights.dtype))


def by_picture(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Split a mean over attributes into one contribution per image.

    The contributions average to the mean over the attributes with known labels, each averaged over those labels.

    Args:
        values: (N, attributes), numbers or bool.
        known: bool (N, attributes), which labels are known.

    Returns:
        float (N,).
    """
    counts = known.sum(axis=0)
    share = known / np.maximum(counts, 1)
    return (np.where(known, values, 0) * share).sum(axis=1) * len(values) / max(1, np.count_nonzero(counts))


def shares(labels: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Compute the share of known labels that are positive, for every attribute.

    Args:
        labels: bool (N, attributes).
        known: bool (N, attributes), which labels are known.

    Returns:
        float (attributes,), from 0 to 1; nan if no label is known.
    """
    return known_means(labels, known, np.ones((1, len(labels))))[0]


def mean_with_error(values: np.ndarray, identities: np.ndarray) -> tuple[float, float]:
    """Compute a mean and its standard error, clustered by person.

    Args:
        values: (N,), one value per image.
        identities: (N,), who is in each image.

    Returns:
        The mean and its standard error.
    """
    middle = float(values.mean())
    by_person = np.bincount(np.unique(identities, return_inverse=True)[1], values - middle)
    return middle, float(np.sqrt(np.square(by_person).sum())) / len(values)


def mean(values: np.ndarray) -> np.ndarray:
    """Average over the attributes, the last axis, leaving out nans.

    Args:
        values: (…, attributes).

    Returns:
        (…); nan if every attribute is nan.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.nanmean(values, axis=-1)
