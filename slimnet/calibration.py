"""How far a network's answers can be trusted, as measured on validation images: part of the weights' file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TEMPERATURE_RANGE = (1e-3, 1e3)  # beyond it float32 has no probability but 0 and 1, or none but 0.5


@dataclass(frozen=True)
class Reliability:
    """One attribute's balanced accuracy on validation images and the ends of its 95 % bootstrap interval, from 0 to 1.

    0.5 is worth nothing: the mean of the recalls of both classes is that of a coin, or of always giving one answer.
    Raises ValueError for values outside 0 to 1, or when low is above high.
    """

    balanced_accuracy: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if not (0 <= self.low <= self.high <= 1 and 0 <= self.balanced_accuracy <= 1):
            raise ValueError(f"a reliability holds shares from 0 to 1, low below high; got {self}")


@dataclass(frozen=True)
class Calibration:
    """For each attribute, in the order of the network's outputs, a temperature and its reliability.

    temperatures: the probability is sigmoid(logit / temperature). They are positive, so they move no decision: a logit
    above 0 is a probability above 0.5. reliability: as many.

    Raises ValueError when a temperature is outside TEMPERATURE_RANGE, or when both differ in number.
    """

    temperatures: tuple[float, ...]
    reliability: tuple[Reliability, ...]

    def __post_init__(self) -> None:
        low, high = TEMPERATURE_RANGE
        wrong = [value for value in self.temperatures if not low <= value <= high]  # NaN is not
        if wrong:
            raise ValueError(f"temperatures are finite and above 0, got {wrong[0]}: {low:g} to {high:g} are taken")
        if len(self.temperatures) != len(self.reliability):
            raise ValueError(f"{len(self.temperatures)} temperatures for {len(self.reliability)} reliabilities")

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Calibration:
        """Build it from what dataclasses.asdict and JSON made of one. Raises ValueError for anything else."""
        try:
            reliability = tuple(Reliability(**row) for row in values["reliability"])
            return cls(tuple(float(value) for value in values["temperatures"]), reliability)
        except (KeyError, TypeError) as error:
            raise ValueError(f"no calibration: {error}") from error
