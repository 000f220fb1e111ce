import numpy as np
import pytest

from slimnet import Calibration, OperatingPoint, Reliability, Sure
from training.measure import bootstrap
from training.measure.operating_points import score_points

EVERY = (1.0, 1.0)
NAMES = ("Smiling", "Young")


def calibration() -> Calibration:
    points = {
        name: OperatingPoint((threshold,) * 2, EVERY, EVERY)
        for name, threshold in (("accuracy", 0.5), ("balanced", 0.1), ("f1", 0.3))
    }
    bands = ((0.2, 0.8), (0.2, 0.8))
    return Calibration(EVERY, (Reliability(1.0, 1.0, 1.0),) * 2, points, bands, Sure(EVERY, EVERY, EVERY, EVERY))


def test_every_point_is_scored_by_its_ticks_and_by_its_answers() -> None:
    probabilities = np.array([[0.9, 0.05], [0.4, 0.05], [0.15, 0.6], [0.05, 0.9]])
    labels = np.array([[True, False], [True, False], [False, False], [False, True]])
    draws = bootstrap.draw(np.arange(4), 20)
    found = score_points(calibration(), NAMES, labels, np.ones_like(labels), probabilities, draws)
    accuracy, balanced, f1 = found
    assert [point.point for point in found] == ["accuracy", "balanced", "f1"]
    assert (accuracy.accuracy, accuracy.answered, accuracy.right) == (0.75, 0.75, 1)
    assert (f1.recall, f1.accuracy, f1.answered) == (1, 0.875, 1)
    assert f1.right == 0.875
    assert balanced.precision == pytest.approx((2 / 3 + 1 / 2) / 2, abs=1e-6)
    interval = balanced.intervals["accuracy"]
    assert interval is not None
    assert balanced.accuracy is not None
    assert interval[0] <= balanced.accuracy <= interval[1]


def test_labels_that_are_not_known_are_in_no_share() -> None:
    probabilities = np.array([[0.9, 0.5], [0.1, 0.5]])
    labels = np.array([[True, True], [False, True]])
    known = np.array([[True, False], [True, False]])
    accuracy = score_points(calibration(), NAMES, labels, known, probabilities, bootstrap.draw(np.arange(2), 5))[0]
    assert (accuracy.accuracy, accuracy.answered, accuracy.right) == (1, 1, 1)


@pytest.mark.parametrize("old", [None, Calibration(EVERY, (Reliability(1.0, 1.0, 1.0),) * 2)])
def test_weights_without_operating_points_have_no_scores_of_them(old: Calibration | None) -> None:
    labels = np.ones((2, 2), bool)
    assert score_points(old, NAMES, labels, labels, labels.astype(float), bootstrap.draw(np.arange(2), 5)) == ()
