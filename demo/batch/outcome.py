"""The result for one picture, as `demo.batch.partial_table` takes it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """The result for a picture: its rows of the table, or why it could not be read.

    Attributes:
        file: the picture's name, as found or given.
        rows: their cells as text, in the order of the table's columns.
        failure: None if the picture was read; else a sentence for people that begins with the file.
        out_of_reach: whether it failed because its file is not there or cannot be read.
    """

    file: str
    rows: list[list[str]]
    failure: str | None = None
    out_of_reach: bool = False
