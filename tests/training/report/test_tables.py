import pytest

from training.report import tables as report


def scored(attribute, above_majority, balanced_accuracy):
    return {
        "attribute": attribute,
        "intervals": {"above_majority": above_majority, "balanced_accuracy": balanced_accuracy},
    }


def test_rare_attributes_are_not_called_unreadable():
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
    rare, blind = found.split(". ")
    assert "Bald, Wearing_Necklace" in rare
    assert "Smiling" not in found
    assert blind.endswith(": Wearing_Necklace, Blurry.")


def calibrated(before, served, change):
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
def test_what_temperatures_do_is_said_as_it_is(change, effect):
    text = report.calibration(calibrated(0.05, 0.01, change))
    assert f"on the test split they {effect} the log loss ({change:+.4f}" in text
    assert "| network alone | 5.00 | 6.00 | 0.3000 |" in text
    assert f"| with temperatures, as served | 1.00 | 2.00 | {0.3 + change:.4f} |" in text


def test_weights_without_temperatures_are_not_said_to_have_any():
    text = report.calibration(calibrated(0.05, 0.05, 0.0))
    assert "No temperatures are applied" in text
    assert "fitted" not in text
    assert "| network alone, as served | 5.00 | 6.00 | 0.3000 |" in text
    assert "with temperatures" not in text
