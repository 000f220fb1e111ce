"""The one form in which results are written as a table."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TextIO

from demo.pipeline.analyse import Analysis

# A spreadsheet takes text that begins so for a formula, and runs it; an apostrophe in front keeps it text (OWASP, CSV
# injection). The last four are the wide forms of the first, which count in East Asian versions.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

COLUMNS = ("file", "face", "x", "y", "width", "height")  # then one column for each attribute


def face_rows(analysis: Analysis, file: str) -> list[list[str]]:
    """One row for each face: the file, the face's number, its box in pixels, and its probabilities."""
    return [
        [file, str(face.number), *map(str, face.box), *(f"{probability:.6f}" for probability in face.probabilities)]
        for face in analysis.faces
    ]


def write_rows(file: TextIO, rows: Iterable[Sequence[str]], *, guarded: bool = True) -> None:
    """Write rows as CSV, each ended by a line feed.

    guarded: put an apostrophe before text that a spreadsheet would take for a formula; numbers stay as they are.
    """
    guarded_rows = ([_guarded(value) for value in row] for row in rows) if guarded else rows
    csv.writer(_LineFeeds(file), lineterminator="\r\n").writerows(guarded_rows)


def _guarded(value: str) -> str:
    return f"'{value}" if value.startswith(_FORMULA_STARTS) and not _is_number(value) else value


def _is_number(value: str) -> bool:
    return value.removeprefix("-").replace(".", "", 1).isdecimal()


class _LineFeeds:
    """Ends each row by a line feed. The writer itself must not: before Python 3.13 it quotes a carriage return inside a
    name only if that is part of what ends its rows."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, row: str) -> int:
        return self._file.write(row.removesuffix("\r\n") + "\n")


def is_parquet(path: Path) -> bool:
    """Whether a table of this name is Parquet; else it is CSV."""
    return path.suffix.lower() == ".parquet"


def as_parquet(table: Path, parquet: Path, columns: Sequence[str]) -> None:
    """Write a table that `write_rows` wrote, unguarded, as Parquet, in parts, so that it may be larger than memory.

    The numbers are those of the CSV table: box and face as int32, probabilities as float64. Needs pyarrow.
    """
    from pyarrow import csv as arrow_csv
    from pyarrow import float64, int32, string
    from pyarrow import parquet as arrow_parquet

    names = dict.fromkeys(columns, float64()) | dict.fromkeys(COLUMNS, int32()) | {"file": string()}
    convert = arrow_csv.ConvertOptions(column_types=names, strings_can_be_null=False)
    parse = arrow_csv.ParseOptions(newlines_in_values=True)
    reader = arrow_csv.open_csv(table, parse_options=parse, convert_options=convert)
    with reader, arrow_parquet.ParquetWriter(parquet, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)
