import dataclasses
import json
from typing import Any

import pytest

from slimnet import Calibration, Reliability

SOUND = Reliability(0.8, 0.7, 0.9)


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
