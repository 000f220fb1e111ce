"""From probabilities to decisions: yes, no, or not sure, at an operating point of the weights' calibration.

At "accuracy" an attribute is decided only if its probability is outside the band `Calibration.unsure`.
At "balanced" and "f1" it is ticked above the operating point's threshold; below that, it is "no" up to the band's lower
end and "not sure" from there on. Of attributes that exclude each other, the surest then keeps its tick, and the others
become "not sure". Weights without operating points tick what is more likely than not.
"""

from collections.abc import Sequence
from itertools import combinations
from reprlib import repr as shortened

import numpy as np

from slimnet.calibration import ACCURACY, Calibration

YES, NO, NOT_SURE = 1, 0, -1

_HAIR_COLOURS = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair")

# Pairs that contradict each other by meaning, and that CelebA's training labels show together on at most 5.3 % of the
# faces with the rarer one (fair and grey hair; 0 to 3 % for most). By the labels, these are not among them: no beard
# with a 5 o'clock shadow (29 %), and bald with grey hair (27 %) or a receding hairline (34 %).
EXCLUSIVE: tuple[tuple[str, str], ...] = (
    *(("No_Beard", beard) for beard in ("Goatee", "Mustache", "Sideburns")),
    *(("Bald", hair) for hair in ("Bangs", "Straight_Hair", "Wavy_Hair", "Black_Hair", "Blond_Hair", "Brown_Hair")),
    *combinations(_HAIR_COLOURS, 2),
    ("Straight_Hair", "Wavy_Hair"),
    ("Bangs", "Receding_Hairline"),
)


def exclusive_pairs(names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Choose the pairs of EXCLUSIVE that a network predicts.

    Args:
        names: the network's attributes.

    Returns:
        The pairs whose attributes are both among the names.
    """
    return tuple(pair for pair in EXCLUSIVE if {*pair} <= {*names})


def decide(
    probabilities: np.ndarray, names: Sequence[str], calibration: Calibration | None, point: str = ACCURACY
) -> list[bool | None]:
    """Decide the attributes of one face.

    Args:
        probabilities: float (attributes,), 0 to 1.
        names: the attributes, in the order of the probabilities.
        calibration: of the weights; None if they have none.
        point: the operating point: "accuracy", "balanced" or "f1".

    Returns:
        For each attribute True, False, or None for "not sure".

    Raises:
        ValueError: the calibration has no such operating point; one without any has only "accuracy".
    """
    found = decide_all(np.asarray(probabilities)[None], names, calibration, point)[0]
    return [None if answer == NOT_SURE else bool(answer) for answer in found]


def decide_all(
    probabilities: np.ndarray, names: Sequence[str], calibration: Calibration | None, point: str = ACCURACY
) -> np.ndarray:
    """Decide the attributes of many faces.

    Args:
        probabilities: float (N, attributes), 0 to 1.
        names: the attributes, in the order of the probabilities.
        calibration: of the weights; None if they have none.
        point: the operating point: "accuracy", "balanced" or "f1".

    Returns:
        int8 (N, attributes): YES, NO or NOT_SURE.

    Raises:
        ValueError: the calibration has no such operating point; one without any has only "accuracy".
    """
    check_point(calibration, point)
    if calibration is None or not calibration.operating_points:
        return np.where(probabilities > 0.5, YES, NO).astype(np.int8)
    thresholds = np.array(calibration.operating_points[point].thresholds)
    low, high = np.array(calibration.unsure).T
    empty, surely_ticked = outside(probabilities, low if point == ACCURACY else np.minimum(low, thresholds), high)
    ticked = surely_ticked if point == ACCURACY else probabilities > thresholds
    answers = np.where(ticked, YES, np.where(empty, NO, NOT_SURE)).astype(np.int8)
    answers[ticked & ~keep_surest(ticked, probabilities, thresholds, names)] = NOT_SURE
    return answers


def outside(probabilities: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the answers outside bands of doubt.

    Args:
        probabilities: float (…, attributes), 0 to 1.
        low: lower ends of the bands, of a shape that fits the probabilities; 0 where no box is surely empty.
        high: upper ends, likewise; 1 where no box is surely ticked.

    Returns:
        Two bool arrays (…, attributes): which boxes are empty, and which are ticked.
    """
    # An end at 0 or 1 means that no answer on that side is good enough. float32 rounds very sure ones to these.
    return (probabilities <= low) & (low > 0), (probabilities >= high) & (high < 1)


def check_point(calibration: Calibration | None, point: str) -> None:
    """Refuse an operating point that weights do not have.

    Args:
        calibration: of the weights; None if they have none.
        point: name of the operating point.

    Raises:
        ValueError: the calibration has no such operating point; one without any has only "accuracy".
    """
    measured = calibration.operating_points if calibration else {}
    if isinstance(point, str) and point in (measured or (ACCURACY,)):  # calls to a server may send anything
        return
    if measured:
        raise ValueError(f"there is no operating point {shortened(point)}: choose {', '.join(measured)}")
    raise ValueError(
        f"these weights have no operating point {shortened(point)}, only {ACCURACY}: training.calibrate measures others"
    )


def keep_surest(
    ticked: np.ndarray, probabilities: np.ndarray, thresholds: np.ndarray, names: Sequence[str]
) -> np.ndarray:
    """Remove ticks until none excludes another.

    A tick's sureness is the share of the room above its threshold that its probability takes. From the surest down,
    each stays if it excludes none that has stayed; of two equally sure ones, the attribute named first stays.

    Args:
        ticked: bool (N, attributes).
        probabilities: float (N, attributes), 0 to 1.
        thresholds: float (attributes,) or (N, attributes), above which an attribute is ticked.
        names: the attributes, in the order of the probabilities.

    Returns:
        bool (N, attributes), the ticks that stay.
    """
    margins = (probabilities - thresholds) / np.maximum(1 - thresholds, 1e-9)  # a threshold may be 1
    rivals = np.zeros((len(names), len(names)), bool)
    for pair in exclusive_pairs(names):
        one, other = (list(names).index(name) for name in pair)
        rivals[one, other] = rivals[other, one] = True
    stay = ticked.copy()
    for face in np.flatnonzero((ticked & (ticked.astype(np.int16) @ rivals > 0)).any(axis=1)):
        stay[face] = False
        for n in np.argsort(-margins[face], kind="stable"):
            stay[face, n] = ticked[face, n] and not (stay[face] & rivals[n]).any()
    return stay
