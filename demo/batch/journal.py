"""Records which pictures of a run are done, in an SQLite file beside its table, so that a stopped run can resume."""

import errno
import os
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path

from filelock import SoftFileLock, Timeout

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_MARKER_SECONDS = 1.0  # filelock checks more than once before it decides that a marker's process is dead

# A write-ahead log survives a kill at any moment without waiting for the disk. In exclusive mode this connection keeps
# all others out, and needs no shared memory, which network file systems lack.
_OPEN = """
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    BEGIN EXCLUSIVE;
    CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS pictures (
        number INTEGER PRIMARY KEY, file BLOB NOT NULL, faces INTEGER NOT NULL, failure BLOB, end INTEGER NOT NULL
    );
    COMMIT;
"""


class ResumeError(RuntimeError):
    """The files of an earlier run don't match this one; the message says what to do."""


@dataclass(frozen=True)
class Entry:
    """A picture's entry in the journal.

    Attributes:
        file: the picture's name, as found or given.
        faces: how many faces were found.
        failure: why it could not be read, in a sentence that begins with the file; None if it was read.
        end: where its rows end in the table, in bytes.
    """

    file: str
    faces: int
    failure: str | None
    end: int


class Journal:
    """The journal of one table; no other run can open it until it is closed.

    SQLite's own lock keeps others out, or a marker file if the file system has no locks. While the journal is open, and
    after a kill, its write-ahead log is beside it, with "-wal" after its name.

    Args:
        path: the SQLite file, created if missing.
        table: the table that the journal belongs to, for messages.
        restart: replace an earlier journal with an empty one, even if it cannot be read.

    Raises:
        ResumeError: another run has it open, or it cannot be read.
        OSError: it cannot be written.
    """

    def __init__(self, path: Path, table: Path, restart: bool) -> None:
        self._path = path
        self._busy = f"another run is writing {table}: wait for its end, or stop it"
        self._marker = SoftFileLock(path.with_suffix(".lock"), _MARKER_SECONDS)
        sqlite_locks = _has_locks(path.parent)
        if not sqlite_locks:
            self._acquire_marker()
        try:
            with self._translated_errors():
                self._database = self._open("" if sqlite_locks else "?vfs=unix-none", restart)
        except BaseException:
            self._marker.release()
            raise

    def close(self) -> None:
        """Close the journal, so that other runs can open it."""
        self._database.close()
        self._marker.release()

    def remove(self) -> None:
        """Close the journal and delete its files."""
        self._database.close()
        self._delete()
        self._marker.release()

    def read(self) -> tuple[dict[str, str], list[Entry]]:
        """Read the whole journal.

        Returns:
            The settings, empty if no run has begun, and the finished pictures, in order.

        Raises:
            ResumeError: it is damaged.
            OSError: it cannot be read.
        """
        with self._translated_errors():
            settings = dict(self._database.execute("SELECT name, value FROM settings"))
            rows = self._database.execute("SELECT file, faces, failure, end FROM pictures ORDER BY number")
            return settings, [
                Entry(_text(file), faces, None if failure is None else _text(failure), end)
                for file, faces, failure, end in rows
            ]

    def begin(self, settings: Mapping[str, str]) -> None:
        """Empty the journal for a new run.

        Args:
            settings: what the results depend on, by name.

        Raises:
            OSError: it cannot be written.
        """
        with self._translated_errors(), self._database as transaction:
            transaction.execute("DELETE FROM pictures")
            transaction.execute("DELETE FROM settings")
            transaction.executemany("INSERT INTO settings VALUES (?, ?)", settings.items())

    def cut(self, end: int) -> None:
        """Drop the last pictures.

        Args:
            end: size of the table, in bytes; pictures whose rows end beyond this are dropped.

        Raises:
            OSError: it cannot be written.
        """
        with self._translated_errors(), self._database as transaction:
            transaction.execute("DELETE FROM pictures WHERE end > ?", (end,))

    def add(self, entry: Entry) -> None:
        """Add the next picture.

        Args:
            entry: the picture's result.

        Raises:
            OSError: it cannot be written.
        """
        file, faces, failure, end = astuple(entry)
        values = (_blob(file), faces, None if failure is None else _blob(failure), end)
        with self._translated_errors(), self._database as transaction:
            transaction.execute("INSERT INTO pictures (file, faces, failure, end) VALUES (?, ?, ?, ?)", values)

    def _acquire_marker(self) -> None:
        try:
            self._marker.acquire()
        except Timeout as error:
            hint = f"If it was killed on another machine, delete {self._marker.lock_file}"
            raise ResumeError(f"{self._busy}. {hint}") from error

    def _open(self, vfs: str, restart: bool) -> sqlite3.Connection:
        try:
            database = self._connect(vfs)
        except sqlite3.DatabaseError as error:
            if str(error) == "database is locked":  # the error has a code only since Python 3.11
                raise ResumeError(self._busy) from error
            if not (restart and _is_damage(error)):
                raise
        else:
            if not restart:
                return database
            database.close()  # no other run has it open
        self._delete()
        return self._connect(vfs)

    def _connect(self, vfs: str) -> sqlite3.Connection:
        # A URI only where it is needed: on Windows, SQLite takes none of a network drive.
        name = self._path.absolute().as_uri() + vfs if vfs else str(self._path)
        database = sqlite3.connect(name, timeout=0, uri=bool(vfs))
        try:
            database.executescript(_OPEN)
        except BaseException:
            database.close()
            raise
        return database

    def _delete(self) -> None:
        for ending in ("", "-wal", "-journal"):
            self._path.with_name(self._path.name + ending).unlink(missing_ok=True)

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:  # which has no errno
            if "disk is full" in str(error):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
            if not _is_damage(error):
                raise OSError(errno.EIO, str(error)) from error
            fault = "was made by an older version of this program" if self._is_json() else "is damaged"
            advice = "Name another --out, or drop the pictures that it has done with --restart."
            raise ResumeError(f"{self._path} {fault}, so that nothing goes on from it. {advice}") from error

    def _is_json(self) -> bool:
        """Whether the file consists of JSON lines, as in the first versions."""
        with self._path.open("rb") as journal:
            return journal.read(1) == b"{"


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    """Whether the file itself is at fault, not the disk or the system."""
    return not isinstance(error, sqlite3.OperationalError) or str(error) == "unsupported file format"


def _has_locks(folder: Path) -> bool:
    """Whether files in a folder support SQLite's locks; on Lustre and some NFS they don't."""
    if not fcntl:
        return True
    with tempfile.TemporaryFile(dir=folder) as probe:
        try:
            fcntl.lockf(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
    return True


def _blob(text: str) -> bytes:
    """Encode text for SQLite, whose text type can't hold file names that are not UTF-8."""
    return text.encode("utf-8", "surrogatepass")


def _text(blob: bytes) -> str:
    return blob.decode("utf-8", "surrogatepass")
