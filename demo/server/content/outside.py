"""Whom the weights in use fail: what `training.evaluate --outside` measured on people unlike CelebA's, in words."""

from collections.abc import Iterator
from typing import Any

_BEHIND = 0.85  # people for whom it is right less often are told of beside the box
# Of fewer people nothing is said. Of 50 for whom it is truly right as often as for all adults, in 92 of 100, chance
# alone gives fewer than 85 of 100 in 4 cases of 100; of 30 it would in 9.
_LEAST_IMAGES = 50
_MOST_PARTS = 3  # that one sentence names
_DIVISIONS = {"Young": ("ages", "groups")}  # of others: groups first
_PEOPLE = {"female": "women", "male": "men"}


def notes(figures: dict[str, Any] | None) -> dict[str, str]:
    """What stands beside a box of which some people get wrong answers much more often.

    Args:
        figures: the content of outside.json; None where nothing was measured.

    Returns:
        Attribute -> a sentence about the people for whom it is right least often, up to three parts of them: those by
        origin and gender before those by age (for Young the other way round), and of each the worst first.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for other in figures["sets"] if figures else ():
        for row in other["attributes"]:
            found.setdefault(row["attribute"], []).append(row)
    worst = {name: _worst(rows, *_DIVISIONS.get(name, ("groups", "ages"))) for name, rows in found.items()}
    return {name: _sentence(parts) for name, parts in worst.items() if parts}


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


def _sentence(parts: dict[str, float]) -> str:
    """Name some people, each with the share for whom it is right."""
    *others, last = (f"{100 * right:.0f} of 100 {name}" for name, right in parts.items())
    listed = f"{', '.join(others)} and {last}" if others else last
    return f"Outside CelebA: right for {listed}."


def _worst(rows: list[dict[str, Any]], *divisions: str) -> dict[str, float]:
    """The people who stay behind most, with the share for whom it is right; of those in several sets, the lowest."""
    told: dict[str, float] = {}
    for division in divisions:
        for part in sorted(_behind(rows, division), key=lambda part: part["right"]):
            told.setdefault(people(part), part["right"])
    return dict(list(told.items())[:_MOST_PARTS])


def _behind(rows: list[dict[str, Any]], division: str) -> Iterator[dict[str, Any]]:
    """The parts that stay behind: groups by origin and gender, or ages of both genders together."""
    for part in (part for row in rows for part in row[division]):
        told = division == "groups" or part["gender"] is None
        if told and part["images"] >= _LEAST_IMAGES and part["right"] < _BEHIND:
            yield part
