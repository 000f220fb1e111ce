import numpy as np
import pytest

from training.data.celeba import Split
from training.data.groups import Groups
from training.measure.outside import Answers, measure


def people(*rows: tuple[int, str, int, bool, int]) -> tuple[dict[str, Answers], Split, Groups]:
    """A split and its groups; rows are the number of people, origin, age, male, and how many of them are read right.

    The first of each row, right or not, and the last get no answer where mistakes are to be fewest.
    """
    counts = [row[0] for row in rows]
    male = np.repeat([row[3] for row in rows], counts)
    right = np.concatenate([np.arange(count) < hits for count, *_, hits in rows])
    split = Split((), male[:, None], ("Male",), np.arange(sum(counts)))
    groups = Groups(np.repeat([row[1] for row in rows], counts), np.repeat([row[2] for row in rows], counts))
    answered = np.concatenate([(np.arange(count) > 0) & (np.arange(count) < count - 1) for count in counts])
    return {"Male": Answers(np.where(right, male, ~male), answered)}, split, groups


def test_adults_are_counted_by_origin_and_gender_and_the_worst_group_is_named() -> None:
    black, indian = [(40, "Black", 25, False, 16), (60, "Black", 70, True, 60)], [(30, "Indian", 20, False, 15)]
    others = [(50, "Indian", 19, False, 0), (5, "White", 30, True, 0), (10, "", 30, True, 10)]
    (male,) = measure(*people(*black, *indian, *others))
    assert male.attribute == "Male"
    assert {(part.group, part.gender): (part.images, part.right) for part in male.groups} == {
        ("Black", "female"): (40, 0.4), ("Black", "male"): (60, 1.0),
        ("Indian", "female"): (30, 0.5), ("White", "male"): (5, 0.0),
    }  # fmt: skip
    assert male.worst
    assert (male.worst.group, male.worst.gender) == ("Black", "female")  # five White men are too few for a verdict
    assert (male.adults.images, male.everybody.images) == (145, 195)
    assert male.adults.right == pytest.approx(101 / 145, abs=1e-6)
    assert (male.worst.answered, male.worst.right_answers) == (38 / 40, pytest.approx(15 / 38, abs=1e-6))
    # Wilson's interval for 16 of 40, by his formula.
    assert male.worst.interval == pytest.approx((0.2634, 0.5540), abs=1e-4)


def test_everybody_is_counted_by_age_and_gender() -> None:
    (male,) = measure(*people((4, "", 2, False, 1), (6, "", 2, True, 3), (2, "", 9, True, 2), (1, "", 88, True, 1),
                              (3, "", -1, True, 0)))  # fmt: skip
    assert [(part.age, part.gender, part.images, part.right) for part in male.ages] == [
        ("0-2", None, 10, 0.4), ("0-2", "female", 4, 0.25), ("0-2", "male", 6, 0.5),
        ("3-9", None, 2, 1.0), ("3-9", "male", 2, 1.0), ("70+", None, 1, 1.0), ("70+", "male", 1, 1.0),
    ]  # fmt: skip
    assert male.ages[-1].answered == 0
    assert male.ages[-1].right_answers is None
    assert male.everybody.images == 16
    assert male.adults.images == 1
    assert male.groups == ()
    assert male.worst is None


def test_unknown_labels_are_not_counted() -> None:
    answers, split, groups = people((8, "Black", 30, True, 4))
    known = np.arange(8)[:, None] < 6
    (male,) = measure(answers, Split((), split.labels, split.attributes, split.identities, known), groups)
    assert male.everybody.images == male.groups[0].images == 6
    assert male.everybody.right == pytest.approx(4 / 6, abs=1e-6)
    assert male.unlabelled == ()
    assert measure(answers, Split((), split.labels, ("Male",), split.identities, known & False), groups) == ()
    assert measure(answers, Split((), split.labels, ("Bald",), split.identities), groups) == ()


def test_a_set_that_labels_no_gender_has_groups_all_the_same() -> None:
    young = np.ones((60, 1), bool)
    right = np.arange(60) % 2 == 0
    split = Split((), young, ("Young",), np.arange(60))
    groups = Groups(np.repeat(["Black", "White"], 30), np.full(60, 25))
    (found,) = measure({"Young": Answers(right, right)}, split, groups)
    assert [(part.group, part.gender, part.images, part.right) for part in found.groups] == [
        ("Black", None, 30, 0.5), ("White", None, 30, 0.5),
    ]  # fmt: skip
    assert found.worst
    assert [(part.age, part.gender) for part in found.ages] == [("20-29", None)]


def test_ages_of_which_nobody_has_a_label_are_told() -> None:
    answers, split, groups = people(
        (3, "", 25, True, 3), (2, "", 35, True, 2), (1, "", 45, True, 1), (1, "", -1, True, 1)
    )
    known = (groups.ages < 30)[:, None]
    (male,) = measure(answers, Split((), split.labels, split.attributes, split.identities, known), groups)
    assert male.unlabelled == ("30-39", "40-49")
