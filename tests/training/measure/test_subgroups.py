from dataclasses import replace

import numpy as np
import pytest

from training.measure import bootstrap, subgroups

NAMES = ("Male", "Young", "Smiling", "Goatee")


@pytest.fixture(scope="module")
def answers() -> subgroups.Answers:
    """400 pictures: Smiling is read right for all men and for three in four women. Only men have a goatee."""
    rng = np.random.default_rng(0)
    labels = rng.random((400, 4)) < 0.5
    labels[:, 3] &= labels[:, 0]
    wrong = np.zeros((400, 4), bool)
    wrong[:, 2] = ~labels[:, 0] & (np.cumsum(~labels[:, 0]) % 4 == 0)
    found = np.where(labels ^ wrong, 0.9, 0.1)
    return subgroups.Answers(NAMES, labels, found, np.zeros(4, bool), np.ones(labels.shape, bool))


def divide(answers: subgroups.Answers, *by: str) -> subgroups.Division:
    return subgroups.divide(answers, by, bootstrap.draw(np.arange(len(answers.labels)), 200))


def test_groups_hold_every_picture_once(answers: subgroups.Answers) -> None:
    found = divide(answers, "Male", "Young")
    assert [group.name for group in found.groups] == [
        "Male, Young", "Male, not Young", "not Male, Young", "not Male, not Young",
    ]  # fmt: skip
    assert sum(group.images for group in found.groups) == 400
    assert found.groups[0].images == (answers.labels[:, 0] & answers.labels[:, 1]).sum()


def test_only_what_every_group_shows_and_lacks_is_compared(answers: subgroups.Answers) -> None:
    found = divide(answers, "Male")
    assert found.compared == ("Young", "Smiling")  # no woman has a goatee, and Male divides the groups
    women = found.groups[1]
    assert women.attributes[2].accuracy is not None
    assert women.mean.accuracy == pytest.approx((1 + women.attributes[2].accuracy) / 2, abs=1e-6)
    assert women.attributes[3].balanced_accuracy is None


def test_gaps_are_named_with_their_intervals(answers: subgroups.Answers) -> None:
    gaps = {(gap.figure, gap.attribute): gap for gap in divide(answers, "Male").gaps}
    gap = gaps["accuracy", "Smiling"]
    assert (gap.higher, gap.lower) == ("Male", "not Male")
    assert gap.difference == pytest.approx(0.25, abs=0.01)
    assert gap.interval
    assert 0.1 < gap.interval[0] < 0.25 < gap.interval[1] < 0.4
    assert gaps["accuracy", None].difference == pytest.approx(gap.difference / 2, abs=1e-6)
    assert gaps["accuracy", "Young"].difference == 0
    assert not any(attribute == "Goatee" for _, attribute in gaps)


def test_a_group_without_pictures_is_left_out(answers: subgroups.Answers) -> None:
    found = divide(answers.only(answers.labels[:, 0]), "Male")
    assert [group.name for group in found.groups] == ["Male"]
    assert found.gaps == ()


def test_pictures_whose_group_is_not_known_are_in_none(answers: subgroups.Answers) -> None:
    known = np.ones(answers.labels.shape, bool)
    known[:100, 0] = known[50:150, 2] = False
    found = subgroups.divide(
        subgroups.Answers(NAMES, answers.labels & known, answers.probabilities, answers.majority, known),
        ("Male",), bootstrap.draw(np.arange(400), 50),
    )  # fmt: skip
    assert sum(group.images for group in found.groups) == 300
    assert sum(group.attributes[2].known for group in found.groups) == 250
    men = answers.labels[:, 0] & known[:, 0]
    assert found.groups[0].attributes[2].positive_share == pytest.approx(
        answers.labels[men & known[:, 2], 2].mean(), abs=1e-6
    )


def test_labels_that_are_never_known_make_no_groups(answers: subgroups.Answers) -> None:
    nothing_of_men = replace(answers, known=answers.known & (np.arange(4) > 0))
    assert divide(nothing_of_men, "Male", "Young").groups == ()
