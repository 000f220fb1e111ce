"""The read-only list of checkboxes in the live and the photo panel, one for each attribute."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from markupsafe import Markup

from demo.operating_points import POINTS
from demo.server.content.languages import search_words
from demo.server.markup import render
from slimnet import GROUPS, Reliability

_OTHER = "Other"
_IMPRESSIONS = "Impressions"
_LEVELS = {"good": 0.85, "fair": 0.70}  # level -> its lowest balanced accuracy; below both, an attribute is weak


def display_name(attribute: str) -> str:
    """The name of an attribute for people: `5_o_Clock_Shadow` -> `5 o'Clock Shadow`.

    Args:
        attribute: its name, as the weights hold it.
    """
    return attribute.replace("_o_Clock", " o'Clock").replace("_", " ")


def grouped(attributes: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Sort attributes into the groups of `slimnet.GROUPS`.

    Args:
        attributes: their names.

    Returns:
        Group title -> the attributes in it, each exactly once. Those in no group (from weights with other labels) come
        last, under "Other".
    """
    groups = {title: tuple(name for name in names if name in attributes) for title, names in GROUPS.items()}
    known = {name for names in groups.values() for name in names}
    groups[_OTHER] = tuple(name for name in attributes if name not in known)
    return {title: names for title, names in groups.items() if names}


def attribute_list(
    attributes: tuple[str, ...],
    panel: str,
    reliability: tuple[Reliability, ...] | None = None,
    *,
    decided: bool = False,
    live: bool = False,
    notes: Mapping[str, str] = MappingProxyType({}),
) -> Markup:
    """Render the checkboxes of one panel, with the toolbar that filters and adjusts them, and the legend.

    Args:
        attributes: the names, in the order of the probabilities that `attributes.js` will get.
        panel: id of their panel; keeps the ids of the two panels apart.
        reliability: one for each attribute, or None if the weights have none.
        decided: whether the weights hold operating points, so that there is a switch between them.
        live: whether the probabilities come frame by frame, so that there is something to smooth.
        notes: attribute -> a sentence on the people it fails, for those that have one.

    Returns:
        The list's HTML.

    Raises:
        ValueError: there are more or fewer reliabilities than attributes.
    """
    measured = dict(zip(attributes, reliability, strict=True)) if reliability else {}
    words = search_words()
    index = {name: position for position, name in enumerate(attributes)}
    groups = {
        title: [_row(name, index[name], panel, measured.get(name), notes.get(name), words) for name in names]
        for title, names in grouped(attributes).items()
    }
    return render(
        "shared/attributes/attributes.html",
        impressions=groups.pop(_IMPRESSIONS, []),
        groups=groups,
        panel=panel,
        live=live,
        levels=_LEVELS if measured else None,
        points=POINTS if decided else None,
    )


def level(reliability: Reliability) -> str:
    """How far an attribute can be trusted.

    Args:
        reliability: the attribute's measured reliability.

    Returns:
        "good", "fair" or "weak", which is also a class in the page's styles.
    """
    share = round(100 * reliability.balanced_accuracy) / 100  # as `reliability_text` writes it
    return next((name for name, least in _LEVELS.items() if share >= least), "weak")


def _row(
    attribute: str,
    index: int,
    panel: str,
    reliability: Reliability | None,
    note: str | None,
    words: Mapping[str, str],
) -> dict[str, Any]:
    """The template's values for one checkbox."""
    return {
        "attribute": attribute,
        "index": index,
        "id": f"{panel}-{attribute}",
        "name": display_name(attribute),
        "words": f"{display_name(attribute)} {words.get(attribute, '')}",
        "level": level(reliability) if reliability else "unmeasured",
        "reliability": reliability_text(reliability) if reliability else "reliability not measured",
        "note": note,
    }


def reliability_text(reliability: Reliability) -> str:
    """Reliability in words: "reliability 84% (82 to 86)".

    Args:
        reliability: the attribute's measured reliability.
    """
    middle, low, high = (
        f"{100 * share:.0f}" for share in (reliability.balanced_accuracy, reliability.low, reliability.high)
    )
    return f"reliability {middle}% ({low} to {high})"
