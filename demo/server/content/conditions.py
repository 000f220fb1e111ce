"""How reliable each attribute is on faces like the one in view, as `demo.benchmark conditions` measured it."""

from typing import Any

from demo.server.content.attributes import level, reliability_text
from slimnet import Reliability

# How the faces of a class are alike, and the index of the class with most of CelebA's faces.
_LIKE = {"size": "as small as this one", "sharpness": "as blurred as this one", "turn": "turned as far as this one"}
_USUAL = {"size": -1, "sharpness": -1, "turn": 0}


def conditions(figures: dict[str, Any] | None, attributes: tuple[str, ...]) -> list[dict[str, Any]]:
    """What the page's script needs to show the reliability on faces like the one in view.

    Args:
        figures: the content of conditions.json; None if nothing was measured.
        attributes: the names, in the order of the page's probabilities.

    Returns:
        For each condition its name, a key of a face's `conditions`, and its classes, lowest figures first. Of each
        class: from, its lowest figure; change, its mean balanced accuracy minus that of the class with most of CelebA's
        faces; usual, whether it is that class; like, how other faces are like one in this class; rows, for each
        attribute [level, text], or None if not measured; decided, what the boxes are worth, as `globals.d.ts` describes
        it, or None if not measured. Conditions without classes to compare are left out.
    """
    if not figures or tuple(figures["attributes"]) != attributes:
        return []
    return [
        {"name": found["name"], "classes": [_class(found, row) for row in found["classes"]]}
        for found in figures["conditions"]
        if found["classes"][0]["mean"] is not None
    ]


def _class(condition: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    """One class of a condition for the page."""
    name, usual = condition["name"], condition["classes"][_USUAL[condition["name"]]]
    measured = zip(row["balanced_accuracy"], row["low"], row["high"], strict=True)
    return {
        "from": row["from"],
        "change": round(row["mean"] - usual["mean"], 4),
        "usual": row is usual,
        "like": "like this one" if row is usual else _LIKE[name],
        "rows": [_row(*values) for values in measured],
        "decided": row.get("decided"),  # older files have none
    }


def _row(balanced_accuracy: float | None, low: float | None, high: float | None) -> list[str] | None:
    """The level of an attribute and its reliability in words."""
    if balanced_accuracy is None or low is None or high is None:
        return None
    reliability = Reliability(balanced_accuracy, low, high)
    return [level(reliability), reliability_text(reliability)]
