"""A table being written, with a journal beside it, so that a stopped run resumes where it was."""

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from demo.batch.journal import Entry, Journal, ResumeError
from demo.batch.outcome import Outcome
from demo.pipeline.table import as_parquet, is_parquet, write_rows
from slimnet.files.atomic import replacement


class PartialTable:
    """The table while it is being written: results.csv.part, and results.csv.journal with an entry for each picture.

    It is for one list of pictures, whose outcomes are added in order. Use it in a with statement. The rows are CSV,
    whatever format the final table will have.

    Args:
        out: where the table will be; Parquet if its name ends in .parquet, else CSV.
        settings: what the results depend on, by name. A run with other settings is not resumed.
        columns: names of the columns.
        files: the pictures, in order.
        restart: drop the results of an earlier run.
        decided: whether the attributes' cells hold decisions rather than probabilities; only Parquet depends on it.

    Attributes:
        path: the file with the rows, ``out`` with ".part" appended.
        done: the pictures that an earlier run added, in order.

    Raises:
        ResumeError: the earlier run was a different one, or is still running.
        OSError: the files cannot be written.
    """

    def __init__(
        self,
        out: Path,
        settings: Mapping[str, str],
        columns: Sequence[str],
        files: Sequence[str],
        restart: bool,
        *,
        decided: bool = False,
    ) -> None:
        self.path = out.with_name(out.name + ".part")
        self.done: list[Entry] = []
        self._out, self._columns = out, tuple(columns)
        self._decided = decided
        self._guarded = not is_parquet(out)  # people open the CSV itself, but not the rows behind a Parquet file
        with ExitStack() as opened:
            journal_path = out.with_name(out.name + ".journal")
            self._journal = opened.enter_context(closing(Journal(journal_path, self.path, restart)))
            if not restart:
                self._resume(settings, files)
            if not self.done:
                self._begin(settings)
            rows = self.path.open("a", newline="", encoding="utf-8", errors="surrogateescape")
            self._rows = opened.enter_context(rows)
            self._opened = opened.pop_all()

    def __enter__(self) -> "PartialTable":
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def add(self, outcome: Outcome) -> Entry:
        """Write the rows of the next picture, then its journal entry; rows without an entry do not count.

        Args:
            outcome: the result of the next picture in `files`.

        Returns:
            The picture's journal entry.

        Raises:
            OSError: the files cannot be written, for example because the disk is full.
        """
        write_rows(self._rows, outcome.rows, guarded=self._guarded)
        self._rows.flush()
        end = os.fstat(self._rows.fileno()).st_size
        entry = Entry(outcome.file, len(outcome.rows), outcome.failure, end)
        self._journal.add(entry)
        return entry

    def finish(self) -> None:
        """Put the complete table in place.

        Raises:
            OSError: it cannot be written. An earlier table stays, and so does the record of finished pictures.
        """
        os.fsync(self._rows.fileno())
        self._rows.close()  # Windows does not move an open file
        if is_parquet(self._out):
            with replacement(self._out) as parquet:
                as_parquet(self.path, parquet, self._columns, decided=self._decided)
            self.path.unlink()
        else:
            self.path.replace(self._out)
        self._journal.remove()

    def _resume(self, settings: Mapping[str, str], files: Sequence[str]) -> None:
        """Read what is done, and cut off what a kill left unfinished."""
        before, entries = self._journal.read()
        if not before:
            return
        advice = f"Name another --out, or drop the {len(entries)} pictures that it has done with --restart."
        other = [name for name in {**settings, **before} if before.get(name) != settings.get(name)]
        if other:
            raise ResumeError(f"{self.path} is of a stopped run with other {' and '.join(other)}. {advice}")
        written = self.path.stat().st_size if self.path.exists() else 0
        self.done = [entry for entry in entries if entry.end <= written]
        for number, entry in enumerate(self.done):
            if files[number : number + 1] != [entry.file]:
                now = files[number] if number < len(files) else "none"
                raise ResumeError(
                    f"{self.path} is of a stopped run on other pictures: number {number + 1} was {entry.file} and is "
                    f"now {now}. {advice}"
                )
        if self.done:
            self._journal.cut(self.done[-1].end)
            os.truncate(self.path, self.done[-1].end)

    def _begin(self, settings: Mapping[str, str]) -> None:
        self._journal.begin(settings)
        with self.path.open("w", newline="", encoding="utf-8") as rows:
            write_rows(rows, [self._columns], guarded=self._guarded)
