"""What the page's scripts need to decide the boxes."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from slimnet import Calibration
from slimnet.decisions import exclusive_pairs


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
