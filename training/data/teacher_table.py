"""Tables of probabilities as teachers, in the form that `python -m demo.annotate` writes.

A row for each face: the picture's file, and a column of probabilities for each attribute; columns that nobody asks for
are skipped, and a cell that is empty, NA, nan or unknown says nothing. If a picture has several faces, the one with the
largest box counts.
"""

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain, filterfalse
from pathlib import Path

import numpy as np
from scipy.special import logit

from slimnet.files.text_table import is_unknown
from training.data.celeba import Split
from training.data.columns import listed, places
from training.data.tables import DataError, read_rows

_SUFFIXES = (".csv", ".tsv", ".txt")
_PARQUET = ".parquet"
_PLACE = ("", "face", "x", "y", "width", "height")  # of demo.annotate's columns
# How demo.annotate writes decisions, or pandas a column of them with gaps; probabilities have six decimals there.
_DECISION = re.compile(r"[01](\.0)?")
_SMALLEST = 5e-7  # probabilities are written with six decimals, so 0 stands for less than this


def is_table(path: str) -> bool:
    """Whether a teacher is a table of probabilities, by its file name; otherwise it is a file of weights.

    Args:
        path: Path of the file.

    Raises:
        DataError: It is a table in demo.annotate's other format.
    """
    suffix = Path(path).suffix.lower()
    if suffix == _PARQUET:
        raise DataError(
            f"the teacher {path} is a Parquet table: a table must be CSV, as demo.annotate writes it under a name that "
            "ends in .csv"
        )
    return suffix in _SUFFIXES


def table_attributes(path: str) -> tuple[str, ...]:
    """Return the names of a table's columns, without those in which demo.annotate writes a face's place.

    Args:
        path: Path of the table.

    Raises:
        DataError: The table can't be read.
    """
    return tuple(name for name in read_rows(Path(path))[0] if name not in _PLACE)


def table_logits(path: str, split: Split, others: Sequence[Path] = ()) -> np.ndarray:
    """Read what a table says about a split's pictures, matched by name.

    If several folders have the same name, the ends of the table's paths decide.

    Args:
        path: Path of the table.
        split: Pictures and attributes to look for.
        others: Pictures outside the split that the table may describe, so that no row is taken for a namesake's.

    Returns:
        float64 (N, attributes), the logits of the probabilities; nan if the table has none.

    Raises:
        DataError: The table can't be read, has none of the attributes or pictures, does not tell which picture a row is
            about, or has something other than probabilities from 0 to 1, such as decisions.
    """
    columns, rows = read_rows(Path(path))
    joined = places(split.attributes, columns)
    if not joined:
        raise DataError(f"the teacher {path} has a column for none of {listed(split.attributes)}")
    if _are_decisions(cells[there] for _, cells in rows for _, there in joined if there < len(cells)):
        raise DataError(
            f"the teacher {path} holds decisions, for each of its cells is 1, 0 or empty: as probabilities they would "
            "outweigh every other teacher. Write it by demo.annotate without --decisions; labels belong in a --data_dir"
        )
    faces = _largest_faces(path, columns, rows)
    found = np.full(split.labels.shape, np.nan)
    for index, file in _matched(path, list(faces), (*split.paths, *others)):
        if index >= len(split):
            continue
        cells = faces[file]
        for wanted, there in joined:
            cell = cells[there] if there < len(cells) else ""
            if not is_unknown(cell):
                found[index, wanted] = _probability(path, file, columns[there], cell)
    if np.isnan(found).all():
        raise DataError(
            f"the teacher {path} has no probability for any of the {len(split):,} pictures, such as "
            f"{split.paths[0].name}; its first row is of {rows[0][0]}"
        )
    return logit(np.clip(found, _SMALLEST, 1 - _SMALLEST))


