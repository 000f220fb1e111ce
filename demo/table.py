"""The one form in which results are written as a table."""

import csv
from collections.abc import Iterable, Sequence
from typing import TextIO

from demo.pipeline import Analysis

COLUMNS = ("file", "face", "x", "y", "width", "height")  # then one column for each attribute


def face_rows(analysis: Analysis, file: str) -> list[list[str]]:
    """One row for each face: the file, the face's number, its box in pixels, and its probabilities."""
    return [
        [file, str(face.number), *map(str, face.box), *(f"{probability:.6f}" for probability in face.probabilities)]
        for face in analysis.faces
    ]


def write_rows(file: TextIO, rows: Iterable[Sequence[str]]) -> None:
    """Write rows as CSV, each ended by a line feed."""
    csv.writer(_LineFeeds(file), lineterminator="\r\n").writerows(rows)


class _LineFeeds:
    """Ends each row by a line feed. The writer itself must not: before Python 3.13 it quotes a carriage return inside a
    name only if that is part of what ends its rows."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, row: str) -> int:
        return self._file.write(row.removesuffix("\r\n") + "\n")
