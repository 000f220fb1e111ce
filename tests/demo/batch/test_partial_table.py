import errno
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from demo.batch.journal import ResumeError
from demo.batch.outcome import Outcome
from demo.batch.partial_table import PartialTable
from demo.pipeline.table import COLUMNS
from tests.missing import package

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


def killed_after(count: int, folder: Path) -> None:
    """Leave in the folder what a run leaves if it is killed when `count` pictures are done."""
    running = folder / "running"
    running.mkdir()
    with partial(running / "results.csv") as table:
        for outcome in OUTCOMES[:count]:
            table.add(outcome)
        for file in running.iterdir():
            shutil.copy(file, folder)
    shutil.rmtree(running)


@pytest.mark.parametrize("kept", range(0, 30_000, 997))
def test_wherever_the_files_break_off_the_table_is_the_same_in_the_end(kept: int, tmp_path: Path) -> None:
    out = tmp_path / "results.csv"
    killed_after(3, tmp_path)
    log = tmp_path / "results.csv.journal-wal"
    log.write_bytes(log.read_bytes()[:-1][:kept])
    with partial(out) as table:
        assert [entry.file for entry in table.done] == FILES[: len(table.done)]
        assert len(table.done) <= 2
        for outcome in OUTCOMES[len(table.done) :]:
            table.add(outcome)
        table.finish()
    assert out.read_bytes() == whole(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"results.csv", "whole.csv"}


@pytest.mark.parametrize("count", range(len(OUTCOMES) + 1))
def test_a_run_that_was_killed_is_resumed_where_it_was(count: int, tmp_path: Path) -> None:
    out = tmp_path / "results.csv"
    killed_after(count, tmp_path)
    with partial(out) as table:
        assert [(entry.file, entry.faces, entry.failure) for entry in table.done] == [
            (outcome.file, len(outcome.rows), outcome.failure) for outcome in OUTCOMES[:count]
        ]
        for outcome in OUTCOMES[count:]:
            table.add(outcome)
        table.finish()
    assert out.read_bytes() == whole(tmp_path)


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
        for outcome in OUTCOMES[2:]:
            table.add(outcome)
    with partial(out) as table:
        assert [entry.file for entry in table.done] == FILES
        table.finish()
    assert out.read_bytes() == whole(tmp_path)


def test_restart_drops_what_is_done(tmp_path: Path) -> None:
    with partial(tmp_path / "results.csv") as table:
        table.add(OUTCOMES[0])
    with partial(tmp_path / "results.csv", restart=True) as table:
        assert table.done == []
    assert (tmp_path / "results.csv.part").read_text() == "file,face\n"
    with partial(tmp_path / "results.csv") as table:
        assert table.done == []


def test_fewer_pictures_than_are_done_are_refused(tmp_path: Path) -> None:
    with partial(tmp_path / "results.csv") as table:
        table.add(OUTCOMES[0])
        table.add(OUTCOMES[1])
    with pytest.raises(ResumeError, match=r"number 2 was b\.jpg and is now none"):
        PartialTable(tmp_path / "results.csv", {"weights": "1"}, ("file", "face"), FILES[:1], restart=False)


def test_a_run_with_decisions_is_not_resumed_without_them_or_with_others(tmp_path: Path) -> None:
    out = tmp_path / "results.csv"
    with PartialTable(out, {"weights": "1", "decisions": "f1"}, ("file", "face"), FILES, restart=False) as table:
        table.add(OUTCOMES[0])
    for settings in ({"weights": "1"}, {"weights": "1", "decisions": "balanced"}):
        with pytest.raises(ResumeError, match="a stopped run with other decisions"):
            PartialTable(out, settings, ("file", "face"), FILES, restart=False)
    with PartialTable(out, {"weights": "1", "decisions": "f1"}, ("file", "face"), FILES, restart=False) as table:
        assert len(table.done) == 1


def test_a_run_that_is_refused_changes_nothing(tmp_path: Path) -> None:
    with partial(tmp_path / "results.csv") as table:
        for outcome in OUTCOMES:
            table.add(outcome)
    for settings, files, message in (
        ({"weights": "2"}, FILES, "other weights"),
        ({"weights": "1", "decisions": "f1"}, FILES, "other decisions"),
        ({"weights": "1"}, ["b.jpg"], "a.jpg"),
    ):
        with pytest.raises(ResumeError, match=f"{message}.* drop the 4 pictures that it has done with --restart"):
            PartialTable(tmp_path / "results.csv", settings, ("file", "face"), files, restart=False)
    with partial(tmp_path / "results.csv") as table:
        assert len(table.done) == len(OUTCOMES)
        table.finish()
    assert (tmp_path / "results.csv").read_bytes() == whole(tmp_path)


def test_a_table_that_the_disk_has_no_room_for_replaces_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "results.parquet"
    out.write_text("results of last week")

    def fail(_table: Path, parquet: Path, _columns: object, **_: object) -> None:
        parquet.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("demo.batch.partial_table.as_parquet", fail)
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


@pytest.mark.parametrize(("decided", "cell", "kind"), [(True, "1", "int8"), (False, "0.5", "double")])
def test_parquet_holds_what_the_cells_are_said_to_be(decided: bool, cell: str, kind: str, tmp_path: Path) -> None:
    parquet = package("pyarrow.parquet", "needs pip install pyarrow")
    out = tmp_path / "results.parquet"
    columns = (*COLUMNS, "Smiling")
    with PartialTable(out, {"decisions": "f1"}, columns, FILES[:1], restart=False, decided=decided) as table:
        table.add(Outcome(FILES[0], [[FILES[0], "1", "0", "0", "5", "5", cell]]))
        table.finish()
    assert str(parquet.read_schema(out).field("Smiling").type) == kind


def test_a_journal_that_the_disk_has_no_room_for_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows of the picture are written, but not its entry."""
    with partial(tmp_path / "results.csv") as table:
        table.add(OUTCOMES[0])
    connect = sqlite3.connect

    def without_room(*given: object, **named: object) -> sqlite3.Connection:
        database = connect(*given, **named)  # type: ignore[call-overload]
        ((pages,),) = database.execute("PRAGMA page_count")
        database.execute(f"PRAGMA max_page_count = {pages}")
        return database

    long = Outcome(FILES[1], [], "b.jpg: " + "damaged" * 1000)
    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", without_room)
        with partial(tmp_path / "results.csv") as table, pytest.raises(OSError, match="No space left on device"):
            table.add(long)
    with partial(tmp_path / "results.csv") as table:
        assert [entry.file for entry in table.done] == FILES[:1]
        for outcome in OUTCOMES[1:]:
            table.add(outcome)
        table.finish()
    assert (tmp_path / "results.csv").read_bytes() == whole(tmp_path)


def test_a_folder_of_any_name_holds_a_journal(tmp_path: Path) -> None:
    folder = tmp_path / "a%20b?c=d#e \udcff'é"
    folder.mkdir()
    with partial(folder / "100%?mode=memory#.csv") as table:
        for outcome in OUTCOMES:
            table.add(outcome)
    with closing(sqlite3.connect(folder / "100%?mode=memory#.csv.journal")) as database:
        assert database.execute("SELECT count(*) FROM pictures").fetchall() == [(len(OUTCOMES),)]
