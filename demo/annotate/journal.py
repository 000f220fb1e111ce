"""A table that is being written, with a journal beside it, so that a run that was stopped goes on where it was."""

import errno
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import SoftFileLock, Timeout

from demo.annotate.picture import Outcome
from demo.pipeline.table import as_parquet, is_parquet, write_rows
from slimnet.atomic import replacement

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

# What flock fails with where another run has the lock; with all else the file system has no locks.
_LOCKED = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)
_MARKER_SECONDS = 1.0  # filelock looks more than once before it takes a marker for that of a dead process


class ResumeError(RuntimeError):
    """What is there of an earlier run does not go with this one; the message says what to do."""


@dataclass(frozen=True)
class Entry:
    """What the journal holds of a picture: what came of it, and where its rows end in the table, in bytes."""

    file: str
    faces: int
    failure: str | None
    end: int


class PartialTable:
    """The table while it is written: results.csv.part, and results.csv.journal with a line for each picture.

    It is made for one list of pictures, whose outcomes are added in order; `done` are those that it has already. To be
    used in a with statement. The rows are CSV, whatever the table will be in the end.

    Args:
        out: where the table will be; Parquet where it is so called, else CSV.
        settings: what the results depend on. An earlier run with others is not gone on with.
        columns: the header.
        files: the pictures, in order.
        restart: drop what there is of an earlier run.

    Raises:
        ResumeError: the earlier run was another one, or still goes on.
        OSError: the files cannot be written.
    """

    def __init__(
        self, out: Path, settings: Mapping[str, str], columns: Sequence[str], files: Sequence[str], restart: bool
    ) -> None:
        self.path = out.with_name(out.name + ".part")
        self.done: list[Entry] = []
        self._out, self._columns = out, tuple(columns)
        self._guarded = not is_parquet(out)  # else the rows are not what people will open
        self._journal_path = out.with_name(out.name + ".journal")
        self._marker = SoftFileLock(out.with_name(out.name + ".lock"), _MARKER_SECONDS)
        with ExitStack() as opened:
            opened.callback(self._marker.release)
            self._journal = opened.enter_context(self._journal_path.open("a+b"))
            self._lock()
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
        """Write the rows of the next picture, then its line of the journal: a row without it does not count."""
        write_rows(self._rows, outcome.rows, guarded=self._guarded)
        self._rows.flush()
        end = os.fstat(self._rows.fileno()).st_size
        entry = Entry(outcome.file, len(outcome.rows), outcome.failure, end)
        self._write_line(asdict(entry))
        return entry

    def finish(self) -> None:
        """Put the complete table in its place."""
        os.fsync(self._rows.fileno())
        self._rows.close()  # Windows does not move an open file
        if is_parquet(self._out):
            with replacement(self._out) as parquet:
                as_parquet(self.path, parquet, self._columns)
            self.path.unlink()
        else:
            self.path.replace(self._out)
        self._journal.close()
        self._journal_path.unlink()

    def _lock(self) -> None:
        """Keep other runs away: by flock, or where the file system has none (Lustre, some NFS) by a marker file."""
        busy = f"another run is writing {self.path}: wait for its end, or stop it"
        if fcntl:
            try:
                fcntl.flock(self._journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno in _LOCKED:
                    raise ResumeError(busy) from error
            else:
                return
        try:
            self._marker.acquire()
        except Timeout as error:
            raise ResumeError(
                f"{busy}. If it was killed on another machine, delete {self._marker.lock_file}"
            ) from error

    def _resume(self, settings: Mapping[str, str], files: Sequence[str]) -> None:
        """Read what is done, and cut off what a kill has left half done."""
        self._journal.seek(0)
        lines = [line for line in self._journal if line.endswith(b"\n")]
        if not lines:
            return
        written = self.path.stat().st_size if self.path.exists() else 0
        anew = f"Name another --out, or drop the {len(lines) - 1} pictures that it has done with --restart."
        try:
            before, entries = dict(json.loads(lines[0])), [Entry(**json.loads(line)) for line in lines[1:]]
        except (ValueError, TypeError) as error:
            raise ResumeError(f"{self._journal_path} is damaged, so that nothing goes on from it. {anew}") from error
        other = [name for name, value in settings.items() if before.get(name) != value]
        if other:
            raise ResumeError(f"{self.path} is of a stopped run with other {' and '.join(other)}. {anew}")
        self.done = [entry for entry in entries if entry.end <= written]
        for number, entry in enumerate(self.done):
            if files[number : number + 1] != [entry.file]:
                now = files[number] if number < len(files) else "none"
                raise ResumeError(
                    f"{self.path} is of a stopped run on other pictures: number {number + 1} was {entry.file} and is "
                    f"now {now}. {anew}"
                )
        if self.done:
            os.truncate(self.path, self.done[-1].end)
            self._journal.truncate(sum(map(len, lines[: len(self.done) + 1])))

    def _begin(self, settings: Mapping[str, str]) -> None:
        self._journal.truncate(0)
        with self.path.open("w", newline="", encoding="utf-8") as rows:
            write_rows(rows, [self._columns], guarded=self._guarded)
        self._write_line(settings)

    def _write_line(self, content: Mapping[str, Any]) -> None:
        self._journal.write(json.dumps(content).encode() + b"\n")
        self._journal.flush()
