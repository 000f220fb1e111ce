"""Finds which row of a table of labels belongs to which picture, by their names."""

import os
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from demo.pictures.decode import SUFFIXES

_Key = tuple[str, ...]  # folders and name in lower case, without a picture's suffix


@dataclass(frozen=True)
class Match:
    """The row of a picture.

    Attributes:
        row: its index; None if the table has no such row, or if it is not clear which one it is.
        problem: why it is not clear, for people; otherwise empty.
    """

    row: int | None
    problem: str = ""


def match(files: Sequence[str], names: Sequence[str]) -> list[Match]:
    """Find the row of each picture.

    A name in the table may lack the picture's suffix, and leading folders: "val/1.jpg", "val/1" and "1" all stand for
    /data/val/1.jpg, but "train/1.jpg" does not. Suffix and case only count if nothing else differs.

    Args:
        files: paths of the pictures.
        names: the pictures' names in the table, by row; of equal names the first counts.

    Returns:
        A match for each picture. No row is given to two pictures.
    """
    first = dict(zip(reversed(names), range(len(names) - 1, -1, -1), strict=True))  # the row of each name
    rows: dict[_Key, list[int]] = defaultdict(list)
    for name in dict.fromkeys(names):
        rows[_key(name)].append(first[name])
    matches = [Match(None)] * len(files)
    claims: dict[int, list[int]] = defaultdict(list)
    longest = max(map(len, rows), default=0)
    for number, file in enumerate(files):
        found = _closest(file, _most_specific(file, rows, longest), names)
        if len(found) == 1:
            claims[found[0]].append(number)
        elif found:
            listed = ", ".join(names[row] for row in found)
            matches[number] = Match(None, f"the table's {listed} may all be this picture")
    for row, numbers in claims.items():
        closest = _closest(names[row], numbers, files)
        if len(closest) == 1:
            matches[closest[0]] = Match(row)
            continue
        for number in closest:
            problem = f"the table's {names[row]} may be any of {len(closest)} pictures: add their folders to the names"
            matches[number] = Match(None, problem)
    return matches


def _most_specific(file: str, rows: Mapping[_Key, list[int]], longest: int) -> list[int]:
    """The rows whose names match most of the picture's folders."""
    key = _key(str(Path(file).absolute()))
    return next((rows[key[-n:]] for n in range(min(longest, len(key)), 0, -1) if key[-n:] in rows), [])


def _closest(name: str, candidates: Sequence[int], names: Sequence[str]) -> list[int]:
    """The candidates whose names differ least from this one in suffix and case."""
    if len(candidates) < 2:
        return list(candidates)
    last = _parts(name)[-1]
    others = {number: _parts(names[number])[-1] for number in candidates}
    ranks = {number: (other == last) + (other.lower() == last.lower()) for number, other in others.items()}
    return [number for number in candidates if ranks[number] == max(ranks.values())]


def _key(name: str) -> _Key:
    *folders, last = _parts(name.lower())
    stem, suffix = os.path.splitext(last)  # noqa: PTH122 (faster than Path, for millions of names)
    return *folders, stem if suffix in SUFFIXES else last


def _parts(name: str) -> list[str]:
    """Folders and name, normalised because a Mac writes accents as separate characters."""
    parts = unicodedata.normalize("NFC", name).replace("\\", "/").split("/")
    return [part for part in parts if part not in ("", ".")] or [""]
