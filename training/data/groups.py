"""Who is in the pictures of a set outside CelebA, by its own labels: list_groups.csv beside CelebA's tables."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from slimnet.files.text_table import is_unknown
from training.data.tables import DataError, Table, read_table

TABLE = "list_groups.csv"
UNKNOWN_AGE = -1
_AGE = re.compile(r"(?:more than |over )?(\d{1,3})(?:\.0)?(?:\+| ?[-–] ?\d{1,3})?")


@dataclass(frozen=True)
class Groups:
    """The people in some pictures.

    Attributes:
        origins: str (N,), such as "East Asian"; empty if unknown.
        ages: int (N,), in years, the lower end if the set gives a range; UNKNOWN_AGE if unknown.
    """

    origins: np.ndarray
    ages: np.ndarray


def read_groups(folder: Path, names: Sequence[str]) -> Groups:
    """Read list_groups.csv: image_id, group (or race) and age (34, 20-29 or 70+); a cell may be empty or NA.

    Args:
        folder: Its folder.
        names: File names of the pictures, in the order of the result.

    Returns:
        Origin and age of each picture.

    Raises:
        DataError: There is no such table, it lacks a column or pictures, or an age cannot be read.
    """
    path = folder / TABLE
    if not path.is_file():
        raise DataError(f"there is no {TABLE} in {folder}: it has a row for each picture, with image_id, group and age")
    table = read_table(path)
    missing = [name for name in names if name not in table.rows]
    if missing:
        raise DataError(f"{path} lacks {len(missing)} of {len(names)} pictures: {', '.join(missing[:5])}")
    origins, ages = table.column("group", "race", by_name_only=True), _ages(table)
    spoken = ["" if is_unknown(origins[name]) else origins[name].replace("_", " ") for name in names]  # Latino_Hispanic
    return Groups(np.array(spoken), np.array([ages[name] for name in names]))


def _ages(table: Table) -> dict[str, int]:
    """Return the lowest age of each picture.

    Raises:
        DataError: There is no column of ages, or one cannot be read.
    """
    texts = table.column("age", by_name_only=True)
    found = {name: _AGE.fullmatch(text.lower()) for name, text in texts.items()}
    wrong = sorted({texts[name] for name, match in found.items() if not match and not is_unknown(texts[name])})
    if wrong:
        raise DataError(
            f"{table.path} has ages that are neither years nor a range such as 20-29 or 70+: {', '.join(wrong[:5])} "
            "(spreadsheets take 3-9 for a date)"
        )
    return {name: int(match[1]) if match else UNKNOWN_AGE for name, match in found.items()}
