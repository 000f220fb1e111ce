"""Calibrations with operating points, and weights that have one, as training.calibrate would write them."""

from dataclasses import replace
from pathlib import Path

from demo.paths import WEIGHTS
from slimnet import Calibration, OperatingPoint, Reliability, SlimNet, Sure


def decided(attributes: int, low: float = 0.1, high: float = 0.9) -> Calibration:
    """The same for each attribute: not sure from `low` to `high`, ticked above 0.5, 0.4 and 0.2 at the three points."""

    def each(share: float) -> tuple[float, ...]:
        return (share,) * attributes

    return Calibration(
        temperatures=each(1.0),
        reliability=(Reliability(0.9, 0.88, 0.92),) * attributes,
        operating_points={
            "accuracy": OperatingPoint(each(0.5), each(0.85), each(0.7)),
            "balanced": OperatingPoint(each(0.2), each(0.6), each(0.9)),
            "f1": OperatingPoint(each(0.4), each(0.8), each(0.75)),
        },
        unsure=((low, high),) * attributes,
        sure=Sure(each(0.98), each(0.71), each(0.97), each(0.5)),
    )


def decided_weights(path: Path) -> Path:
    """Write the shipped weights to a path, with the decisions of `decided`."""
    network = SlimNet.load_pretrained(WEIGHTS)
    shipped = network.calibration
    assert shipped
    network.calibration = replace(
        decided(len(network.attributes)), temperatures=shipped.temperatures, reliability=shipped.reliability
    )
    network.save(path)
    return path
