"""Whom a network fails, as Markdown, from outside.json alone."""

from collections.abc import Callable
from typing import Any

from training.report import tables

_GENDERS = {"female": "women", "male": "men"}


def who_it_fails(found: dict[str, Any]) -> str:
    """Write a section for each set, with a table by group and one by age for each attribute.

    Args:
        found: The content of outside.json.
    """
    return "\n\n".join(
        [
            "Share of the answers that agree with the labels of other sets, in per cent, with 95 % intervals (by "
            "Wilson's method) and numbers of pictures, first of the more probable answer for everybody, then of the "
            "answers that are given at the point of the fewest mistakes. Those labels are impressions, too, as are the "
            "origins and ages that they name.",
            *(_attribute(other, row) for other in found["sets"] for row in other["attributes"]),
        ]
    )


def people(part: dict[str, Any]) -> str:
    """Name a group of adults, such as "Black women".

    Args:
        part: A part that has a group, and a gender if its set has.
    """
    return f"{part['group']} {_GENDERS.get(part['gender'], 'people')}"


def _attribute(other: dict[str, Any], found: dict[str, Any]) -> str:
    """Everything on one attribute in one set."""
    worst = found["worst"]
    of_split = f" of its {other['split']} split" if other["split"] else ""
    lines = [
        f"### {found['attribute']} on {other['name']}, {other['images']:,} pictures{of_split}",
        "",
        f"Adults of 20 and more: {_cell(found['adults'])}. All ages: {_cell(found['everybody'])}."
        + (f" Least often right for {people(worst)}: {_cell(worst)}." if worst else "")
        + _fewest_mistakes(found["adults"])
        + (f" No labels, and so no figures, for ages {', '.join(found['unlabelled'])}." if found["unlabelled"] else ""),
    ]
    if found["groups"]:
        divided = any(part["gender"] for part in found["groups"])
        columns = _GENDERS if divided else {None: "all"}
        for title, cell in (("adults", _cell), ("adults, fewest mistakes", _answered)):
            rows = _grid(found["groups"], "group", (*columns,), cell)
            lines += ["", tables.table((title, *columns.values()), rows)]
    if found["ages"]:
        for title, cell in (("age", _cell), ("age, fewest mistakes", _answered)):
            rows = _grid(found["ages"], "age", (None, *_GENDERS), cell)
            lines += ["", tables.table((title, "all", *_GENDERS), rows)]
    return "\n".join(lines)


def _fewest_mistakes(adults: dict[str, Any]) -> str:
    """How many adults get an answer at this operating point, and how often it is right."""
    if not adults["answered"]:
        return ""
    return (
        f" At the point of the fewest mistakes {tables.percent(adults['answered'])} % of these adults get an answer, "
        f"which is right for {tables.percent(adults['right_answers'])} % of them."
    )


def _grid(
    parts: list[dict[str, Any]], key: str, genders: tuple[str | None, ...], cell: Callable[[dict[str, Any]], str]
) -> list[tuple[str, ...]]:
    """A row for each value of `key`, with a cell for each gender."""
    cells = {(part[key], part["gender"]): cell(part) for part in parts}
    values = dict.fromkeys(part[key] for part in parts)
    return [(value, *(cells.get((value, gender), "–") for gender in genders)) for value in values]


def _cell(part: dict[str, Any]) -> str:
    """Share right with its interval, and of how many."""
    if not part["images"]:
        return "–"
    low, high = (100 * end for end in part["interval"])
    return f"{100 * part['right']:.1f} ({low:.1f}–{high:.1f}) of {part['images']:,}"


def _answered(part: dict[str, Any]) -> str:
    """Share of the given answers that is right, and how many are answered."""
    if not part["answered"]:
        return "–"
    return f"{100 * part['right_answers']:.1f} right, {100 * part['answered']:.0f} answered"
