"""The scores of an evaluation, as evaluation.json holds them: figures with their 95 % intervals, rounded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.measure import bootstrap, metrics

Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Figures as shares from 0 to 1, of an attribute or, as means over those that have one, of several.

    accuracy, balanced_accuracy (mean of the recalls of both classes), precision, recall, f1: of the ticks, which are at
    probability 0.5. average_precision, roc_auc: of the order that the probabilities put the pictures in.
    majority_accuracy: of always saying what the training split mostly says. positive_share: of the labels.
    None: not defined, since the pictures show only one class, or, for precision, nothing was ticked.
    intervals: by a figure's name, the ends of its 95 % bootstrap interval, people resampled; None as above. Also
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


def json_number(value: float | np.ndarray) -> float | None:
    """For JSON, which knows no nan: None instead; six decimals."""
    return None if np.isnan(value) else round(float(value), 6)


def json_interval(low_high: np.ndarray) -> Interval | None:
    low, high = json_number(low_high[0]), json_number(low_high[1])
    return None if low is None or high is None else (low, high)


def attribute_scores(
    names: Sequence[str], known: np.ndarray, values: dict[str, np.ndarray], samples: dict[str, np.ndarray]
) -> tuple[AttributeScores, ...]:
    """Figures (attributes,) and their samples (resamples, attributes), by attribute."""
    spans = {name: bootstrap.interval(sample) for name, sample in _with_difference(samples).items()}
    return tuple(
        AttributeScores(
            attribute=attribute,
            known=int(known[:, n].sum()),
            **{name: json_number(values[name][n]) for name in metrics.FIGURES},
            intervals={name: json_interval(span[:, n]) for name, span in spans.items()},
        )
        for n, attribute in enumerate(names)
    )


def mean_scores(values: dict[str, np.ndarray], samples: dict[str, np.ndarray]) -> Scores:
    """The means over the attributes."""
    return Scores(
        **{name: json_number(metrics.mean(values[name])) for name in metrics.FIGURES},
        intervals={
            name: json_interval(bootstrap.interval(metrics.mean(sample)))
            for name, sample in _with_difference(samples).items()
        },
    )


def _with_difference(samples: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {**samples, "above_majority": samples["accuracy"] - samples["majority_accuracy"]}
