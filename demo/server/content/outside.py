"""Which people the weights in use fail, in words, as `training.evaluate --outside` measured it outside CelebA."""

from collections.abc import Iterator
from typing import Any

_BEHIND = 0.85  # if an attribute is right less often for some people, a note beside its box says so
# Nothing is said of smaller groups. If an attribute is truly right for 92 of 100, as for all adults, a group of 50 gets
# fewer than 85 of 100 by chance in 4 cases of 100, and a group of 30 in 9.
_LEAST_IMAGES = 50
_MOST_PARTS = 3  # that one sentence names
_DIVISIONS = {"Young": ("ages", "groups")}  # for all others, groups come first
_PEOPLE = {"female": "women", "male": "men"}


def notes(figures: dict[str, Any] | None) -> dict[str, str]:
    """The notes beside boxes that are wrong much more often for some people.

    Args:
        figures: the content of outside.json; None if nothing was measured.

    Returns:
        Attribute -> a sentence about the people for whom it is right least often, in up to three parts: by origin and
        gender before by age (for Young the other way round), and the worst of each first.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for other in figures["sets"] if figures else ():
        for row in other["attributes"]:
            found.setdefault(row["attribute"], []).append(row)
    worst = {name: _worst(rows, *_DIVISIONS.get(name, ("groups", "ages"))) for name, rows in found.items()}
    return {name: _sentence(parts) for name, parts in worst.items() if parts}


def summary(figures: dict[str, Any] | None) -> dict[str, Any] | None:
    """What the About section says about the attribute Male.

    Args:
        figures: the content of outside.json; None if nothing was measured.

    Returns:
        name of the first set that tells its groups apart; images, the number of its pictures of adults; adults, the
        share of these that is right; worst, the share in the group where it is lowest; interval, its 95 % interval;
        people, who is in that group. None if there is no such set.
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
    """Name some groups of people, each with the share for whom the attribute is right."""
    *others, last = (f"{100 * right:.0f} of 100 {name}" for name, right in parts.items())
    listed = f"{', '.join(others)} and {last}" if others else last
    return f"Outside CelebA: right for {listed}."


def _worst(rows: list[dict[str, Any]], *divisions: str) -> dict[str, float]:
    """The people who fare worst, with the share for whom it is right; the lowest share if they are in several sets."""
    told: dict[str, float] = {}
    for division in divisions:
        for part in sorted(_behind(rows, division), key=lambda part: part["right"]):
            told.setdefault(people(part), part["right"])
    return dict(list(told.items())[:_MOST_PARTS])


def _behind(rows: list[dict[str, Any]], division: str) -> Iterator[dict[str, Any]]:
    """The parts that fare badly: groups by origin and gender, or ages of both genders together."""
    for part in (part for row in rows for part in row[division]):
        told = division == "groups" or part["gender"] is None
        if told and part["images"] >= _LEAST_IMAGES and part["right"] < _BEHIND:
            yield part
