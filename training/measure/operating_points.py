"""How good some weights' decisions are on a split, at each operating point of their calibration."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from slimnet import Calibration
from slimnet.decisions import NOT_SURE, YES, decide_all, keep_surest
from training.measure import bootstrap, metrics, scores
from training.measure.scores import Interval

TICK_FIGURES = ("accuracy", "balanced_accuracy", "precision", "recall", "f1")


@dataclass(frozen=True)
class PointScores:
    """How good the decisions at one operating point are: means over the attributes, 0 to 1; None if undefined.

    The first five only look at ticks above the operating point's threshold: "not sure" counts as not ticked, and at
    "accuracy" every box is decided. The last two are about the answers of slimnet.decisions.

    Attributes:
        point: Its name.
        accuracy: Share of the boxes that are rightly ticked or left empty.
        balanced_accuracy: Mean of both classes' recalls.
        precision: Share of the ticks that are right, mean over the attributes with a tick.
        recall: Share of the positive labels that are ticked.
        f1: Harmonic mean of precision and recall.
        intervals: By figure, the ends of its 95 % bootstrap interval, or None.
        answered: Share of all boxes that are not "not sure".
        right: Share of those that are right.
    """

    point: str
    accuracy: float | None
    balanced_accuracy: float | None
    precision: float | None
    recall: float | None
    f1: float | None
    intervals: dict[str, Interval | None]
    answered: float | None
    right: float | None


def score_points(
    calibration: Calibration | None, names: Sequence[str], labels: np.ndarray, known: np.ndarray,
    probabilities: np.ndarray, draws: np.ndarray,
) -> tuple[PointScores, ...]:  # fmt: skip
    """Score the decisions at each operating point.

    Args:
        calibration: Of the weights; None if they have none.
        names: The attributes.
        labels: bool (N, attributes).
        known: bool (N, attributes), which labels are known; at least one.
        probabilities: float (N, attributes), 0 to 1.
        draws: float32 (resamples, N), from bootstrap.draw.

    Returns:
        The scores in the order of the operating points; empty for weights without any.
    """
    found = []
    for point, fitted in calibration.operating_points.items() if calibration else ():
        thresholds = np.array(fitted.thresholds)
        ticked = keep_surest(probabilities > thresholds, probabilities, thresholds, names).astype(float)
        values = metrics.figures(labels, ticked, known)
        samples = bootstrap.resampled_ticks(labels, ticked, known, draws)
        answers = decide_all(probabilities, names, calibration, point)
        answered = (answers != NOT_SURE) & known
        right = ((answers == YES) == labels)[answered]
        found.append(
            PointScores(
                point,
                **{name: scores.json_number(metrics.mean(values[name])) for name in TICK_FIGURES},
                intervals={
                    name: scores.json_interval(bootstrap.interval(metrics.mean(samples[name]))) for name in TICK_FIGURES
                },
                answered=scores.json_number(answered.sum() / known.sum()),
                right=scores.json_number(right.mean()) if len(right) else None,
            )
        )
    return tuple(found)
