import numpy as np
import pytest

from training import reliability


def test_a_diagram_worked_out_by_hand():
    labels = np.array([[1], [0], [1], [1]], bool)
    found = reliability.diagram(labels, np.array([[0.42], [0.42], [0.9], [0.92]]))
    assert found.predicted == pytest.approx((0.42, 0.91))
    assert found.observed == (0.5, 1.0)
    assert found.answers == (2, 2)
    assert found.error == pytest.approx((0.08 + 0.09) / 2)
    assert found.attribute_errors == (found.error,)


def test_edges_of_bins_fall_into_the_same_bin_everywhere():
    probabilities = np.linspace(0, 1, reliability.BINS + 1)[:, None]
    found = reliability.diagram(probabilities > 0.5, probabilities)
    assert len(found.answers) == len(found.predicted) == reliability.BINS
    assert sum(found.answers) == len(probabilities)


def test_honest_probabilities_have_a_small_error_and_sure_ones_a_large_one():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (5000, 2))
    honest = 1 / (1 + np.exp(-logits))
    labels = rng.random((5000, 2)) < honest
    assert reliability.diagram(labels, honest).error < 0.02
    assert reliability.diagram(labels, 1 / (1 + np.exp(-4 * logits))).error > 0.1
