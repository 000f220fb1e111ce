"""What was measured of the weights in use, from files beside them that say which weights they belong to."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.paths import CONDITIONS, MAPS, OUTSIDE
from demo.server.content.conditions import conditions
from demo.server.content.outside import notes
from slimnet import Predictor


@dataclass(frozen=True)
class Measured:
    """What the panels show beside the boxes.

    Attributes:
        notes: attribute -> a sentence on the people it fails.
        conditions: reliability on faces like the one in view, as `conditions.conditions` returns it.
        parameters: how many numbers the network has learned.
        elsewhere: attributes for which the network often looks at the wrong place.
    """

    notes: dict[str, str]
    conditions: list[dict[str, Any]]
    parameters: int
    elsewhere: list[str]


def measured_of(
    predictor: Predictor, outside: Path = OUTSIDE, conditions_file: Path = CONDITIONS, maps: Path = MAPS
) -> Measured:
    """Read what the panels show.

    Args:
        predictor: the network with the weights in use.
        outside: JSON file of `training.evaluate --outside`.
        conditions_file: JSON file of `demo.benchmark conditions`.
        maps: JSON file of `training.explain`.

    Returns:
        What was measured; empty for any file that is missing or belongs to other weights.
    """
    judged = figures_of(predictor.sha256, maps)
    return Measured(
        notes(figures_of(predictor.sha256, outside)),
        conditions(figures_of(predictor.sha256, conditions_file), predictor.attributes),
        predictor.parameters,
        [row["attribute"] for row in judged["attributes"] if row["elsewhere"]] if judged else [],
    )


def figures_of(sha256: str, file: Path) -> dict[str, Any] | None:
    """Read a file of figures.

    Args:
        sha256: of the weights in use, in hexadecimal.
        file: JSON with the SHA-256 of the weights that were measured, as {"weights": {"sha256": …}, …}.

    Returns:
        Its content; None if there is no such file, or if it belongs to other weights.
    """
    if not file.is_file():
        return None
    figures = json.loads(file.read_text(encoding="utf-8"))
    return figures if figures["weights"]["sha256"] == sha256 else None
