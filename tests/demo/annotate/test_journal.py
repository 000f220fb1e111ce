import errno
import json
import subprocess
import sys
from pathlib import Path

import pytest

from demo.annotate.journal import PartialTable, ResumeError
from demo.annotate.picture import Outcome

FILES = ["a.jpg", "b.jpg", "\udcff\n.jpg", "d.jpg"]
OUTCOMES = [
    Outcome("a.jpg", [["a.jpg", "1"], ["a.jpg", "2"]]),
    Outcome("b.jpg", []),
    Outcome("\udcff\n.jpg", [["\udcff\n.jpg", "1"]]),
    Outcome("d.jpg", [], "d.jpg: damaged"),
]


def partial(out: Path, restart: bool = False) -> PartialTable:
    return PartialTable(out, {"weights": "1"}, ("file", "face"), FILES, restart)


def whole(folder: Path) -> bytes:
    with partial(folder / "whole.csv") as table:
        for outcome in OUTCOMES:
            table.add(outcome)
        table.finish()
    return (folder / "whole.csv").read_bytes()


@pytest.mark.parametrize("torn", range(0, 160, 7))
def test_wherever_the_files_break_off_the_table_is_the_same_in_the_end(torn: int, tmp_path: Path) -> None:
    out = tmp_path / "results.csv"
    with partial(out) as table:
        for outcome in OUTCOMES[:3]:
            table.add(outcome)
    journal = tmp_path / "results.csv.journal"
    journal.write_bytes(journal.read_bytes()[: -1 - torn])
    with partial(out) as table:
        assert [entry.file for entry in table.done] == FILES[: len(table.done)]
        assert len(table.done) <= 2
        for outcome in OUTCOMES[len(table.done) :]:
            table.add(outcome)
        table.finish()
    assert out.read_bytes() == whole(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"results.csv", "whole.csv"}


def test_rows_that_are_lost_are_done_again(tmp_path: Path) -> None:
    out = tmp_path / "results.csv"
    with partial(out) as table:
        for outcome in OUTCOMES[:3]:
            table.add(outcome)
    part = tmp_path / "results.csv.part"
    part.write_bytes(part.read_bytes()[:-1])
    with partial(out) as table:
        assert [entry.file for entry in table.done] == FILES[:2]
        assert [(entry.faces, entry.failure) for entry in table.done] == [(2, None), (0, None)]


def test_restart_drops_what_is_done(tmp_path: Path) -> None:
    with partial(tmp_path / "results.csv") as table:
        table.add(OUTCOMES[0])
    with partial(tmp_path / "results.csv", restart=True) as table:
        assert table.done == []
    assert (tmp_path / "results.csv.part").read_text() == "file,face\n"


def test_fewer_pictures_than_are_done_are_refused(tmp_path: Path) -> None:
    with partial(tmp_path / "results.csv") as table:
        table.add(OUTCOMES[0])
        table.add(OUTCOMES[1])
    with pytest.raises(ResumeError, match=r"number 2 was b\.jpg and is now none"):
        PartialTable(tmp_path / "results.csv", {"weights": "1"}, ("file", "face"), FILES[:1], restart=False)


def test_a_journal_is_plain_json_lines(tmp_path: Path) -> None:
    with partial(tmp_path / "results.csv") as table:
        table.add(OUTCOMES[3])
    head, line = (tmp_path / "results.csv.journal").read_text().splitlines()
    assert json.loads(head) == {"weights": "1"}
    assert json.loads(line) == {"file": "d.jpg", "faces": 0, "failure": "d.jpg: damaged", "end": len("file,face\n")}


def test_a_table_that_the_disk_has_no_room_for_replaces_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "results.parquet"
    out.write_text("results of last week")

    def fail(_table: Path, parquet: Path, _columns: object) -> None:
        parquet.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("demo.annotate.journal.as_parquet", fail)
    with partial(out) as table:
        for outcome in OUTCOMES:
            table.add(outcome)
        with pytest.raises(OSError, match="No space left"):
            table.finish()
    assert out.read_text() == "results of last week"
    assert {path.name for path in tmp_path.iterdir()} == {
        "results.parquet", "results.parquet.part", "results.parquet.journal",
    }  # fmt: skip
    with partial(out) as table:
        assert len(table.done) == len(OUTCOMES)


@pytest.fixture(params=["ENOTSUP", "ENOLCK", "ENOSYS", "EINVAL"])
def without_flock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Lustre, and on some NFS."""

    def flock(*_: object) -> None:
        raise OSError(getattr(errno, request.param), "not on this file system")

    monkeypatch.setattr("demo.annotate.journal.fcntl.flock", flock)


@pytest.mark.usefixtures("without_flock")
def test_without_flock_a_marker_keeps_other_runs_away(tmp_path: Path) -> None:
    out = tmp_path / "results.csv"
    with partial(out) as table:
        table.add(OUTCOMES[0])
        with pytest.raises(ResumeError, match=r"another run is writing .* delete .*results\.csv\.lock"):
            partial(out)
    with partial(out) as table:
        assert len(table.done) == 1
        for outcome in OUTCOMES[1:]:
            table.add(outcome)
        table.finish()
    assert [path.name for path in tmp_path.iterdir()] == ["results.csv"]


@pytest.mark.usefixtures("without_flock")
def test_the_marker_of_a_run_that_was_killed_is_no_hindrance(tmp_path: Path) -> None:
    out = tmp_path / "results.csv"
    killed = "import os, sys, filelock; lock = filelock.SoftFileLock(sys.argv[1]); lock.acquire(); os._exit(9)"
    subprocess.run([sys.executable, "-c", killed, str(out) + ".lock"], check=False)
    assert (tmp_path / "results.csv.lock").exists()
    with partial(out) as table:
        table.add(OUTCOMES[0])
    assert not (tmp_path / "results.csv.lock").exists()


@pytest.mark.usefixtures("without_flock")
def test_a_marker_of_another_machine_is_believed(tmp_path: Path) -> None:
    (tmp_path / "results.csv.lock").write_text("1\nanother-machine\n")
    with pytest.raises(ResumeError, match="If it was killed on another machine, delete"):
        partial(tmp_path / "results.csv")


@pytest.mark.parametrize("code", [errno.EWOULDBLOCK, errno.EACCES])
def test_a_lock_that_is_held_is_another_run(code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(*_: object) -> None:
        raise OSError(code, "held")

    monkeypatch.setattr("demo.annotate.journal.fcntl.flock", flock)
    with pytest.raises(ResumeError, match="another run is writing"):
        partial(tmp_path / "results.csv")
