import numpy as np
import pytest

from training.measure.thresholds import fit_thresholds, judge_thresholds, people_apart


@pytest.fixture(scope="module")
def answers() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits and labels of 2,000 pictures. Odds are even at logits 0, 1.5 and 0; the last has hardly any signal."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, (2, 2, 0.3), (2000, 3))
    labels = rng.random((2000, 3)) < 1 / (1 + np.exp(-(logits - (0, 1.5, 0))))
    return logits, labels, np.ones(labels.shape, bool)


def test_only_a_clear_gain_moves_a_threshold(answers: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    found = fit_thresholds(*answers, np.arange(2000))
    assert found[1] == pytest.approx(1.5, abs=0.2)
    assert (found[0], found[2]) == (0, 0)


def test_a_clear_gain_is_folded_and_measured_where_it_was_not_fitted(
    answers: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    found = judge_thresholds(*answers, np.arange(2000))
    logits, labels, _ = answers
    moved = ((logits[:, 1] > 1.5) == labels[:, 1]).mean() - ((logits[:, 1] > 0) == labels[:, 1]).mean()
    assert found.folded
    assert found.low < found.gain < found.high
    assert found.gain == pytest.approx(moved / 3, abs=0.01)  # one of three attributes gains


def test_without_a_gain_nothing_is_folded(answers: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    logits, labels, known = answers
    found = judge_thresholds(logits[:, [0, 2]], labels[:, [0, 2]], known[:, [0, 2]], np.arange(2000))
    assert not found.folded
    assert found.low <= 0


@pytest.mark.parametrize("label", [True, False])
def test_an_attribute_of_one_class_stays_at_0(label: bool) -> None:
    logits = np.random.default_rng(0).normal(0, 1, (50, 1))
    assert fit_thresholds(logits, np.full((50, 1), label), np.ones((50, 1), bool), np.arange(50)).tolist() == [0]


def test_logits_that_tell_the_opposite_are_not_turned_round() -> None:
    logits = np.random.default_rng(0).normal(0, 1, (200, 1))
    assert fit_thresholds(logits, logits < 0.3, np.ones(logits.shape, bool), np.arange(len(logits))).tolist() == [0]


def test_no_person_is_fitted_on_and_held_out() -> None:
    identities = np.random.default_rng(0).integers(0, 30, 100)
    held_out = []
    for fitted, held in people_apart(5, identities):
        assert not set(identities[fitted]) & set(identities[held])
        held_out += held.tolist()
    assert sorted(held_out) == list(range(100))


def test_thresholds_are_fitted_to_known_labels_alone(answers: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    logits, labels, _ = answers
    known = np.ones(labels.shape, bool)
    known[:1000, 1] = False
    wrong = np.where(known, labels, ~labels)
    people = np.arange(2000)
    alone = fit_thresholds(logits[1000:, 1:2], labels[1000:, 1:2], known[1000:, 1:2], people[1000:])
    assert fit_thresholds(logits[:, 1:2], wrong[:, 1:2], known[:, 1:2], people) == alone
    found = judge_thresholds(logits, wrong, known, people)
    moved = ((logits[1000:, 1] > 1.5) == labels[1000:, 1]).mean() - ((logits[1000:, 1] > 0) == labels[1000:, 1]).mean()
    assert found.gain == pytest.approx(moved / 3, abs=0.01)
    assert fit_thresholds(logits, labels, np.zeros(labels.shape, bool), people).tolist() == [0, 0, 0]
