import json

from demo.server.content.decisions import decisions
from slimnet import Calibration, Reliability
from tests.fakes.decided import decided


def test_the_scripts_are_told_what_the_weights_hold() -> None:
    told = json.loads(json.dumps(decisions(("No_Beard", "Smiling", "Goatee"), decided(3))))
    assert told["points"]["balanced"] == {"thresholds": [0.2] * 3, "precision": [0.6] * 3, "recall": [0.9] * 3}
    assert told["unsure"] == [[0.1, 0.9]] * 3
    assert told["sure"]["answered"] == [0.71] * 3
    assert told["exclusive"] == [["No_Beard", "Goatee"]]


def test_weights_without_operating_points_decide_nothing() -> None:
    assert decisions(("Smiling",), None) is None
    assert decisions(("Smiling",), Calibration((1.0,), (Reliability(0.9, 0.8, 1.0),))) is None
