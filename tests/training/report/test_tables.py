import re
from typing import Any

import pytest

from demo.operating_points import POINTS
from training.report import tables as report

Interval = tuple[float, float]


def scored(attribute: str, above_majority: Interval, balanced_accuracy: Interval | None) -> dict[str, Any]:
    return {
        "attribute": attribute,
        "intervals": {"above_majority": above_majority, "balanced_accuracy": balanced_accuracy},
    }


def test_rare_attributes_are_not_called_unreadable() -> None:
    found = report.weakest(
        {
            "attributes": [
                scored("Smiling", (0.3, 0.4), (0.9, 0.93)),
                scored("Bald", (-0.01, 0.01), (0.66, 0.84)),
                scored("Wearing_Necklace", (-0.01, 0.0), (0.49, 0.52)),
                scored("Blurry", (0.1, 0.2), None),
            ]
        }
    )
    rare, blind, undefined = found.split(". ")
    assert "Bald, Wearing_Necklace" in rare
    assert "Smiling" not in found
    assert blind.endswith(": Wearing_Necklace")
    assert undefined == "Not measured: Blurry."


def calibrated(before: float, served: float, change: float) -> dict[str, Any]:
    return {
        "split": "test",
        "before": {"error": before, "attribute_errors": [before, before + 0.02]},
        "served": {"error": served, "attribute_errors": [served, served + 0.02]},
        "log_loss": {
            "before": 0.3,
            "served": 0.3 + change,
            "change": change,
            "interval": (change - 0.01, change + 0.01),
        },
    }


@pytest.mark.parametrize(("change", "effect"), [(-0.05, "lower"), (0.05, "raise"), (0.002, "do not clearly change")])
def test_what_temperatures_do_is_said_as_it_is(change: float, effect: str) -> None:
    text = report.calibration(calibrated(0.05, 0.01, change))
    assert f"on the test split they {effect} the log loss ({change:+.4f}" in text
    assert "| network alone | 5.00 | 6.00 | 0.3000 |" in text
    assert f"| with temperatures, as served | 1.00 | 2.00 | {0.3 + change:.4f} |" in text


def test_weights_without_temperatures_are_not_said_to_have_any() -> None:
    text = report.calibration(calibrated(0.05, 0.05, 0.0))
    assert "No temperatures are applied" in text
    assert "fitted" not in text
    assert "| network alone, as served | 5.00 | 6.00 | 0.3000 |" in text
    assert "with temperatures" not in text


def test_the_operating_points_are_told_by_their_names_on_the_page() -> None:
    figures = ("accuracy", "balanced_accuracy", "precision", "recall", "f1")
    points = [
        {"point": name, **dict.fromkeys(figures, 0.75), "intervals": dict.fromkeys(figures, (0.7, 0.8)),
         "answered": 0.7, "right": 0.98}
        for name in ("accuracy", "balanced", "f1")
    ]  # fmt: skip
    text = report.decisions({"images": 1500, "split": "test", "operating_points": points})
    assert "On 1,500 images of the test split" in text
    assert "| Find all (`balanced`) | 75.00 (70.0–80.0) | 75.00 (70.0–80.0) | 75.00 | 75.00 | 75.00 (70.0" in text
    assert "| 70.00 | 98.00 |" in text
    assert re.findall(r"^\| ([\w ]+) \(`(\w+)`\)", text, re.MULTILINE) == [(POINTS[n].title, n) for n in POINTS]


def test_evaluations_of_weights_without_operating_points_say_so() -> None:
    assert "no operating points" in report.decisions({"images": 1500, "split": "test"})


def test_a_bar_in_a_name_does_not_end_its_cell() -> None:
    assert report.table(("a", "b"), [("Hat|Cap", "1")]).splitlines()[-1] == r"| Hat\|Cap | 1 |"
