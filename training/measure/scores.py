"""The scores of an evaluation, as evaluation.json holds them: metrics with their 95 % intervals, rounded."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.measure import bootstrap, metrics

Interval = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Metrics from 0 to 1, of one attribute or averaged over the attributes that define them.

    None means undefined: no label is known, a class that the metric needs is missing or, for precision, nothing was
    predicted positive.

    Attributes:
        accuracy: Of the predictions, positive above probability 0.5.
        balanced_accuracy: Mean of both classes' recalls.
        precision: Share of positive predictions that are correct.
        recall: Share of positive labels that are predicted.
        f1: Harmonic mean of precision and recall.
        average_precision: Of the ranking by probability.
        roc_auc: Of the ranking by probability.
        majority_accuracy: Accuracy of always predicting the training split's majority class.
        positive_share: Share of positive labels.
        intervals: By metric, the ends of its 95 % bootstrap interval (people resampled), or None. Also holds
            "above_majority", of accuracy minus majority_accuracy in the same samples.
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
    """The scores of one attribute.

    Attributes:
        attribute: Its name.
        known: Number of known labels.
    """

    attribute: str
    known: int


def json_number(value: float | np.ndarray) -> float | None:
    """Round to six decimals, and turn nan, which JSON lacks, into None.

    Args:
        value: A number or nan.
    """
    return None if np.isnan(value) else round(float(value), 6)


def json_interval(low_high: np.ndarray) -> Interval | None:
    """Round an interval to six decimals; None if an end is nan.

    Args:
        low_high: (2,), the lower and the upper end.
    """
    low, high = json_number(low_high[0]), json_number(low_high[1])
    return None if low is None or high is None else (low, high)


def attribute_scores(
    names: Sequence[str], known: np.ndarray, values: dict[str, np.ndarray], samples: dict[str, np.ndarray]
) -> tuple[AttributeScores, ...]:
    """Collect the scores of each attribute.

    Args:
        names: The attributes.
        known: bool (N, attributes), which labels are known.
        values: For each of metrics.FIGURES, (attributes,).
        samples: For each of metrics.FIGURES, (resamples, attributes).
    """
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
    """Average the scores over the attributes.

    Args:
        values: For each of metrics.FIGURES, (attributes,).
        samples: For each of metrics.FIGURES, (resamples, attributes).
    """
    return Scores(
        **{name: json_number(metrics.mean(values[name])) for name in metrics.FIGURES},
        intervals={
            name: json_interval(bootstrap.interval(metrics.mean(sample)))
            for name, sample in _with_difference(samples).items()
        },
    )


def _with_difference(samples: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The samples, with those of accuracy minus majority accuracy added."""
    return {**samples, "above_majority": samples["accuracy"] - samples["majority_accuracy"]}
