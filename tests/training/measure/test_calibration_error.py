import numpy as np
import pytest
from sklearn.metrics import log_loss

from training.measure import bootstrap, calibration_error


def test_a_diagram_worked_out_by_hand() -> None:
    labels = np.array([[1], [0], [1], [1]], bool)
    found = calibration_error.diagram(labels, np.ones((4, 1), bool), np.array([[0.42], [0.42], [0.9], [0.92]]))
    assert found.predicted == pytest.approx((0.42, 0.91))
    assert found.observed == (0.5, 1.0)
    assert found.answers == (2, 2)
    assert found.error == pytest.approx((0.08 + 0.09) / 2)
    assert found.attribute_errors == (found.error,)


def test_edges_of_bins_fall_into_the_same_bin_everywhere() -> None:
    probabilities = np.linspace(0, 1, calibration_error.BINS + 1)[:, None]
    found = calibration_error.diagram(probabilities > 0.5, np.ones(probabilities.shape, bool), probabilities)
    assert len(found.answers) == len(found.predicted) == calibration_error.BINS
    assert sum(found.answers) == len(probabilities)


def test_honest_probabilities_have_a_small_error_and_sure_ones_a_large_one() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (5000, 2))
    honest = 1 / (1 + np.exp(-logits))
    labels = rng.random((5000, 2)) < honest
    known = np.ones(labels.shape, bool)
    assert calibration_error.diagram(labels, known, honest).error < 0.02
    assert calibration_error.diagram(labels, known, 1 / (1 + np.exp(-4 * logits))).error > 0.1


def test_log_loss_without_and_with_temperatures() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (2000, 2))
    labels = rng.random(logits.shape) < 1 / (1 + np.exp(-logits))
    known = np.ones(labels.shape, bool)
    draws = bootstrap.draw(np.arange(2000), 50)
    found = calibration_error.compare(labels, known, 4 * logits, np.array([4.0, 4.0]), draws)
    chance = 1 / (1 + np.exp(-logits))
    assert found.served == pytest.approx(log_loss(labels.ravel(), chance.ravel()), abs=1e-5)
    assert found.change == pytest.approx(found.served - found.before, abs=2e-6)
    assert found.interval[0] < found.change < found.interval[1] < 0


def test_unknown_labels_are_not_counted() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (400, 2))
    labels = rng.random(logits.shape) < 1 / (1 + np.exp(-logits))
    known = np.arange(400)[:, None] < (300, 200)
    probabilities = 1 / (1 + np.exp(-logits))
    found = calibration_error.diagram(labels & known, known, probabilities)
    assert sum(found.answers) == 500
    for n, count in enumerate((300, 200)):
        alone = calibration_error.diagram(
            labels[:count, n : n + 1], np.ones((count, 1), bool), probabilities[:count, n : n + 1]
        )
        assert found.attribute_errors[n] == alone.error
    draws = bootstrap.draw(np.arange(400), 50)
    losses = calibration_error.compare(labels & known, known, logits, np.array([2.0, 2.0]), draws)
    each = [log_loss(labels[:count, n], probabilities[:count, n]) for n, count in enumerate((300, 200))]
    assert losses.before == pytest.approx(np.mean(each), abs=1e-5)
    assert losses.interval[0] < losses.change < losses.interval[1]
    never = calibration_error.diagram(labels, known & [True, False], probabilities)
    assert never.attribute_errors == (found.attribute_errors[0], None)
