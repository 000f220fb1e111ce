"""Write results as a table, CSV or Parquet, with one row for each face."""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TextIO

import numpy as np

from demo.pipeline.result import Analysis
from slimnet import Calibration, decide

# Spreadsheets run text that begins like this as a formula; an apostrophe in front prevents that (OWASP, CSV
# injection). The last four are full-width forms of the first four, which count in East Asian versions.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

_NEEDS_QUOTES = re.compile(r'[",;\t\r\n]')

COLUMNS = ("file", "face", "x", "y", "width", "height")  # then one column for each attribute


def probability_cells(probabilities: np.ndarray) -> list[str]:
    """The cells of a face's attributes, with probabilities.

    Args:
        probabilities: (attributes,), 0 to 1.
    """
    return [f"{probability:.6f}" for probability in probabilities]


def decision_cells(
    probabilities: np.ndarray, names: Sequence[str], calibration: Calibration | None, point: str
) -> list[str]:
    """The cells of a face's attributes, with decisions: 1, 0, or nothing for "not sure".

    Args:
        probabilities: (attributes,), 0 to 1.
        names: the attributes, in order.
        calibration: of the weights.
        point: one of its operating points.
    """
    return ["" if answer is None else str(int(answer)) for answer in decide(probabilities, names, calibration, point)]


def face_rows(analysis: Analysis, file: str, cells: Callable[[np.ndarray], list[str]]) -> list[list[str]]:
    """The rows of one picture's faces.

    Args:
        analysis: the result for the picture.
        file: the picture's name.
        cells: turns a face's probabilities (attributes,) into the cells of its attributes.

    Returns:
        For each face the cells of `COLUMNS`, then of its attributes.
    """
    return [[file, str(face.number), *map(str, face.box), *cells(face.probabilities)] for face in analysis.faces]


def write_rows(file: TextIO, rows: Iterable[Sequence[str]], *, guarded: bool = True) -> None:
    """Write rows as CSV, each ending with a line feed.

    Args:
        file: opened with newline="".
        rows: cells as text.
        guarded: put an apostrophe before text that a spreadsheet would run as a formula; numbers stay as they are.
    """
    for row in rows:
        file.write(",".join(_quoted(_guarded(value) if guarded else value) for value in row) + "\n")


def _quoted(value: str) -> str:
    """The value in quotation marks if it needs them.

    Python's CSV writer does not quote a semicolon or a tab. Spreadsheets in other languages take one for the end of a
    cell, and run what begins after it.
    """
    doubled = value.replace('"', '""')
    return f'"{doubled}"' if _NEEDS_QUOTES.search(value) else value


def _guarded(value: str) -> str:
    return f"'{value}" if value.startswith(FORMULA_STARTS) and not _is_number(value) else value


def _is_number(value: str) -> bool:
    return value.removeprefix("-").replace(".", "", 1).isdecimal()


def is_parquet(path: Path) -> bool:
    """Whether a table is Parquet, by its file name; otherwise it is CSV.

    Args:
        path: path of the table, which need not exist.
    """
    return path.suffix.lower() == ".parquet"


def as_parquet(table: Path, parquet: Path, columns: Sequence[str], *, decided: bool) -> None:
    """Convert a table from `write_rows` to Parquet in batches, so that it may be larger than memory.

    The numbers are the CSV table's: face and box as int32, probabilities as float64, decisions as int8, or null for
    "not sure". Needs pyarrow.

    Args:
        table: the CSV file, written unguarded.
        parquet: the file to write.
        columns: names of all columns.
        decided: whether the attributes hold decisions rather than probabilities.
    """
    from pyarrow import csv as arrow_csv
    from pyarrow import float64, int8, int32, string
    from pyarrow import parquet as arrow_parquet

    types = (
        dict.fromkeys(columns, int8() if decided else float64()) | dict.fromkeys(COLUMNS, int32()) | {"file": string()}
    )
    convert = arrow_csv.ConvertOptions(column_types=types, strings_can_be_null=False)
    parse = arrow_csv.ParseOptions(newlines_in_values=True)
    reader = arrow_csv.open_csv(table, parse_options=parse, convert_options=convert)
    with reader, arrow_parquet.ParquetWriter(parquet, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)
