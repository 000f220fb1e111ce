from typing import Any

from demo.server.content.outside import notes, summary


def part(right: float, group: str | None = None, gender: str | None = None, age: str | None = None,
         images: int = 200, above: float = 0.04) -> dict[str, Any]:  # fmt: skip
    interval = [right - 0.04, min(1, right + above)]
    return {"group": group, "gender": gender, "age": age, "images": images, "right": right, "interval": interval}


def figures(*sets: tuple[str, str, list[dict[str, Any]], list[dict[str, Any]]]) -> dict[str, Any]:
    """outside.json; sets: name, attribute, groups, ages."""
    return {
        "sets": [
            {"name": name, "attributes": [{"attribute": attribute, "adults": part(0.9), "groups": groups, "ages": ages,
                                           "worst": min(groups, key=lambda row: row["right"], default=None)}]}
            for name, attribute, groups, ages in sets
        ]
    }  # fmt: skip


BLACK, WHITE, INDIAN = part(0.7, "Black", "female"), part(0.96, "White", "male"), part(0.42, "Indian", "female")
BABIES, OLD = part(0.54, age="0-2"), part(0.6, age="70+")


def test_the_group_that_stays_behind_most_is_told_over_all_sets() -> None:
    found = figures(("A", "Male", [BLACK, WHITE], [BABIES]), ("B", "Male", [INDIAN], []))
    assert notes(found) == {"Male": "Outside CelebA: right for 42 of 100 Indian women."}


def test_where_no_group_stays_behind_the_age_is_told() -> None:
    assert notes(figures(("A", "Male", [WHITE], [BABIES, OLD]))) == {
        "Male": "Outside CelebA: right for 54 of 100 people aged 0–2."
    }
    assert notes(figures(("A", "Male", [WHITE], [OLD]))) == {
        "Male": "Outside CelebA: right for 60 of 100 people aged 70 or more."
    }


def test_young_is_told_by_age() -> None:
    found = figures(("A", "Young", [INDIAN], [part(0.2, age="50-59", gender="female"), OLD]))
    assert notes(found) == {"Young": "Outside CelebA: right for 60 of 100 people aged 70 or more."}


def test_nothing_is_said_of_chance_and_of_few_people() -> None:
    likely, few = part(0.84, "Black", "female"), part(0.1, "Black", "male", images=29)
    assert notes(figures(("A", "Male", [likely, few, WHITE], []))) == {}
    assert notes(None) == {}


def test_the_first_set_with_groups_is_summed_up() -> None:
    found = figures(
        ("Young ones", "Young", [BLACK], []), ("Ages", "Male", [], [OLD]), ("A", "Male", [BLACK, WHITE], [])
    )
    assert summary(found) == {
        "name": "A", "images": 200, "adults": 0.9, "worst": 0.7, "interval": BLACK["interval"], "people": "Black women",
    }  # fmt: skip
    assert summary(figures(("Ages", "Male", [], [OLD]))) is None
    assert summary(None) is None
