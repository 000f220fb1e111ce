from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from slimnet import ATTRIBUTES, Calibration, OperatingPoint, Reliability, Sure, decide
from slimnet.decisions import EXCLUSIVE, decide_all, exclusive_pairs

NAMES = ("Smiling", "Straight_Hair", "Wavy_Hair", "No_Beard", "Goatee", "Mustache")


def calibration(names: tuple[str, ...] = NAMES, balanced: float = 0.1, f1: float = 0.3) -> Calibration:
    """Decisions that are not sure between 0.2 and 0.8."""
    every = (1.0,) * len(names)
    points = {
        name: OperatingPoint((threshold,) * len(names), every, every)
        for name, threshold in (("accuracy", 0.5), ("balanced", balanced), ("f1", f1))
    }
    reliability = (Reliability(1.0, 1.0, 1.0),) * len(names)
    return Calibration(every, reliability, points, ((0.2, 0.8),) * len(names), Sure(every, every, every, every))


def smiling(probability: float, point: str) -> bool | None:
    return decide(np.array([probability]), ("Smiling",), calibration(("Smiling",)), point)[0]


@pytest.mark.parametrize(
    ("probability", "expected"), [(0.0, False), (0.2, False), (0.21, None), (0.79, None), (0.8, True), (1.0, True)]
)
def test_the_fewest_mistakes_are_made_outside_the_band(probability: float, expected: bool | None) -> None:
    assert smiling(probability, "accuracy") is expected


def test_no_answer_is_good_enough_where_the_band_leaves_no_room_however_sure_it_is() -> None:
    found = replace(calibration(("Smiling",)), unsure=((0.0, 1.0),))
    very_sure = 1 / (1 + np.exp(np.float32(-20)))
    assert very_sure == 1
    assert decide(np.array([very_sure]), ("Smiling",), found) == [None]
    assert decide(np.array([0.0]), ("Smiling",), found) == [None]


@pytest.mark.parametrize(
    ("probability", "f1", "balanced"),
    [(0.05, False, False), (0.1, False, False), (0.15, False, True), (0.2, False, True), (0.25, None, True),
     (0.3, None, True), (0.31, True, True), (0.9, True, True)],
)  # fmt: skip
def test_the_other_points_tick_above_their_threshold(probability: float, f1: bool | None, balanced: bool) -> None:
    assert smiling(probability, "f1") is f1
    assert smiling(probability, "balanced") is balanced


def test_of_two_that_exclude_each_other_the_surer_keeps_its_tick() -> None:
    #                 smiling straight wavy
    faces = np.array([[0.9, 0.85, 0.9], [0.9, 0.9, 0.85], [0.9, 0.9, 0.9], [0.9, 0.9, 0.1]])
    answers = decide_all(faces, NAMES[:3], calibration(NAMES[:3]), "accuracy")
    assert answers.tolist() == [[1, -1, 1], [1, 1, -1], [1, 1, -1], [1, 1, 0]]


def test_surer_is_the_larger_share_of_the_room_above_the_threshold() -> None:
    names = ("Straight_Hair", "Wavy_Hair")
    every = (1.0, 1.0)
    point = OperatingPoint((0.1, 0.6), every, every)
    found = Calibration(
        every, (Reliability(1.0, 1.0, 1.0),) * 2, dict.fromkeys(("accuracy", "balanced", "f1"), point),
        ((0.0, 1.0),) * 2, Sure(every, every, every, every),
    )  # fmt: skip
    assert decide(np.array([0.6, 0.85]), names, found, "f1") == [None, True]  # 0.56 against 0.63 of the room
    assert decide(np.array([0.7, 0.85]), names, found, "f1") == [True, None]  # 0.67 against 0.63


def test_a_tick_that_lost_takes_no_other_with_it() -> None:
    # The goatee is surer than no beard, which is surer than the mustache. Goatee and mustache go together.
    assert decide(np.array([0.1, 0.1, 0.1, 0.9, 0.95, 0.85]), NAMES, calibration()) == [
        False, False, False, None, True, True,
    ]  # fmt: skip


@pytest.mark.parametrize("point", ["accuracy", "balanced", "f1"])
def test_no_two_that_exclude_each_other_stand_together(point: str) -> None:
    faces = np.random.default_rng(0).random((300, 40)) ** 0.2  # most are ticked
    answers = decide_all(faces, ATTRIBUTES, calibration(ATTRIBUTES), point) == 1
    for one, other in EXCLUSIVE:
        assert not (answers[:, ATTRIBUTES.index(one)] & answers[:, ATTRIBUTES.index(other)]).any()
    assert answers.mean() > 0.5


def test_the_pairs_are_attributes_of_celeba_each_once() -> None:
    assert {name for pair in EXCLUSIVE for name in pair} <= {*ATTRIBUTES}
    assert len({frozenset(pair) for pair in EXCLUSIVE}) == len(EXCLUSIVE)
    assert {frozenset(pair) for pair in combinations(("Black_Hair", "Brown_Hair", "Gray_Hair"), 2)} <= {
        frozenset(pair) for pair in EXCLUSIVE
    }
    assert ("No_Beard", "Goatee") in EXCLUSIVE
    assert ("Bald", "Bangs") in EXCLUSIVE


def test_other_attributes_have_the_pairs_that_are_there() -> None:
    assert exclusive_pairs(("Wavy_Hair", "Freckles", "Straight_Hair", "Bald")) == (
        ("Bald", "Straight_Hair"), ("Bald", "Wavy_Hair"), ("Straight_Hair", "Wavy_Hair"),
    )  # fmt: skip
    assert exclusive_pairs(("Freckles",)) == ()
    assert decide(np.array([0.9, 0.9]), ("Freckles", "Bald"), calibration(("Freckles", "Bald"))) == [True, True]


@pytest.mark.parametrize("old", [None, Calibration((1.0,) * 3, (Reliability(1.0, 1.0, 1.0),) * 3)])
def test_weights_without_operating_points_tick_what_is_more_likely(old: Calibration | None) -> None:
    assert decide(np.array([0.4, 0.6, 0.51]), NAMES[:3], old) == [False, True, True]
    with pytest.raises(ValueError, match=r"no operating point 'f1', only accuracy: training\.calibrate"):
        decide(np.array([0.4, 0.6, 0.9]), NAMES[:3], old, "f1")


def test_an_unknown_operating_point_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match="no operating point 'best': choose accuracy, balanced, f1"):
        decide(np.array([0.5]), ("Smiling",), calibration(("Smiling",)), "best")
    with pytest.raises(ValueError, match="no operating point 'best'"):
        decide(np.array([0.5]), ("Smiling",), None, "best")


def test_no_faces_have_no_answers() -> None:
    assert decide_all(np.zeros((0, 6)), NAMES, calibration()).shape == (0, 6)
