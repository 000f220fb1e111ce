"""How far to trust a network's answers, measured on validation images and kept in the weights' file."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from numbers import Real
from reprlib import repr as shortened
from typing import Any

TEMPERATURE_RANGE = (1e-3, 1e3)  # beyond this, float32 probabilities are all 0 and 1, or all 0.5

ACCURACY, BALANCED, F1 = OPERATING_POINTS = ("accuracy", "balanced", "f1")


@dataclass(frozen=True)
class Reliability:
    """How reliable one attribute's predictions are, on validation images.

    Attributes:
        balanced_accuracy: mean of both classes' recalls, 0 to 1; 0.5 is chance, or always giving the same answer.
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
class OperatingPoint:
    """Where each attribute is ticked, and how good such ticks are; in the order of the network's outputs.

    Attributes:
        thresholds: of probability, 0 to 1; above it an attribute is ticked.
        precision: share of the ticks that are right, 0 to 1; 0 if nothing was ticked, like the recall.
        recall: share of the faces with the attribute that are ticked, 0 to 1.

    Raises:
        ValueError: a value is outside 0 to 1, or there are not equally many of each.
    """

    thresholds: tuple[float, ...]
    precision: tuple[float, ...]
    recall: tuple[float, ...]

    def __post_init__(self) -> None:
        _check_shares("an operating point", self)


@dataclass(frozen=True)
class Sure:
    """How good the answers outside the band Calibration.unsure are; in the order of the network's outputs.

    Attributes:
        right: share of the answers that are right, 0 to 1; 0 if nothing was answered, like `answered`.
        answered: share of the faces with an answer, 0 to 1.
        precision: share of the ticks that are right, 0 to 1; 0 if nothing was ticked, like the recall.
        recall: share of the faces with the attribute that are ticked, 0 to 1.

    Raises:
        ValueError: a value is outside 0 to 1, or there are not equally many of each.
    """

    right: tuple[float, ...]
    answered: tuple[float, ...]
    precision: tuple[float, ...]
    recall: tuple[float, ...]

    def __post_init__(self) -> None:
        _check_shares("the figures of sure answers", self)


@dataclass(frozen=True)
class Calibration:
    """Temperature scaling, reliability and decisions of each attribute, in the order of the network's outputs.

    What slimnet.decisions needs is measured all together or not at all; weights that were calibrated before it existed
    have none of it.

    Attributes:
        temperatures: within TEMPERATURE_RANGE; the probability is sigmoid(logit / temperature). Being positive, they
            change no decision: a logit above 0 still gives a probability above 0.5.
        reliability: one for each temperature.
        operating_points: one for each of OPERATING_POINTS, by its name; empty if none were measured.
        unsure: for each attribute the low and high end of the band of probability outside which at least 98 % of
            answers are right, and 80 % of the "yes" and of the "no" alone; 0 or 1 if there are no such answers. Empty
            without operating points.
        sure: how good these answers are; None without operating points.

    Raises:
        ValueError: a temperature is out of range, there are not as many values as temperatures, or decisions are
            incomplete.
    """

    temperatures: tuple[float, ...]
    reliability: tuple[Reliability, ...]
    operating_points: Mapping[str, OperatingPoint] = field(default_factory=dict)
    unsure: tuple[tuple[float, float], ...] = ()
    sure: Sure | None = None

    def __post_init__(self) -> None:
        low, high = TEMPERATURE_RANGE
        wrong = [value for value in self.temperatures if not low <= value <= high]  # NaN fails too
        if wrong:
            raise ValueError(f"temperatures are finite and above 0, got {wrong[0]}: {low:g} to {high:g} are taken")
        if len(self.temperatures) != len(self.reliability):
            raise ValueError(f"{len(self.temperatures)} temperatures for {len(self.reliability)} reliabilities")
        if self.operating_points or self.unsure or self.sure:
            self._check_decisions()

    def _check_decisions(self) -> None:
        if {*self.operating_points} != {*OPERATING_POINTS} or self.sure is None:
            raise ValueError(f"decisions take the operating points {', '.join(OPERATING_POINTS)} and figures of sure")
        if not all(0 <= low <= high <= 1 for low, high in self.unsure):
            raise ValueError("a band of unsure holds probabilities from 0 to 1, low up to high")
        counts = {len(self.unsure), len(self.sure.right), *(len(p.thresholds) for p in self.operating_points.values())}
        if counts != {len(self.temperatures)}:
            raise ValueError(f"{len(self.temperatures)} temperatures, but decisions for {', '.join(map(str, counts))}")

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Calibration":
        """Rebuild a calibration from the JSON of `dataclasses.asdict`.

        Args:
            values: the parsed JSON object; decisions may be missing.

        Returns:
            The calibration.

        Raises:
            ValueError: it is not a calibration.
        """
        try:
            reliability = tuple(Reliability(**_named_numbers(row)) for row in values["reliability"])
            points = values.get("operating_points") or {}
            sure = values.get("sure")
            return cls(
                _numbers(values["temperatures"]),
                reliability,
                {name: OperatingPoint(**_columns(point)) for name, point in points.items()},
                tuple(map(_band, values.get("unsure") or ())),
                None if sure is None else Sure(**_columns(sure)),
            )
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"no calibration: {error}") from error


def _numbers(values: Any) -> tuple[float, ...]:
    """Read numbers; raises TypeError for anything else, such as text, and ValueError for what no float can hold."""
    found = tuple(values)
    wrong = [value for value in found if isinstance(value, bool) or not isinstance(value, Real)]
    if wrong:
        raise TypeError(f"it has {shortened(wrong[0])} in place of a number")
    try:
        return tuple(map(float, found))
    except OverflowError as error:
        raise ValueError("a number in a calibration is too large") from error


def _named_numbers(values: Mapping[str, Any]) -> dict[str, float]:
    return dict(zip(values, _numbers(values.values()), strict=True))


def _band(values: Any) -> tuple[float, float]:
    ends = _numbers(values)
    if len(ends) != 2:
        raise ValueError(f"a band of unsure has a low and a high end, but one holds {len(ends)} numbers")
    low, high = ends
    return low, high


def _columns(values: Mapping[str, Any]) -> dict[str, tuple[float, ...]]:
    return {name: _numbers(column) for name, column in values.items()}


def _check_shares(what: str, columns: OperatingPoint | Sure) -> None:
    """Raise ValueError unless all columns are equally long and hold numbers from 0 to 1."""
    found: dict[str, tuple[float, ...]] = {each.name: getattr(columns, each.name) for each in fields(columns)}
    for name, column in found.items():
        wrong = [value for value in column if not 0 <= value <= 1]  # NaN fails too
        if wrong:
            raise ValueError(f"{what} holds numbers from 0 to 1; its {name} has {wrong[0]}")
    if len({len(column) for column in found.values()}) > 1:
        raise ValueError(f"{what} holds one number for each attribute in {', '.join(found)}")
