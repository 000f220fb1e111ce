from collections.abc import Sequence
from typing import Any

from demo.server.content.outside import notes, summary


def part(right: float, group: str | None = None, gender: str | None = None, age: str | None = None,
         images: int = 200, above: float = 0.04) -> dict[str, Any]:  # fmt: skip
    return {
        "group": group, "gender": gender, "age": age, "images": images, "right": right,
        "interval": [right - 0.04, min(1, right + above)], "answered": 0.7, "right_answers": 0.97,
    }  # fmt: skip


def figures(
    *sets: tuple[str, str, list[dict[str, Any]], list[dict[str, Any]]], unlabelled: Sequence[str] = ("30-39",)
) -> dict[str, Any]:
    """outside.json; sets: name, attribute, groups, ages."""
    return {
        "sets": [
            {"name": name, "attributes": [{
                "attribute": attribute, "adults": part(0.9), "groups": groups, "ages": ages, "unlabelled": unlabelled,
                "worst": min(groups, key=lambda row: row["right"], default=None),
            }]}
            for name, attribute, groups, ages in sets
        ]
    }  # fmt: skip


BLACK, WHITE, INDIAN = part(0.7, "Black", "female"), part(0.96, "White", "male"), part(0.42, "Indian", "female")
UNMEASURED = "; at the age of 30–39 not measured."
BABIES, OLD = part(0.54, age="0-2"), part(0.6, age="70+")


def test_the_adults_and_their_worst_group_come_first_where_adults_of_all_ages_were_measured() -> None:
    found = figures(("Ages", "Male", [], [BABIES]), ("A", "Male", [WHITE], [OLD]), unlabelled=())
    assert notes(found) == {
        "Male": "Outside CelebA: right for 90 of 100 adults, 96 of 100 White men, 54 of 100 people aged 0–2 "
        "and 60 of 100 people aged 70 or more."
    }
    worse_elsewhere = figures(("A", "Male", [BLACK], []), ("B", "Male", [part(0.5, "Black", "female")], []))
    worse_elsewhere["sets"][0]["attributes"][0]["unlabelled"] = ()
    assert notes(worse_elsewhere) == {"Male": "Outside CelebA: right for 90 of 100 adults and 50 of 100 Black women."}


def test_in_each_age_those_who_fare_worst_are_told() -> None:
    found = [
        part(0.4, gender="female", age="0-2"),
        part(0.7, gender="male", age="0-2"),
        part(0.6, age="0-2"),
        part(0.5, gender="male", age="10-19"),
        part(0.65, gender="female", age="70+"),
        part(0.66, gender="female", age="60-69"),
    ]
    assert notes(figures(("A", "Male", [], found))) == {
        "Male": "Outside CelebA: right for 40 of 100 girls aged 0–2, 50 of 100 teenage boys aged 10–19, "
        f"65 of 100 women aged 70 or more and 66 of 100 women aged 60–69{UNMEASURED}"
    }


def test_all_parts_that_stay_behind_are_told_over_all_sets() -> None:
    ages = [BABIES, OLD, part(0.61, age="60-69")]
    found = figures(("A", "Male", [BLACK, WHITE], ages), ("B", "Male", [INDIAN], []))
    assert notes(found) == {
        "Male": "Outside CelebA: right for 42 of 100 Indian women, 70 of 100 Black women, 54 of 100 people aged 0–2, "
        f"60 of 100 people aged 70 or more and 61 of 100 people aged 60–69{UNMEASURED}"
    }


def test_ages_that_no_set_labels_are_told_at_the_end() -> None:
    first = figures(("A", "Young", [], [OLD]), unlabelled=("0-2", "30-39", "40-49", "70+"))
    second = figures(("B", "Young", [], []), unlabelled=("30-39", "40-49", "70+"))
    assert notes({"sets": first["sets"] + second["sets"]}) == {
        "Young": "Outside CelebA: right for 60 of 100 people aged 70 or more; at the age of 30–49, 70+ not measured."
    }


def test_where_no_group_stays_behind_the_ages_are_told() -> None:
    assert notes(figures(("A", "Male", [WHITE], [OLD, BABIES]))) == {
        "Male": f"Outside CelebA: right for 54 of 100 people aged 0–2 and 60 of 100 people aged 70 or more{UNMEASURED}"
    }
    assert notes(figures(("A", "Male", [WHITE], [OLD]))) == {
        "Male": f"Outside CelebA: right for 60 of 100 people aged 70 or more{UNMEASURED}"
    }


def test_people_in_several_sets_are_told_once_by_the_worst_of_these() -> None:
    found = figures(("A", "Male", [], [BABIES]), ("B", "Male", [], [part(0.7, age="0-2"), part(0.5, age="0-2")]))
    assert notes(found) == {"Male": f"Outside CelebA: right for 50 of 100 people aged 0–2{UNMEASURED}"}


def test_young_is_told_by_age_first() -> None:
    found = figures(("A", "Young", [INDIAN], [part(0.86, age="50-59"), OLD]))
    assert notes(found) == {
        "Young": f"Outside CelebA: right for 60 of 100 people aged 70 or more and 42 of 100 Indian women{UNMEASURED}"
    }


def test_a_part_that_stays_behind_is_told_wherever_its_interval_ends() -> None:
    found = figures(("A", "Male", [part(0.81, "Black", "female", images=250, above=0.045)], []))
    assert notes(found) == {"Male": f"Outside CelebA: right for 81 of 100 Black women{UNMEASURED}"}


def test_nothing_is_said_of_few_people_and_of_those_who_do_not_stay_behind() -> None:
    enough, few = part(0.85, "Black", "female"), part(0.1, "Black", "male", images=49)
    assert notes(figures(("A", "Male", [enough, few, WHITE], []))) == {}
    assert notes(None) == {}


def test_the_first_set_with_groups_is_summed_up() -> None:
    found = figures(
        ("Young ones", "Young", [BLACK], []), ("Ages", "Male", [], [OLD]), ("A", "Male", [BLACK, WHITE], [])
    )
    assert summary(found) == {
        "name": "A", "images": 200, "adults": 0.9, "answered": 0.7, "right_answers": 0.97,
        "worst": 0.7, "interval": BLACK["interval"], "people": "Black women",
    }  # fmt: skip
    assert summary(figures(("Ages", "Male", [], [OLD]))) is None
    assert summary(None) is None
