"""Whom a network fails, as Markdown, from outside.json alone."""

from typing import Any

from training.report import tables

_PEOPLE = {"female": "women", "male": "men"}


def who_it_fails(found: dict[str, Any]) -> str:
    """Write a section for each set, with a table by group and one by age for each attribute.

    Args:
        found: The content of outside.json.
    """
    return "\n\n".join(
        [
            "Share of the answers that agree with the labels of other sets, in per cent, with 95 % intervals (by "
            "Wilson's method) and numbers of pictures. Those labels are impressions, too, as are the origins and ages "
            "that they name.",
            *(_attribute(other, row) for other in found["sets"] for row in other["attributes"]),
        ]
    )


def people(part: dict[str, Any]) -> str:
    """Name a group of adults, such as "Black women".

    Args:
        part: A part that has a group and a gender.
    """
    return f"{part['group']} {_PEOPLE[part['gender']]}"


def _attribute(other: dict[str, Any], found: dict[str, Any]) -> str:
    """Everything on one attribute in one set."""
    worst = found["worst"]
    of_split = f" of its {other['split']} split" if other["split"] else ""
    lines = [
        f"### {found['attribute']} on {other['name']}, {other['images']:,} pictures{of_split}",
        "",
        f"Adults of 20 and more: {_cell(found['adults'])}. All ages: {_cell(found['everybody'])}."
        + (f" Least often right for {people(worst)}: {_cell(worst)}." if worst else ""),
    ]
    if found["groups"]:
        rows = _grid(found["groups"], "group", (*_PEOPLE,))
        lines += ["", tables.table(("adults", *_PEOPLE.values()), rows)]
    if found["ages"]:
        rows = _grid(found["ages"], "age", (None, *_PEOPLE))
        lines += ["", tables.table(("age", "all", *_PEOPLE), rows)]
    return "\n".join(lines)


def _grid(parts: list[dict[str, Any]], key: str, genders: tuple[str | None, ...]) -> list[tuple[str, ...]]:
    """A row for each value of `key`, with a cell for each gender."""
    cells = {(part[key], part["gender"]): _cell(part) for part in parts}
    values = dict.fromkeys(part[key] for part in parts)
    return [(value, *(cells.get((value, gender), "–") for gender in genders)) for value in values]


def _cell(part: dict[str, Any]) -> str:
    """Share right with its interval, and of how many."""
    if not part["images"]:
        return "–"
    low, high = (100 * end for end in part["interval"])
    return f"{100 * part['right']:.1f} ({low:.1f}–{high:.1f}) of {part['images']:,}"
