"""Which people the weights in use fail, in words, as `training.evaluate --outside` measured it outside CelebA."""

from collections.abc import Sequence
from typing import Any

_BEHIND = 0.85  # if an attribute is right less often for some people, the note beside its box names them
# Nothing is said of smaller groups. If an attribute is truly right for 92 of 100, as for all adults, a group of 50 gets
# fewer than 85 of 100 by chance in 4 cases of 100, and a group of 30 in 9.
_LEAST_IMAGES = 50
_DIVISIONS = {"Young": ("ages", "groups")}  # for all others, groups come first
_PEOPLE = {"female": "women", "male": "men", None: "people"}
_CHILDREN = ((10, {"female": "girls", "male": "boys"}), (20, {"female": "teenage girls", "male": "teenage boys"}))


def notes(figures: dict[str, Any] | None) -> dict[str, str]:
    """The notes beside boxes, on people unlike CelebA's.

    Args:
        figures: the content of outside.json; None if nothing was measured.

    Returns:
        Attribute -> a sentence: for how many adults it is right, and for how many of the group of adults that fares
        worst, unless some ages have no such label. Then all others for whom it is wrong much more often, of each age
        those who fare worst: by origin and gender before by age (for Young the other way round), and the worst of each
        first. At last the ages without labels.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for other in figures["sets"] if figures else ():
        for row in other["attributes"]:
            found.setdefault(row["attribute"], []).append(row)
    told = {name: _told(rows, *_DIVISIONS.get(name, ("groups", "ages"))) for name, rows in found.items()}
    return {name: _sentence(parts, _unlabelled(found[name])) for name, parts in told.items() if parts}


def summary(figures: dict[str, Any] | None) -> dict[str, Any] | None:
    """What the About section says about the attribute Male.

    Args:
        figures: the content of outside.json; None if nothing was measured.

    Returns:
        name of the first set that tells its groups apart; images, the number of its pictures of adults; adults, the
        share of these that is right; answered, the share that gets an answer at the point of the fewest mistakes, and
        right_answers, the share of these answers that is right, None if there are none; worst, the share in the group
        where it is lowest; interval, its 95 % interval; people, who is in that group. None if there is no such set.
    """
    for other in figures["sets"] if figures else ():
        for row in other["attributes"]:
            if row["attribute"] == "Male" and row["worst"]:
                worst = row["worst"]
                return {
                    "name": other["name"],
                    "images": row["adults"]["images"],
                    "adults": row["adults"]["right"],
                    "answered": row["adults"].get("answered"),
                    "right_answers": row["adults"].get("right_answers"),
                    "worst": worst["right"],
                    "interval": worst["interval"],
                    "people": people(worst),
                }
    return None


def people(part: dict[str, Any]) -> str:
    """Name the people in a part of the pictures: "Black women", "men aged 70 or more".

    Args:
        part: a part by origin and gender, or by age and perhaps gender.
    """
    if part["group"]:
        return f"{part['group']} {_PEOPLE[part['gender']]}"
    age = part["age"]
    if age.endswith("+"):
        return f"{_PEOPLE[part['gender']]} aged {age.removesuffix('+')} or more"
    oldest = int(age.partition("-")[2])
    by_age = next((names for years, names in _CHILDREN if oldest < years), _PEOPLE)
    return f"{by_age.get(part['gender'], _PEOPLE[None])} aged {age.replace('-', '–')}"


def _sentence(parts: dict[str, float], unlabelled: Sequence[str]) -> str:
    """Name some groups of people, each with the share for whom the attribute is right, and ages without labels."""
    *others, last = (f"{100 * right:.0f} of 100 {name}" for name, right in parts.items())
    listed = f"{', '.join(others)} and {last}" if others else last
    unmeasured = f"; at the age of {', '.join(unlabelled)} not measured" if unlabelled else ""
    return f"Outside CelebA: right for {listed}{unmeasured}."


def _unlabelled(rows: list[dict[str, Any]]) -> list[str]:
    """The ages of which no set has a label, with neighbours joined, as 30-39 and 40-49 are."""
    found: list[str] = []
    for age in rows[0].get("unlabelled", ()):
        if all(age in row.get("unlabelled", ()) for row in rows):
            start, _, end = age.partition("-")
            if found and end and int(found[-1].partition("–")[2]) + 1 == int(start):
                found[-1] = f"{found[-1].partition('–')[0]}–{end}"
            else:
                found.append(f"{start}–{end}" if end else start)
    return found


def _told(rows: list[dict[str, Any]], *divisions: str) -> dict[str, float]:
    """Some people, with the share for whom it is right; the lowest share if they are in several sets."""
    told: dict[str, float] = {}
    whole = next((row for row in rows if row["worst"] and not row.get("unlabelled")), None)
    if whole:
        told = {"adults": whole["adults"]["right"], people(whole["worst"]): whole["worst"]["right"]}
    for part in (part for division in divisions for part in _behind(rows, division)):
        told[people(part)] = min(part["right"], told.get(people(part), 1.0))
    return told


def _behind(rows: list[dict[str, Any]], division: str) -> list[dict[str, Any]]:
    """The parts that fare badly, worst first: groups by origin and gender, or in each age band those who fare worst."""
    parts = (part for row in rows for part in row[division])
    behind = [part for part in parts if part["images"] >= _LEAST_IMAGES and part["right"] < _BEHIND]
    worst: dict[str, dict[str, Any]] = {}
    for part in sorted(behind, key=lambda part: part["right"]):
        worst.setdefault(part["age"] or people(part), part)
    return list(worst.values())
