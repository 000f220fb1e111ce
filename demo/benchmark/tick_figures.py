"""How good the ticks are on some faces, at each operating point of the weights: what `Details` on the page says."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from slimnet import Calibration
from slimnet.calibration import ACCURACY
from slimnet.decisions import NOT_SURE, YES, decide_all

# How many ticks, faces with the attribute, or answers a share needs to be given as "N of 100" without an interval: from
# 30 faces, a share of 80 % is known to within 14 points, from 10 only to within 25.
LEAST_COUNT = 30


def tick_figures(
    probabilities: np.ndarray, labels: np.ndarray, known: np.ndarray, names: Sequence[str], calibration: Calibration
) -> dict[str, Any]:
    """Measure how often ticks are right, and how many they find.

    If thresholds and bands were fitted on the same validation pictures, as the shipped ones were, the figures flatter
    them a little: these are not held out.

    Args:
        probabilities: float (N, attributes), 0 to 1.
        labels: bool (N, attributes).
        known: bool (N, attributes), which labels are known; the others never count.
        names: the attributes.
        calibration: of the weights, with operating points.

    Returns:
        points: operating point -> precision and recall, one for each attribute; except "accuracy", at which the page
        only answers outside the bands of doubt. For that, sure: right, answered, precision and recall. As in
        slimnet.calibration, but None if a share would be of fewer than `LEAST_COUNT`.
    """
    points = {
        point: _ticks(decide_all(probabilities, names, calibration, point) == YES, labels, known)
        for point in calibration.operating_points
        if point != ACCURACY
    }
    answers = decide_all(probabilities, names, calibration, ACCURACY)
    ticked, answered = answers == YES, (answers != NOT_SURE) & known
    sure = {
        "right": _shares((ticked == labels) & answered, answered),
        "answered": _shares(answered, known),
        **_ticks(ticked, labels, known),
    }
    return {"points": points, "sure": sure}


def _ticks(ticked: np.ndarray, labels: np.ndarray, known: np.ndarray) -> dict[str, list[float | None]]:
    """Precision and recall of ticks, which are bool (N, attributes) like the labels."""
    ticked, present = ticked & known, labels & known
    right = ticked & present
    return {"precision": _shares(right, ticked), "recall": _shares(right, present)}


def _shares(part: np.ndarray, whole: np.ndarray) -> list[float | None]:
    """For each attribute, the share of a part, bool (N, attributes), in a whole; None if the whole is small."""
    counts = whole.sum(axis=0)
    shares = part.sum(axis=0) / np.maximum(counts, 1)
    return [
        round(float(share), 4) if count >= LEAST_COUNT else None for share, count in zip(shares, counts, strict=True)
    ]
