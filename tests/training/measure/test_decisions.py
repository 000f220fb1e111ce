import numpy as np
import pytest
from scipy.special import expit

from training.measure.decisions import RIGHT, fit_band, fit_bands, fit_decisions, fit_point_thresholds

PEOPLE = np.arange(2000) // 2
NO_BAND = (0.5, 0.5)


def faces(spread: float, share: float = 0.2, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated probabilities (N, 1), surer with a larger spread of logits, and labels that match them."""
    rng = np.random.default_rng(seed)
    probabilities = expit(rng.normal(np.log(share / (1 - share)), spread, (2000, 1)))
    return probabilities, rng.random((2000, 1)) < probabilities


def test_thresholds_are_where_theory_puts_them() -> None:
    probabilities, labels = faces(2.0)
    known = np.ones_like(labels)
    [balanced] = fit_point_thresholds("balanced_accuracy", probabilities, labels, known, PEOPLE)
    assert balanced == pytest.approx(labels.mean(), abs=0.07)  # if calibrated, it is the attribute's frequency
    [f1] = fit_point_thresholds("f1", probabilities, labels, known, PEOPLE)
    ticked = probabilities > f1
    best = 2 * (ticked & labels).sum() / (ticked.sum() + labels.sum())
    assert f1 == pytest.approx(best / 2, abs=0.07)


def test_labels_that_are_all_alike_give_no_threshold_and_unknown_ones_are_not_counted() -> None:
    probabilities, labels = faces(2.0)
    known = np.ones_like(labels)
    assert fit_point_thresholds("f1", probabilities, np.zeros_like(labels), known, PEOPLE) == [0.5]
    assert fit_point_thresholds("f1", probabilities, labels, ~known, PEOPLE) == [0.5]
    known[1000:] = False
    spoilt = np.where(known, labels, ~labels)
    assert fit_point_thresholds("f1", probabilities, spoilt, known, PEOPLE) == fit_point_thresholds(
        "f1", probabilities, labels, known, PEOPLE
    )


def test_outside_the_band_answers_are_right() -> None:
    probabilities, labels = (each[:, 0] for each in faces(3.0))
    low, high = fit_band(probabilities, labels, margin=0)
    answered = (probabilities <= low) | (probabilities >= high)
    right = ((probabilities >= high) == labels)[answered].mean()
    assert 0 < low < 0.5 < high < 1
    assert RIGHT <= right < RIGHT + 0.002
    narrower = [fit_band(probabilities, labels, margin) for margin in (0, 1, 3)]
    widths = [end - start for start, end in narrower]
    assert widths == sorted(widths)


def mostly_empty(wrong: int = 33, ticks: int = 99) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and labels: 1,901 boxes that are rightly empty, and ticks, some of them wrong."""
    probabilities = np.concatenate([np.linspace(0.001, 0.4, 2000 - ticks), np.linspace(0.6, 0.99, ticks)])
    return probabilities, np.concatenate([np.zeros(2000 - ticks, bool), np.arange(ticks) % (ticks // wrong) > 0])


def test_easy_empty_boxes_do_not_pay_for_bad_ticks_nor_the_other_way_round() -> None:
    probabilities, labels = mostly_empty()
    assert ((probabilities > 0.5) == labels).mean() > RIGHT
    assert fit_band(probabilities, labels, margin=1) == (0.5, 1)
    assert fit_band(1 - probabilities, ~labels, margin=1) == (0, 0.5)
    assert fit_band(*mostly_empty(wrong=9), margin=0) == (0.5, 0.5)


def test_what_is_bad_on_other_people_is_never_said() -> None:
    probabilities, labels = mostly_empty()
    mixed = np.random.default_rng(0).permutation(2000)
    both = np.stack([probabilities, 1 - probabilities], axis=1)[mixed]
    truth = np.stack([labels, ~labels], axis=1)[mixed]
    found = fit_decisions(both, truth, np.ones_like(truth), PEOPLE, ("Bald", "Young"), [NO_BAND] * 2)
    assert [band[end] for band, end in zip(found.unsure, (1, 0), strict=True)] == [1, 0]
    assert found.sure.recall[0] == 0
    assert min(found.sure.answered) > 0.9
    assert min(found.sure.right) > 0.99


def five_people(*ticks: tuple[int, float, bool, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """What fit_bands takes, of five people with 400 rightly empty boxes each.

    Args:
        ticks: (how many, probability, whether they are right, whose), with the people from 0 to 4.
    """
    count, probability, right, whose = zip((2000, 0.1, False, 0), *ticks, strict=True)
    people = np.repeat(whose, count)
    people[:2000] = np.arange(2000) % 5
    chances = np.repeat(probability, count) + np.linspace(0, 0.01, len(people))
    labels = np.repeat(right, count)[:, None]
    return chances[:, None], labels, np.ones_like(labels), people


def test_ticks_that_fail_for_somebody_held_out_are_never_made() -> None:
    good = [(12, at, True, whose) for at in (0.6, 0.9) for whose in range(1, 5)]
    assert fit_bands(*five_people(*good)).fitted == ((0.5, 0.5),)
    # Fitted on everybody, ticks above person 0's are good. Fitted on the others, all are, and person 0's are wrong.
    data = five_people(*good, (38, 0.6, False, 0))
    assert 0.6 < fit_band(data[0][:, 0], data[1][:, 0], margin=1)[1] < 0.9
    found = fit_bands(*data)
    assert found.fitted == ((0.5, 1),)
    assert (found.held_out[..., 1] == 1).all()
    chances, labels, known, people = data  # and likewise for empty boxes
    mirrored = fit_bands(1 - chances, ~labels, known, people)
    assert mirrored.fitted[0][0] == 0
    assert (mirrored.held_out[..., 0] == 0).all()


def test_what_nobody_is_told_in_the_end_is_in_no_figure() -> None:
    good = [(2, 0.6, True, 1), (2, 0.6, True, 2), (1, 0.6, True, 3), (1, 0.6, True, 4), (13, 0.6, True, 0)]
    # Person 0's ticks are right often enough, by a band fitted on the others. Fitted on everybody, 3 wrong of 22 are
    # too many with the margin.
    found = fit_bands(*five_people(*good, (3, 0.9, False, 0)))
    assert found.fitted == ((0.5, 1),)
    assert (found.held_out[..., 1] == 1).all()


def test_ticks_that_are_all_wrong_do_not_keep_empty_boxes_from_an_answer() -> None:
    probabilities = np.concatenate([np.linspace(0.01, 0.4, 300), np.linspace(0.6, 0.99, 2000)])
    assert fit_band(probabilities, np.zeros(2300, bool), margin=1) == (0.5, 1)


def test_no_band_is_needed_where_all_is_right_and_nothing_is_answered_where_nothing_is() -> None:
    probabilities = np.linspace(0.01, 0.99, 500)
    assert fit_band(probabilities, probabilities > 0.5, margin=1) == (0.5, 0.5)
    assert fit_band(probabilities, np.arange(500) % 2 == 0, margin=1) == (0, 1)
    assert fit_band(probabilities[:0], probabilities[:0] > 0.5, margin=1) == (0, 1)
    assert fit_band(np.full(500, 0.3), np.arange(500) % 2 == 0, margin=1) == (0, 1)


def test_what_is_measured_is_of_other_people() -> None:
    sharp, vague = faces(6.0), faces(0.1, share=0.5, seed=1)
    probabilities, labels = (np.hstack(each) for each in zip(sharp, vague, strict=True))
    found = fit_decisions(probabilities, labels, np.ones_like(labels), PEOPLE, ("Smiling", "Young"), [NO_BAND] * 2)
    assert found.unsure[1] == (0, 1)
    assert [figures[1] for figures in (found.sure.right, found.sure.answered, found.sure.recall)] == [0, 0, 0]
    assert found.sure.right[0] >= RIGHT
    assert 0.5 < found.sure.answered[0] < 1
    assert found.answered == pytest.approx(found.sure.answered[0] / 2, abs=1e-5)
    assert found.right == pytest.approx(found.sure.right[0], abs=1e-5)
    assert found.operating_points["accuracy"].thresholds == (0.5, 0.5)
    recall = {name: point.recall[0] for name, point in found.operating_points.items()}
    assert recall["accuracy"] < recall["balanced"]
    assert set(found.held_out) == {"accuracy", "balanced", "f1"}


def test_a_band_that_other_people_need_is_included() -> None:
    probabilities, labels = faces(6.0)
    known = np.ones_like(labels)
    own = fit_decisions(probabilities, labels, known, PEOPLE, ("Smiling",), [NO_BAND])
    (low, high), least = own.unsure[0], (0.01, 0.6)
    both = fit_decisions(probabilities, labels, known, PEOPLE, ("Smiling",), [least])
    assert both.unsure == ((min(low, 0.01), max(high, 0.6)),)
    assert both.unsure != own.unsure
    assert both.sure.answered[0] < own.sure.answered[0]
    assert both.sure.right[0] > own.sure.right[0]
    assert both.operating_points == own.operating_points


def test_where_other_people_allow_too_little_for_right_answers_there_are_none() -> None:
    probabilities = np.repeat([0.1, 0.9], [500, 1500])[:, None] + np.linspace(0, 0.01, 2000)[:, None]
    labels = probabilities > 0.5
    labels[:500:36] = True  # 14 of the 500 empty boxes are wrong, and none of the ticks
    mixed = np.random.default_rng(0).permutation(2000)
    data = probabilities[mixed], labels[mixed], np.ones_like(labels), PEOPLE, ("Young",)
    assert fit_decisions(*data, [NO_BAND]).answered == 1
    never = fit_decisions(*data, [(0.5, 1.0)])  # so the ticks pay for them no more
    assert never.unsure == ((0, 1),)
    assert (never.answered, never.right) == (0, None)


def test_ticks_that_exclude_each_other_are_in_no_figure() -> None:
    probabilities, labels = faces(3.0)
    both = np.hstack([probabilities, probabilities * 0.99])
    truth = np.hstack([labels, ~labels])
    names = ("Straight_Hair", "Wavy_Hair")
    found = fit_decisions(both, truth, np.ones_like(truth), PEOPLE, names, [NO_BAND] * 2)
    assert found.operating_points["accuracy"].recall[1] < 0.02  # the other one is always a little surer
    free = fit_decisions(both, truth, np.ones_like(truth), PEOPLE, ("Smiling", "Young"), [NO_BAND] * 2)
    assert free.operating_points["accuracy"].recall[1] > 0.05


def test_a_tick_that_lost_to_another_counts_as_not_sure() -> None:
    probabilities, labels = faces(3.0)
    both, truth = np.hstack([probabilities, probabilities * 0.99]), np.hstack([labels, labels])
    found, free = (
        fit_decisions(both, truth, np.ones_like(truth), PEOPLE, names, [NO_BAND] * 2)
        for names in (("Straight_Hair", "Wavy_Hair"), ("Smiling", "Young"))
    )
    assert found.sure.answered[1] < free.sure.answered[1] - 0.05
    assert found.sure.answered[0] == free.sure.answered[0]
    assert found.answered < free.answered
