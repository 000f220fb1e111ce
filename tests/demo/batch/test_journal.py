import errno
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from demo.batch.journal import Entry, Journal, ResumeError
from tests.paths import ROOT

SETTINGS = {"weights": "1"}
ENTRIES = [
    Entry("a.jpg", 2, None, 30),
    Entry("\udcff\n.jpg", 0, "\udcff\n.jpg: damaged …", 30),
    Entry("é", 1, None, 40),
]


def opened(folder: Path, restart: bool = False) -> Journal:
    return Journal(folder / "results.csv.journal", folder / "results.csv.part", restart)


def written(folder: Path) -> None:
    with closing(opened(folder)) as journal:
        journal.begin(SETTINGS)
        for entry in ENTRIES:
            journal.add(entry)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as journal:
        assert journal.read() == ({}, [])
    written(tmp_path)
    with closing(opened(tmp_path)) as journal:
        assert journal.read() == (SETTINGS, ENTRIES)
        journal.cut(30)
        assert journal.read() == (SETTINGS, ENTRIES[:2])
        journal.begin({"weights": "2"})
        assert journal.read() == ({"weights": "2"}, [])


def test_a_closed_journal_is_one_sqlite_file_that_any_program_reads(tmp_path: Path) -> None:
    written(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["results.csv.journal"]
    with closing(sqlite3.connect(tmp_path / "results.csv.journal")) as database:
        assert database.execute("SELECT file, faces, failure, end FROM pictures").fetchall()[0] == (
            b"a.jpg",
            2,
            None,
            30,
        )


def test_a_removed_journal_leaves_nothing(tmp_path: Path) -> None:
    written(tmp_path)
    journal = opened(tmp_path)
    journal.remove()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"weights": "1"}\n{"file": "a.jpg", "faces": 2, "failure": null, "end": 30}\n', "made by an older version"),
        (b"of another program\n", "is damaged"),
        (b"SQLite format 3\0" + bytes(5000), "is damaged"),
    ],
)
def test_a_journal_that_is_none_is_named_and_replaced_by_restart(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "results.csv.journal"
    path.write_bytes(content)
    with pytest.raises(ResumeError, match=rf"results\.csv\.journal .*{message}.* --restart"):
        opened(tmp_path)
    assert path.read_bytes() == content
    with closing(opened(tmp_path, restart=True)) as journal:
        journal.begin(SETTINGS)
        assert journal.read() == (SETTINGS, [])


@pytest.mark.parametrize(("start", "end"), [(4096, None), (44, 48)], ids=["pages", "number of the file's format"])
def test_a_journal_that_is_damaged_inside_is_named_and_replaced_by_restart(
    start: int, end: int | None, tmp_path: Path
) -> None:
    written(tmp_path)
    path = tmp_path / "results.csv.journal"
    content = bytearray(path.read_bytes())
    content[start:end] = b"\x7f" * len(content[start:end])
    path.write_bytes(content)
    with (
        pytest.raises(ResumeError, match=r"results\.csv\.journal is damaged.* --restart"),
        closing(opened(tmp_path)) as j,
    ):
        j.read()
    with closing(opened(tmp_path, restart=True)) as journal:
        journal.begin(SETTINGS)
        assert journal.read() == (SETTINGS, [])


HOLDER = """
import sys
from tests.demo.batch.test_journal import opened, Path
journal = opened(Path(sys.argv[1]))
print(flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize("restart", [False, True])
def test_a_journal_that_another_run_has_open_is_not_opened(restart: bool, tmp_path: Path) -> None:
    written(tmp_path)
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(ResumeError, match=r"another run is writing .*results\.csv\.part: wait for its end"):
            opened(tmp_path, restart)
        holder.kill()
    with closing(opened(tmp_path)) as journal:
        assert journal.read() == (SETTINGS, ENTRIES)


def test_a_journal_is_open_once_in_one_process_as_well(tmp_path: Path) -> None:
    with closing(opened(tmp_path)), pytest.raises(ResumeError, match="another run is writing"):
        opened(tmp_path)
    opened(tmp_path).close()


@pytest.fixture(params=["ENOTSUP", "ENOLCK", "ENOSYS", "EINVAL"])
def without_locks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Lustre and on some NFS."""
    fcntl = pytest.importorskip("fcntl", reason="needs locks of POSIX")

    def lockf(*_: object) -> None:
        raise OSError(getattr(errno, request.param), "not on this file system")

    monkeypatch.setattr(fcntl, "lockf", lockf)


@pytest.mark.usefixtures("without_locks")
def test_without_locks_a_marker_keeps_other_runs_away(tmp_path: Path) -> None:
    with closing(opened(tmp_path)) as journal:
        journal.begin(SETTINGS)
        journal.add(ENTRIES[0])
        with pytest.raises(ResumeError, match=r"another run is writing .* delete .*results\.csv\.lock"):
            opened(tmp_path)
    journal = opened(tmp_path)
    assert journal.read() == (SETTINGS, ENTRIES[:1])
    journal.add(ENTRIES[1])
    journal.remove()
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("without_locks")
def test_without_locks_sqlite_asks_for_none(tmp_path: Path) -> None:
    """Another process holds SQLite's lock, in place of a file system that refuses locks."""
    written(tmp_path)
    lock = "import sqlite3, sys; database = sqlite3.connect(sys.argv[1]); database.execute('BEGIN EXCLUSIVE');"
    command = [sys.executable, "-c", f"{lock} print(flush=True); input()", str(tmp_path / "results.csv.journal")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with closing(opened(tmp_path)) as journal:
            assert journal.read() == (SETTINGS, ENTRIES)
        holder.kill()


@pytest.mark.usefixtures("without_locks")
def test_the_marker_of_a_run_that_was_killed_is_no_hindrance(tmp_path: Path) -> None:
    killed = "import os, sys, filelock; lock = filelock.SoftFileLock(sys.argv[1]); lock.acquire(); os._exit(9)"
    subprocess.run([sys.executable, "-c", killed, str(tmp_path / "results.csv.lock")], check=False)
    assert (tmp_path / "results.csv.lock").exists()
    with closing(opened(tmp_path)) as journal:
        journal.begin(SETTINGS)
    assert not (tmp_path / "results.csv.lock").exists()


@pytest.mark.usefixtures("without_locks")
def test_a_marker_of_another_machine_is_believed(tmp_path: Path) -> None:
    (tmp_path / "results.csv.lock").write_text("1\nanother-machine\n")
    with pytest.raises(ResumeError, match="If it was killed on another machine, delete"):
        opened(tmp_path)
