import dataclasses
import json
from typing import Any

import pytest

from slimnet import Calibration, OperatingPoint, Reliability, Sure

SOUND = Reliability(0.8, 0.7, 0.9)
POINT = OperatingPoint((0.5, 0.25), (0.75, 0.0), (0.5, 0.0))
DECISIONS: dict[str, Any] = {
    "operating_points": {"accuracy": POINT, "balanced": POINT, "f1": POINT},
    "unsure": ((0.25, 0.75), (0.0, 1.0)),
    "sure": Sure((0.98, 0.0), (0.7, 0.0), (0.9, 0.0), (0.6, 0.0)),
}


@pytest.mark.parametrize("values", [(0.8, 0.9, 0.7), (1.2, 0.7, 0.9), (0.8, -0.1, 0.9), (float("nan"), 0.7, 0.9)])
def test_a_reliability_outside_its_range_is_refused(values: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="shares from 0 to 1"):
        Reliability(*values)


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan"), float("inf")])
def test_a_temperature_that_could_move_a_decision_is_refused(temperature: float) -> None:
    with pytest.raises(ValueError, match="temperatures are finite and above 0"):
        Calibration((1.0, temperature), (SOUND, SOUND))


def test_temperatures_and_reliabilities_belong_together() -> None:
    with pytest.raises(ValueError, match="2 temperatures for 1 reliabilities"):
        Calibration((1.0, 2.0), (SOUND,))


def test_json_gives_the_same_calibration_back() -> None:
    calibration = Calibration((0.5, 2.0), (SOUND, Reliability(0.5, 0.5, 0.6)))
    assert Calibration.from_json(json.loads(json.dumps(dataclasses.asdict(calibration)))) == calibration


@pytest.mark.parametrize(
    "values",
    [{}, {"temperatures": [1.0]}, {"temperatures": [1.0], "reliability": [{"low": 0.1}]},
     {"temperatures": ["warm"], "reliability": [{}]}, {"temperatures": 1.0, "reliability": []}, []],
)  # fmt: skip
def test_json_of_another_kind_is_refused(values: Any) -> None:
    with pytest.raises(ValueError, match=r"calibration|warm"):
        Calibration.from_json(values)


def test_json_gives_decisions_back() -> None:
    calibration = Calibration((0.5, 2.0), (SOUND, SOUND), **DECISIONS)
    again = Calibration.from_json(json.loads(json.dumps(dataclasses.asdict(calibration))))
    assert again == calibration
    assert again.operating_points["f1"].thresholds == (0.5, 0.25)


def test_json_of_weights_from_before_there_were_decisions_has_none() -> None:
    calibration = Calibration((0.5, 2.0), (SOUND, SOUND), **DECISIONS)
    old = {key: value for key, value in dataclasses.asdict(calibration).items() if key not in DECISIONS}
    assert Calibration.from_json(old) == Calibration((0.5, 2.0), (SOUND, SOUND))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [("operating_points", {}, "take the operating points accuracy, balanced, f1"),
     ("operating_points", {"accuracy": POINT, "balanced": POINT}, "take the operating points"),
     ("operating_points", {**DECISIONS["operating_points"], "f2": POINT}, "take the operating points"),
     ("operating_points", {**DECISIONS["operating_points"], "f1": OperatingPoint((0.5,), (0.5,), (0.5,))},
      "2 temperatures, but decisions for"),
     ("sure", None, "figures of sure"), ("sure", Sure((1.0,), (1.0,), (1.0,), (1.0,)), "2 temperatures, but"),
     ("unsure", (), "2 temperatures, but"), ("unsure", ((0.2, 0.8),), "2 temperatures, but"),
     ("unsure", ((0.2, 0.8), (0.8, 0.2)), "low up to high"), ("unsure", ((0.2, 0.8), (0.8, 1.2)), "low up to high"),
     ("unsure", ((0.2, 0.8), (float("nan"), 1.0)), "low up to high")],
)  # fmt: skip
def test_decisions_that_do_not_belong_together_are_refused(key: str, value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Calibration((1.0, 1.0), (SOUND, SOUND), **{**DECISIONS, key: value})


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), float("inf")])
def test_an_operating_point_outside_0_to_1_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="operating point holds numbers from 0 to 1; its precision has"):
        OperatingPoint((0.5,), (value,), (0.5,))
    with pytest.raises(ValueError, match="sure answers holds numbers from 0 to 1; its answered has"):
        Sure((0.5,), (value,), (0.5,), (0.5,))


def test_an_operating_point_has_one_of_each_number_for_an_attribute() -> None:
    with pytest.raises(ValueError, match="one number for each attribute in thresholds, precision, recall"):
        OperatingPoint((0.5, 0.5), (0.5,), (0.5, 0.5))


@pytest.mark.parametrize(
    ("key", "value"),
    [("operating_points", [1]), ("operating_points", {"f1": {"thresholds": [0.5, 0.5]}}), ("operating_points", "f1"),
     ("operating_points", {"f1": [0.5]}), ("unsure", [0.1, 0.2]), ("unsure", 1), ("sure", {"right": 1}), ("sure", [1]),
     ("sure", {"wrong": [1.0]})],
)  # fmt: skip
def test_json_of_other_decisions_is_refused(key: str, value: Any) -> None:
    values = dataclasses.asdict(Calibration((1.0, 1.0), (SOUND, SOUND), **DECISIONS))
    with pytest.raises(ValueError, match="no calibration"):
        Calibration.from_json({**values, key: value})


@pytest.mark.parametrize("value", ["0.5", "nan", True, None, "12"])
@pytest.mark.parametrize("key", ["temperatures", "unsure", "reliability", "sure"])
def test_what_only_looks_like_a_number_is_refused(key: str, value: Any) -> None:
    bad = {
        "temperatures": [1.0, value],
        "unsure": [[0.2, 0.8], [0.2, value]],
        "reliability": [{"balanced_accuracy": 0.8, "low": 0.7, "high": value}] * 2,
        "sure": {name: [0.5, value] for name in ("right", "answered", "precision", "recall")},
    }
    values = dataclasses.asdict(Calibration((1.0, 1.0), (SOUND, SOUND), **DECISIONS))
    with pytest.raises(ValueError, match=rf"no calibration: it has {value!r} in place of a number"):
        Calibration.from_json({**values, key: bad[key]})


def test_text_is_no_list_of_numbers() -> None:
    values = dataclasses.asdict(Calibration((1.0, 1.0), (SOUND, SOUND), **DECISIONS))
    with pytest.raises(ValueError, match="no calibration: it has '1' in place of a number"):
        Calibration.from_json({**values, "temperatures": "12"})
    with pytest.raises(ValueError, match="no calibration: it has '0' in place of a number"):
        Calibration.from_json({**values, "unsure": ["01", "01"]})


def test_a_number_that_no_float_can_hold_is_refused() -> None:
    values = dataclasses.asdict(Calibration((1.0, 1.0), (SOUND, SOUND), **DECISIONS))
    with pytest.raises(ValueError, match="a number in a calibration is too large"):
        Calibration.from_json({**values, "temperatures": [1.0, 10**400]})


@pytest.mark.parametrize("band", [[], [0.5], [0.2, 0.5, 0.8]])
def test_a_band_has_two_ends(band: list[float]) -> None:
    values = dataclasses.asdict(Calibration((1.0, 1.0), (SOUND, SOUND), **DECISIONS))
    with pytest.raises(ValueError, match=f"a low and a high end, but one holds {len(band)} numbers"):
        Calibration.from_json({**values, "unsure": [[0.2, 0.8], band]})
