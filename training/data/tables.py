"""Reads CelebA's tables in all the forms that spreadsheets, pandas and R write.

Cells may be separated by commas, semicolons, tabs or blanks, the pictures' names may be in any column, and the line of
column names may be missing.
"""

import re
import statistics
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from slimnet.files.text_table import TextTableError, read_cells

_PICTURE_NAME = re.compile(r".+\.[A-Za-z][A-Za-z0-9]{2,4}")
_INDEX_NAME = re.compile(r"|index|level_0|Unnamed: ?\d+(\.\d+)?", re.IGNORECASE)
_NAMES_COLUMNS = ("", "image_id", "image", "img", "file", "filename", "file_name", "name", "path", "picture", "photo")
_ROWS_LOOKED_AT = 100  # to find the column of names


class DataError(ValueError):
    """The data folder can't be used as it is; the message says what is wrong and where."""


@dataclass(frozen=True)
class Table:
    """A table without its column of picture names.

    Args:
        path: File that it was read from.
        columns: Names of the other columns, without a running row number; all empty if the table does not name them.
        rows: Values as text by picture name, one for each column unless the row is faulty.
    """

    path: Path
    columns: tuple[str, ...]
    rows: dict[str, list[str]]

    def column(self, *names: str, by_name_only: bool = False) -> dict[str, str]:
        """Return the table's only column, or else the column that has one of these names.

        Args:
            *names: Names in lower case; the error message asks for the first.
            by_name_only: Whether an only column must have one of these names, too, since the table should hold others.

        Returns:
            The values by picture name; a row of the wrong length gives all its cells, joined by blanks.

        Raises:
            DataError: There is no such column, or more than one.
        """
        named = [n for n, column in enumerate(self.columns) if column.lower() in names]
        if len(self.columns) == 1 and not by_name_only:
            named = [0]
        if len(named) != 1:
            count = f"{len(self.columns)} column{'' if len(self.columns) == 1 else 's'}"
            raise DataError(
                f"{self.path} has {count} beside the pictures' names"
                f"{': ' + ', '.join(self.columns) if any(self.columns) else ''}; there must be one"
                f"{' called' if by_name_only else ', or one'} {names[0]}"
            )
        whole = len(self.columns)
        return {name: row[named[0]] if len(row) == whole else " ".join(row) for name, row in self.rows.items()}


def read_table(path: Path) -> Table:
    """Read a table, skipping a first line with only the number of images, as in the official labels.

    Args:
        path: File of the table.

    Raises:
        DataError: The table names an image twice, or cannot be read, see read_rows.
    """
    columns, rows = read_rows(path)
    by_name = dict(rows)
    if len(by_name) != len(rows):
        raise DataError(f"{path} names {len(rows) - len(by_name)} images more than once")
    return Table(path, columns, by_name)


def read_rows(path: Path) -> tuple[tuple[str, ...], list[tuple[str, list[str]]]]:
    """Read a table that may have several rows for a picture.

    Args:
        path: File of the table.

    Returns:
        The names of the columns, as in Table, and for each row the picture's name and its other cells as text.

    Raises:
        DataError: The table is not text, is empty, has no column of picture names or more than one, names a column
            twice, or names only some of its columns.
    """
    try:
        cells = read_cells(path)
    except TextTableError as error:
        raise DataError(str(error)) from error
    header, body = _header_and_body(cells, path)
    names = _column_of_names(header, body, path)
    kept = [n for n in range(len(header)) if n != names]
    values = [n for n in kept if not _is_index(header[n], body, n)] or kept
    columns = tuple(header[n] for n in values)
    dropped = set(range(len(header))) - set(values)
    repeated = sorted({name for name in columns if name and columns.count(name) > 1})
    if repeated:
        raise DataError(f"{path} has more than one column {', '.join(repeated)}")
    if any(columns) and not all(columns):
        raise DataError(f"{path} has a column without a name, after {columns[columns.index('') - 1]}")
    return columns, [
        (row[names] if len(row) > names else row[0], [cell for n, cell in enumerate(row) if n not in dropped])
        for row in body
        if row  # a line may consist of quotes only
    ]


def _header_and_body(rows: list[list[str]], path: Path) -> tuple[list[str], list[list[str]]]:
    """Return the column names, which are empty if the first line has none, and the rows below.

    Raises:
        DataError: There are no rows, or it is not clear which of them the names belong to.
    """
    named = bool(rows) and not _names_a_picture(rows[0], rows[1 : 1 + _ROWS_LOOKED_AT])
    header, body = (rows[0], rows[1:]) if named else ([], rows)
    if not body:
        raise DataError(f"{path} holds no rows")
    # Drop a separator at each line's end, unless it is a named column in which no label is known.
    while all(row and not row[-1] for row in body) and not (header and header[-1] and len(body[0]) <= len(header)):
        if _may_lack_a_name(header, body[0]):
            raise DataError(
                f"{path}: rows have one cell more than the first line and are empty at their ends, so that {header[0]} "
                "may be the pictures' column or the first one of labels: begin the first line with image_id"
            )
        body = [row[:-1] for row in body]
        header = header[:-1] if header and not header[-1] else header
    width = statistics.mode(map(len, body))
    if not named:
        return [""] * width, body
    return ["", *header] if width == len(header) + 1 else header, body  # the first column may have no name


def _may_lack_a_name(header: list[str], row: list[str]) -> bool:
    """Return whether a header may be short of the pictures' column, as R writes it, instead of a row too long."""
    one_more = bool(header) and bool(header[-1]) and len(row) == len(header) + 1
    return one_more and header[0].lower() not in _NAMES_COLUMNS and bool(_PICTURE_NAME.fullmatch(row[0]))


def _names_a_picture(first: list[str], others: list[list[str]]) -> bool:
    """Return whether a row has a picture's name, and not only the name of a column with a dot, such as Hair.Black."""
    names = [cell for cell in first if _PICTURE_NAME.fullmatch(cell)]
    endings = {Path(cell).suffix.lower() for row in others for cell in row if _PICTURE_NAME.fullmatch(cell)}
    endings |= set(Image.registered_extensions())
    return any(not others or Path(name).suffix.lower() in endings for name in names)


def _column_of_names(header: list[str], body: list[list[str]], path: Path) -> int:
    """Return the index of the column that holds the pictures' names.

    Raises:
        DataError: There is none, or more than one.
    """
    sample = body[:_ROWS_LOOKED_AT]
    shown = [sum(bool(_PICTURE_NAME.fullmatch(row[n])) for row in sample if len(row) > n) for n in range(len(header))]
    found = [n for n, count in enumerate(shown) if 2 * count > len(sample)]
    if len(found) > 1:
        found = [n for n in found if header[n].lower() == "image_id"] or found
    if len(found) != 1:
        raise DataError(
            f"{path} has {len(found) or 'no'} column{'s' if found else ''} of picture names, such as 000001.jpg; "
            f"there must be one, image_id. Its first row: {' '.join(body[0])[:80]}"
        )
    return found[0]


def _is_index(name: str, body: list[list[str]], place: int) -> bool:
    """Return whether a column only numbers the rows, as in files from pandas and R."""
    values = [row[place] for row in body if len(row) > place]
    return bool(_INDEX_NAME.fullmatch(name)) and all(map(str.isdigit, values)) and len(set(values)) == len(body)
