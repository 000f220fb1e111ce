"""Cluster bootstrap over people: 95 % intervals for the metrics."""

import warnings

import numpy as np

_SEED = 0  # the same samples in every run, so that figures can be compared
_RANKED_AT_ONCE = 4_000_000  # images times samples: more would only need more memory, hundreds of megabytes already


def draw(identities: np.ndarray, resamples: int) -> np.ndarray:
    """Draw bootstrap samples of people, each with all their images.

    Images of one person are alike, so resampling single images would make the intervals too narrow (cluster bootstrap).

    Args:
        identities: (N,), who is in each image; only equality matters.
        resamples: Number of bootstrap samples.

    Returns:
        float32 (resamples, N), how often each image occurs in each sample.
    """
    people, person = np.unique(identities, return_inverse=True)
    rng = np.random.default_rng(_SEED)
    times = rng.multinomial(len(people), np.full(len(people), 1 / len(people)), size=resamples)
    return times.astype(np.float32)[:, person]


def resampled(
    labels: np.ndarray, probabilities: np.ndarray, known: np.ndarray, weights: np.ndarray
) -> dict[str, np.ndarray]:
    """Compute the metrics of metrics.figures for every bootstrap sample.

    scikit-learn handles one sample of one attribute at a time, which takes minutes; this sorts each attribute once for
    all samples. A test checks that both agree.

    Args:
        labels: bool (N, attributes).
        probabilities: float (N, attributes), from 0 to 1.
        known: bool (N, attributes), which labels are known.
        weights: float32 (resamples, N), from draw.

    Returns:
        float64 (resamples, attributes) by the metric's name, as from metrics.figures; nan if undefined.
    """
    samples_at_once = max(1, _RANKED_AT_ONCE // max(1, len(labels)))
    parts = [weights[first : first + samples_at_once] for first in range(0, len(weights), samples_at_once)]
    ranked = [
        np.concatenate([_ranking(labels[there, n], probabilities[there, n], part[:, there]) for part in parts], axis=1)
        for n, there in enumerate(known.T)
    ]
    average_precision, roc_auc = np.stack(ranked, axis=-1)
    return {
        **resampled_ticks(labels, probabilities, known, weights),
        "average_precision": average_precision,
        "roc_auc": roc_auc,
    }


def resampled_ticks(
    labels: np.ndarray, probabilities: np.ndarray, known: np.ndarray, weights: np.ndarray
) -> dict[str, np.ndarray]:
    """Compute the metrics of `resampled` except the ranking ones, average precision and ROC AUC; this is faster.

    Args:
        labels: bool (N, attributes).
        probabilities: float (N, attributes), from 0 to 1; above 0.5 is a positive prediction.
        known: bool (N, attributes), which labels are known.
        weights: float32 (resamples, N), from draw.

    Returns:
        float64 (resamples, attributes) by the metric's name; nan if undefined.
    """
    ticked = probabilities > 0.5

    def count(chosen: np.ndarray) -> np.ndarray:
        return (weights @ (chosen & known).astype(np.float32)).astype(np.float64)

    size = count(known)
    hits, ticks, positives = count(labels & ticked), count(ticked), count(labels)
    rejections = count(~labels & ~ticked)
    with np.errstate(divide="ignore", invalid="ignore"):  # 0 / 0 gives nan: undefined in this sample
        recall = hits / positives
        return {
            "accuracy": (hits + rejections) / size,
            "balanced_accuracy": (recall + rejections / (size - positives)) / 2,
            "precision": hits / ticks,
            "recall": recall,
            "f1": 2 * hits / (ticks + positives),
            "positive_share": positives / size,
        }


def _ranking(truth: np.ndarray, probability: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Average precision and ROC AUC of one attribute for every bootstrap sample.

    Args:
        truth: bool (N,), the known labels.
        probability: float (N,).
        weights: float32 (resamples, N).

    Returns:
        Two arrays (resamples,), nan if undefined.
    """
    if not len(truth):
        return np.full(len(weights), np.nan), np.full(len(weights), np.nan)
    order = np.argsort(-probability, kind="stable")
    last_of_equal = np.flatnonzero(np.append(np.diff(probability[order]) != 0, True))  # ties share one step
    sorted_weights = weights[:, order]
    seen = np.cumsum(sorted_weights, axis=1)[:, last_of_equal]
    hits = np.cumsum(sorted_weights * truth[order], axis=1)[:, last_of_equal]
    new_hits = np.diff(hits, axis=1, prepend=0)
    precision = np.divide(hits, seen, out=np.zeros_like(hits), where=seen > 0)
    false = seen - hits
    before = np.cumsum(new_hits, axis=1, dtype=np.float64) - new_hits / 2  # half of each tie counts as before
    area = (np.diff(false, axis=1, prepend=0) * before).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        average_precision = (new_hits * precision).sum(axis=1, dtype=np.float64) / hits[:, -1]
        return average_precision, area / (hits[:, -1].astype(np.float64) * false[:, -1])


def interval(values: np.ndarray) -> np.ndarray:
    """Compute the 95 % percentile interval over the bootstrap samples.

    Args:
        values: (resamples, …), a metric in each sample; nan if undefined.

    Returns:
        (2, …), the lower and the upper end; nan samples are skipped, and the result is nan if all are.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # all nan: undefined in every sample
        return np.nanquantile(values, (0.025, 0.975), axis=0)
