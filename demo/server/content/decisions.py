"""The switch between the weights' operating points, and what the page's scripts need to decide the boxes."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from slimnet import Calibration
from slimnet.calibration import ACCURACY, BALANCED, F1
from slimnet.decisions import exclusive_pairs


class PointWords(NamedTuple):
    """An operating point in words.

    Attributes:
        title: its name on the switch.
        meaning: what it does, in a sentence.
    """

    title: str
    meaning: str


# In the order of the switch: each one ticks more than the one before. The first applies until the visitor changes it.
POINTS = {
    ACCURACY: PointWords("Fewest mistakes", "Answers only where it is hardly ever wrong; elsewhere it is not sure."),
    F1: PointWords("Balanced", "Counts a wrong tick and a missed one as equally bad."),
    BALANCED: PointWords("Find all", "Ticks most of what is there, and more that is not."),
}


def decisions(attributes: Sequence[str], calibration: Calibration | None) -> dict[str, Any] | None:
    """What the page's scripts need to decide the boxes as slimnet.decisions does.

    Args:
        attributes: the names, in the order of the probabilities.
        calibration: the weights' own; None if they have none.

    Returns:
        JSON values, as `globals.d.ts` describes them; None for weights without operating points.
    """
    if calibration is None or calibration.sure is None:
        return None
    return {
        "points": {name: asdict(point) for name, point in calibration.operating_points.items()},
        "unsure": calibration.unsure,
        "sure": asdict(calibration.sure),
        "exclusive": exclusive_pairs(attributes),
    }
