"""Explains to the page why a face is read as it is: what each place in it adds to an attribute's log-odds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from demo.pipeline.analyse import ExplainingPredictor
from demo.pipeline.result import Analysis, FaceResult
from slimnet.explain import Explanation

_DECIMALS = 5  # of log-odds; 108 cells then add up to within a thousandth
_CORNER = 0.5  # pixels from a pixel's centre to its corner, from which the page counts


@dataclass(frozen=True)
class Question:
    """What the live panel asks about a frame.

    Attributes:
        face: number of a face.
        attribute: name of one of its attributes.
    """

    face: int
    attribute: str


def read_question(given: Any) -> Question | None:
    """Read what a message asks.

    Args:
        given: {"face": number, "attribute": name}, or any other JSON value from a call.

    Returns:
        The question; None if there is none in this form.
    """
    face, attribute = (given.get("face"), given.get("attribute")) if isinstance(given, dict) else (None, None)
    return Question(face, attribute) if isinstance(face, int) and isinstance(attribute, str) else None


def explain(
    analysis: Analysis, number: int, wanted: Sequence[str], predictor: ExplainingPredictor
) -> dict[str, Any] | None:
    """Explain some attributes of a face.

    Args:
        analysis: with the features of its faces.
        number: of the face.
        wanted: names of the attributes.
        predictor: has predicted them.

    Returns:
        The maps, as `describe_maps` returns them; None if there is no such face or attribute.
    """
    face = next((face for face in analysis.faces if face.number == number), None)
    if face is None or face.features is None or not set(wanted) <= set(analysis.attributes):
        return None
    return explain_face(face, wanted, predictor)


def explain_face(face: FaceResult, wanted: Sequence[str], predictor: ExplainingPredictor) -> dict[str, Any]:
    """Explain some attributes of a given face.

    Args:
        face: with its features.
        wanted: names of attributes of the predictor.
        predictor: has predicted them.

    Returns:
        The maps, as `describe_maps` returns them.
    """
    assert face.features is not None, "the face was analysed without its features"
    explanation = predictor.explain_features(face.features, [predictor.attributes.index(name) for name in wanted])
    return describe_maps(explanation, face.placement, wanted)


def describe_maps(explanation: Explanation, placement: np.ndarray, attributes: Sequence[str]) -> dict[str, Any]:
    """The maps of one face as JSON for the page.

    Args:
        explanation: of this face's crop alone.
        placement: (2, 3), as in `FaceResult`.
        attributes: names of the attributes it explains, in its order.

    Returns:
        attributes, the names; cells, a map for each, as rows from the top; bias, one for each; rows and columns, the
        edges between the cells in pixels of the crop; placement, [a, b, c, d, e, f]: a point (x, y) of the crop lies at
        (ax + by + c, dx + ey + f) in the picture. Pixels count from the corner here: the first one reaches from 0 to 1.
    """
    (maps,) = explanation.maps
    corner = np.array([_CORNER, _CORNER])
    shift = placement[:, 2] + corner - placement[:, :2] @ corner
    return {
        "attributes": list(attributes),
        "cells": np.round(maps.astype(np.float64), _DECIMALS).tolist(),
        "bias": np.round(explanation.bias.astype(np.float64), _DECIMALS).tolist(),
        "rows": list(explanation.cells.rows),
        "columns": list(explanation.cells.columns),
        "placement": np.column_stack([placement[:, :2], shift]).round(4).ravel().tolist(),
    }