def _are_decisions(cells: Iterable[str]) -> bool:
    """Whether cells are all decisions or unknown. A network may be as sure of a few faces, but is written otherwise."""
    known = filterfalse(is_unknown, cells)
    first = next(known, "")
    return all(map(_DECISION.fullmatch, chain([first], known)))  # false for an empty first one


def _probability(path: str, file: str, column: str, cell: str) -> float:
    """Read a cell.

    Raises:
        DataError: It is not a number from 0 to 1.
    """
    try:
        value = float(cell)
    except ValueError:
        value = np.nan
    if not 0 <= value <= 1:
        raise DataError(
            f"the teacher {path} has {cell} as {column} of {file}; it takes probabilities from 0 to 1. If that column "
            "is no attribute, name those that are by --attributes"
        )
    return value


def _largest_faces(path: str, columns: Sequence[str], rows: Iterable[tuple[str, list[str]]]) -> dict[str, list[str]]:
    """Return the cells of each picture's largest face, by the picture's file.

    Raises:
        DataError: A picture has several rows without the sizes of their faces.
    """
    sides = [columns.index(name) for name in ("width", "height") if name in columns]
    faces: dict[str, list[str]] = {}
    areas: dict[str, float] = {}
    for file, cells in rows:
        try:
            area = float(np.prod([float(cells[side]) for side in sides])) if len(sides) == 2 else None
        except (IndexError, ValueError):
            area = None
        if file in faces and area is None:
            raise DataError(f"the teacher {path} has more than one row of {file}, without the faces' width and height")
        if area is None or area > areas.get(file, -1.0):
            faces[file] = cells
            areas[file] = area or 0.0
    return faces


def _matched(path: str, files: Sequence[str], pictures: Sequence[Path]) -> list[tuple[int, str]]:
    """Pair pictures with rows of the same name.

    If several have the same name, a pair is two paths that match each other at the end longer than any other.

    Returns:
        The pictures' indices and the rows' files.

    Raises:
        DataError: It is open which belong together.
    """
    by_name: dict[str, list[int]] = defaultdict(list)
    for index, picture in enumerate(pictures):
        by_name[picture.name].append(index)
    rows: dict[str, list[str]] = defaultdict(list)
    for file in files:
        name = _parts(file)[-1]
        # demo.annotate puts an apostrophe before a name that a spreadsheet would take for a formula.
        rows[name if name in by_name else name.removeprefix("'")].append(file)
    found = []
    for name in rows.keys() & by_name.keys():
        if len(rows[name]) == len(by_name[name]) == 1:
            found.append((by_name[name][0], rows[name][0]))
            continue
        common = np.array([[_common_end(_parts(file), pictures[n]) for n in by_name[name]] for file in rows[name]])
        best = (common == common.max(axis=0)) & (common == common.max(axis=1, keepdims=True))
        # If another path matches as well, the pair is right only by elimination: these may be two pictures of one name.
        alone = [(common == common.max(axis=way, keepdims=True)).sum(axis=way, keepdims=True) == 1 for way in (0, 1)]
        if (best & ~(alone[0] & alone[1])).any():
            raise DataError(
                f"the teacher {path} does not tell which {name} a row is of: the pictures have it "
                f"{len(by_name[name])} times, the table {len(rows[name])} times; write paths, such as "
                f"{Path(*pictures[by_name[name][0]].parts[-3:])}, and leave out rows of other pictures"
            )
        found += [(by_name[name][n], rows[name][row]) for row, n in np.argwhere(best)]
    return found


def _parts(file: str) -> list[str]:
    return file.replace("\\", "/").split("/")


def _common_end(file: Sequence[str], picture: Path) -> int:
    """Count the parts that two paths share at the end."""
    both = zip(reversed(file), reversed(Path(os.path.abspath(picture)).parts), strict=False)  # noqa: PTH100 (links stay)
    agree = [one.removeprefix("'") == other.removeprefix("'") for one, other in both]
    return agree.index(False) if False in agree else len(agree)
