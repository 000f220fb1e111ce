"""Reads text tables as written by spreadsheets, pandas, R and CelebA's authors."""

import codecs
import csv
import re
from pathlib import Path

_EXCEL_SEPARATOR = re.compile(r'"?sep=.?"?', re.IGNORECASE)  # the first line of some files
_UNKNOWN = frozenset(("", "na", "n/a", "nan", "unknown"))


class TextTableError(ValueError):
    """A file is not a text table; the message names it."""


def read_cells(path: Path) -> list[list[str]]:
    """Read a table whose cells are separated by commas, semicolons, tabs or blanks.

    Args:
        path: file of the table, UTF-8, or UTF-16 with a byte order mark.

    Returns:
        The cells of all lines that are not empty, without blanks and quotation marks around them; skips a first line
        with only a number, as in CelebA's official labels, or with Excel's separator.

    Raises:
        TextTableError: the file is not text, or can't be split into cells.
        OSError: it cannot be read.
    """
    try:
        raw = path.read_bytes()
        wide = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))  # Excel's "Unicode text"
        lines = [line for line in raw.decode("utf-16" if wide else "utf-8-sig").splitlines() if line.strip()]
        if len(lines) > 1 and (lines[0].strip(" ,;\t").isdigit() or _EXCEL_SEPARATOR.fullmatch(lines[0].strip())):
            lines = lines[1:]
        separator = _separator(lines)
        rows = list(csv.reader([line.strip(" ") for line in lines], delimiter=separator, skipinitialspace=True))
    except UnicodeDecodeError as error:
        raise TextTableError(
            f"{path} is no table in text form, or not in UTF-8: save it as 'CSV UTF-8', as Excel calls it"
        ) from error
    except csv.Error as error:
        raise TextTableError(f"{path} is no table in text form: {error}") from error
    return [[cell.strip().strip('"') for cell in row] for row in rows]


def is_unknown(cell: str) -> bool:
    """Whether a cell says that its value is unknown: it is empty, or holds NA, as R writes, nan or unknown.

    Args:
        cell: text from a table.
    """
    return cell.strip().lower() in _UNKNOWN


def _separator(lines: list[str]) -> str:
    """What separates the cells: what is in both of the first two lines, since a file's name may have commas.

    If nothing is, what is in either: a single name above two columns has no separator.
    """
    start = [re.sub(r'"[^"]*"', "", line) for line in lines[:2]]

    def found(separator: str) -> tuple[int, int]:
        counts = [line.count(separator) for line in start]
        return min(counts, default=0), sum(counts)

    best = max(",;\t", key=found)
    return best if any(best in line for line in start) else " "
