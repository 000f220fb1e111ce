"""How far a network's answers can be trusted, measured on validation images and kept in the weights' file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TEMPERATURE_RANGE = (1e-3, 1e3)  # beyond it float32 has no probability but 0 and 1, or none but 0.5


@dataclass(frozen=True)
class Reliability:
    """How reliable one attribute's predictions are, on validation images.

    Attributes:
        balanced_accuracy: mean of both classes' recalls, 0 to 1; 0.5 is chance, or always the same answer.
        low: lower end of its 95 % bootstrap interval, 0 to 1.
        high: upper end of that interval, 0 to 1.

    Raises:
        ValueError: a value is outside 0 to 1, or low is above high.
    """

    balanced_accuracy: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if not (0 <= self.low <= self.high <= 1 and 0 <= self.balanced_accuracy <= 1):
            raise ValueError(f"a reliability holds shares from 0 to 1, low below high; got {self}")


@dataclass(frozen=True)
class Calibration:
    """Temperature scaling and reliability, one of each per attribute, in the order of the network's outputs.

    Attributes:
        temperatures: within TEMPERATURE_RANGE; the probability is sigmoid(logit / temperature). Being positive, they
            change no decision: a logit above 0 stays a probability above 0.5.
        reliability: one for each temperature.

    Raises:
        ValueError: a temperature is out of range, or there are not as many temperatures as reliabilities.
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
    def from_json(cls, values: Mapping[str, Any]) -> "Calibration":
        """Rebuild a calibration from the JSON of its dataclasses.asdict.

        Args:
            values: the parsed JSON object.

        Returns:
            The calibration.

        Raises:
            ValueError: it is not a calibration.
        """
        try:
            reliability = tuple(Reliability(**row) for row in values["reliability"])
            return cls(tuple(float(value) for value in values["temperatures"]), reliability)
        except (KeyError, TypeError) as error:
            raise ValueError(f"no calibration: {error}") from error
