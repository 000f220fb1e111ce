"""Figures of binary attributes, and how far chance in the choice of pictures moves them (bootstrap).

Labels are bool (N, attributes); `known`, of the same shape, says which of them there are. All figures are of these
alone, and nan for an attribute that has none.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn import metrics

Interval = tuple[float, float]

# In the order of every table: those of the ticks and of the ranking by probability, then those of the labels alone.
NETWORK_FIGURES = ("accuracy", "balanced_accuracy", "precision", "recall", "f1", "average_precision", "roc_auc")
FIGURES = (*NETWORK_FIGURES, "majority_accuracy", "positive_share")


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Figures as shares from 0 to 1, of an attribute or, as means over those that have one, of several.

    accuracy, balanced_accuracy (mean of the recalls of both classes), precision, recall, f1: of the ticks, which are at
    probability 0.5. average_precision, roc_auc: of the order that the probabilities put the pictures in.
    majority_accuracy: of always saying what the training split mostly says. positive_share: of the labels.
    None: not defined, since the pictures show only one class, or, for precision, nothing was ticked.
    intervals: by a figure's name, the ends of its 95 % bootstrap interval, people drawn anew; None as above. Also
    "above_majority": of accuracy less majority_accuracy, on the same pictures.
    """

    accuracy: float | None
    balanced_accuracy: float | None
    precision: float | None
    recall: float | None
    f1: float | None
    average_precision: float | None
    roc_auc: float | None
    majority_accuracy: float | None
    positive_share: float | None
    intervals: dict[str, Interval | None]


@dataclass(frozen=True, kw_only=True)
class AttributeScores(Scores):
    """The scores of one attribute. known: how many of its labels are."""

    attribute: str
    known: int


def figures(
    labels: np.ndarray, probabilities: np.ndarray, majority: np.ndarray, known: np.ndarray
) -> dict[str, np.ndarray]:
    """Each of FIGURES for every attribute, float64 (attributes,), nan where it is not defined; by scikit-learn.

    probabilities: float (N, attributes); majority: bool (attributes,), of training.
    """
    rows = [
        column_figures(labels[there, n], probabilities[there, n], bool(majority[n])) for n, there in enumerate(known.T)
    ]
    return {name: np.array([row[name] for row in rows]) for name in FIGURES}


def column_figures(truth: np.ndarray, probability: np.ndarray, majority: bool) -> dict[str, float]:
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


def drawn(identities: np.ndarray, resamples: int, seed: int = 0) -> np.ndarray:
    """How often each picture is in each bootstrap sample: float32 (resamples, N), always the same.

    identities: (N,), whom each picture shows. People are drawn, each with all pictures of theirs: these are alike, so
    drawing pictures would take chance for smaller than it is.
    """
    people, person = np.unique(identities, return_inverse=True)
    rng = np.random.default_rng(seed)
    times = rng.multinomial(len(people), np.full(len(people), 1 / len(people)), size=resamples)
    return times[:, person].astype(np.float32)


def resampled(
    labels: np.ndarray, probabilities: np.ndarray, majority: np.ndarray, known: np.ndarray, weights: np.ndarray
) -> dict[str, np.ndarray]:
    """As figures, for every bootstrap sample: float64 (resamples, attributes).

    weights: of each picture in each sample, (resamples, N). scikit-learn takes one sample of one attribute at a time,
    which takes minutes; here each attribute is sorted once for all samples (a test holds both against each other).
    """
    ranked = [
        ranking(labels[there, n], probabilities[there, n], weights if there.all() else weights[:, there])
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


def ranking(truth: np.ndarray, probability: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
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


def number(value: float | np.ndarray) -> float | None:
    """For JSON, which knows no nan: None instead; six decimals."""
    return None if np.isnan(value) else round(float(value), 6)


def ends(low_high: np.ndarray) -> Interval | None:
    low, high = number(low_high[0]), number(low_high[1])
    return None if low is None or high is None else (low, high)


def attribute_scores(
    names: Sequence[str], known: np.ndarray, values: dict[str, np.ndarray], samples: dict[str, np.ndarray]
) -> tuple[AttributeScores, ...]:
    """Figures (attributes,) and their samples (resamples, attributes), by attribute."""
    spans = {name: interval(sample) for name, sample in with_difference(samples).items()}
    return tuple(
        AttributeScores(
            attribute=attribute,
            known=int(known[:, n].sum()),
            **{name: number(values[name][n]) for name in FIGURES},
            intervals={name: ends(span[:, n]) for name, span in spans.items()},
        )
        for n, attribute in enumerate(names)
    )


def mean_scores(values: dict[str, np.ndarray], samples: dict[str, np.ndarray]) -> Scores:
    """The means over the attributes."""
    return Scores(
        **{name: number(mean(values[name])) for name in FIGURES},
        intervals={name: ends(interval(mean(sample))) for name, sample in with_difference(samples).items()},
    )


def with_difference(samples: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {**samples, "above_majority": samples["accuracy"] - samples["majority_accuracy"]}
