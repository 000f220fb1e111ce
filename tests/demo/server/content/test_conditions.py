from typing import Any

from demo.server.content.conditions import conditions

NAMES = ("Smiling", "Bald")


def measured(name: str, *means: float | None) -> dict[str, Any]:
    """A condition as in conditions.json; its classes begin at 0, 10, 20 …"""
    return {
        "name": name,
        "classes": [
            {"from": 10 * n, "mean": mean, "balanced_accuracy": [0.9, None], "low": [0.88, None], "high": [0.92, None]}
            for n, mean in enumerate(means)
        ],
    }


def figures(*found: dict[str, Any]) -> dict[str, Any]:
    return {"attributes": list(NAMES), "conditions": list(found)}


def test_each_class_has_the_reliability_of_each_attribute_in_words() -> None:
    (size,) = conditions(figures(measured("size", 0.7, 0.8)), NAMES)
    assert [row["rows"] for row in size["classes"]] == [[["good", "reliability 90% (88 to 92)"], None]] * 2
    assert [row["from"] for row in size["classes"]] == [0, 10]


def test_classes_are_compared_with_that_of_most_of_celeba() -> None:
    size, turn = conditions(figures(measured("size", 0.7, 0.8), measured("turn", 0.85, 0.86)), NAMES)
    assert [row["change"] for row in size["classes"]] == [-0.1, 0]
    assert [row["like"] for row in size["classes"]] == ["as small as this one", "like this one"]
    assert [row["usual"] for row in size["classes"]] == [False, True]
    assert [row["change"] for row in turn["classes"]] == [0, 0.01]
    assert [row["like"] for row in turn["classes"]] == ["like this one", "turned as far as this one"]


def test_what_the_boxes_are_worth_is_told_where_it_was_measured() -> None:
    shares = {"precision": [0.8349, None], "recall": [0.004, 1.0]}
    size = measured("size", 0.7, 0.8)
    decided = {"points": {"f1": shares}, "sure": shares | {"right": [None, 0.5]}}
    size["classes"][0]["decided"] = decided
    size["classes"][1]["decided"] = None  # as for weights without operating points
    (found,) = conditions(figures(size), NAMES)
    assert [row["decided"] for row in found["classes"]] == [decided, None]
    (older,) = conditions(figures(measured("size", 0.7, 0.8)), NAMES)
    assert [row["decided"] for row in older["classes"]] == [None, None]


def test_what_was_not_measured_is_left_out() -> None:
    assert conditions(None, NAMES) == []
    assert conditions(figures(measured("size", 0.7)), ("Bald", "Smiling")) == []
    assert [row["name"] for row in conditions(figures(measured("size", None), measured("turn", 0.8)), NAMES)] == [
        "turn"
    ]
