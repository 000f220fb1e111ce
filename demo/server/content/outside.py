"""Whom the weights in use fail: what `training.evaluate --outside` measured on people unlike CelebA's, in words."""

from collections.abc import Iterator
from typing import Any

_BEHIND = 0.85  # who stays below it with the upper end of the interval is told of beside the box
_LEAST_IMAGES = 30  # of fewer people nothing is said
_DIVISIONS = {"Young": ("ages", "groups")}  # of others: groups first
_PEOPLE = {"female": "women", "male": "men"}


def notes(figures: dict[str, Any] | None) -> dict[str, str]:
    """What stands beside a box of which some people get wrong answers much more often.

    Args:
        figures: the content of outside.json; None where nothing was measured.

    Returns:
        Attribute -> a sentence about the people for whom it is right least often, by origin and gender or else by age,
        where some stay behind.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for other in figures["sets"] if figures else ():
        for row in other["attributes"]:
            found.setdefault(row["attribute"], []).append(row)
    worst = {name: _worst(rows, *_DIVISIONS.get(name, ("groups", "ages"))) for name, rows in found.items()}
    return {
        name: f"Outside CelebA: right for {100 * part['right']:.0f} of 100 {people(part)}."
        for name, part in worst.items()
        if part
    }


def summary(figures: dict[str, Any] | None) -> dict[str, Any] | None:
    """What the section About says of the attribute Male.

    Args:
        figures: the content of outside.json; None where nothing was measured.

    Returns:
        name of the first set that tells its groups apart; images, of adults; adults, the share of them that is right;
        worst, that of the group that is right least often, interval, its 95 % interval, and people, who that is. None
        where there is no such set.
    """
    for other in figures["sets"] if figures else ():
        for row in other["attributes"]:
            if row["attribute"] == "Male" and row["worst"]:
                worst = row["worst"]
                return {
                    "name": other["name"],
                    "images": row["adults"]["images"],
                    "adults": row["adults"]["right"],
                    "worst": worst["right"],
                    "interval": worst["interval"],
                    "people": people(worst),
                }
    return None


def people(part: dict[str, Any]) -> str:
    """Name the people in a part of the pictures: "Black women", "people aged 70 or more".

    Args:
        part: a part by origin and gender, or by age alone.
    """
    if part["group"]:
        return f"{part['group']} {_PEOPLE[part['gender']]}"
    age = part["age"]
    return (
        f"people aged {age.removesuffix('+')} or more" if age.endswith("+") else f"people aged {age.replace('-', '–')}"
    )


def _worst(rows: list[dict[str, Any]], *divisions: str) -> dict[str, Any] | None:
    """The part that is right least often, in the first division where any stays behind; None where none does."""
    parts = next(filter(None, (list(_behind(rows, division)) for division in divisions)), [])
    return min(parts, key=lambda part: part["right"], default=None)


def _behind(rows: list[dict[str, Any]], division: str) -> Iterator[dict[str, Any]]:
    """The parts that stay behind: groups by origin and gender, or ages of both genders together."""
    for part in (part for row in rows for part in row[division]):
        told = division == "groups" or part["gender"] is None
        if told and part["images"] >= _LEAST_IMAGES and part["interval"][1] < _BEHIND:
            yield part
