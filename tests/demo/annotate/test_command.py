import csv
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

from demo.annotate.__main__ import main
from demo.batch.workers import WorkerError, Workers
from demo.operating_points import POINTS
from demo.pipeline.analyse import Pipeline
from demo.pipeline.result import Analysis
from slimnet import ATTRIBUTES, SlimNet
from tests.missing import package
from tests.paths import PORTRAIT, ROOT

HEADER = "file,face,x,y,width,height," + ",".join(ATTRIBUTES)


def before_each_analysis(act: Callable[[np.ndarray], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Call a function with each picture in this process before it is analysed."""
    analyse = Pipeline.analyse_photo

    def acting(self: Pipeline, frame: np.ndarray, *, explained: bool) -> Analysis:
        act(frame)
        return analyse(self, frame, explained=explained)

    monkeypatch.setattr(Pipeline, "analyse_photo", acting)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_folder_gives_a_row_for_each_face(
    folder: Path, weights: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "results.csv"
    assert main([str(folder), "--out", str(out), "--weights", weights, "--device", "cpu"]) == 1
    assert out.read_text().splitlines()[0] == HEADER
    found = rows(out)
    assert [(row["file"], row["face"]) for row in found] == [
        (str(folder / "a.jpg"), "1"),
        (str(folder / "deep" / "er" / "PAIR.PNG"), "1"),
        (str(folder / "deep" / "er" / "PAIR.PNG"), "2"),
    ]
    assert all(0 <= float(row[name]) <= 1 for row in found for name in ATTRIBUTES)
    assert [abs(int(found[0][name]) - value) < 15 for name, value in zip("xy", (124, 70), strict=True)] == [True, True]
    printed = capsys.readouterr().err
    assert "Faces: 3. Pictures: 3, of these without a face: 1. Could not be read: 1." in printed
    assert f"{folder / 'broken.jpg'}: 'broken.jpg' is not a picture" in printed
    assert "annotating" in printed
    assert not list(tmp_path.glob("*.part"))


def test_decisions_are_written_in_place_of_probabilities(folder: Path, decided_weights: str, tmp_path: Path) -> None:
    out = tmp_path / "results.csv"
    first, other = ATTRIBUTES[0], "Smiling"
    for point, expected in (("accuracy", ("", "0")), ("f1", ("", "0")), ("balanced", ("1", "1"))):
        arguments = [str(folder / "a.jpg"), "--out", str(out), "--weights", decided_weights, "--decisions", point]
        assert main(arguments) == 0
        [row] = rows(out)
        assert (row[first], row[other]) == expected
        assert {row[name] for name in ATTRIBUTES} <= {"1", "0", ""}


def test_who_decides_is_told_which_setting_of_the_page_that_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    told = " ".join(capsys.readouterr().out.split())
    written = " ".join((ROOT / "demo" / "annotate" / "README.md").read_text(encoding="utf-8").split())
    for point, words in POINTS.items():
        assert f"{point} {words.aim} (the page's '{words.title}')" in told
        assert re.search(rf'`{point}` (is the page\'s|its) "{words.title}"', written)


def test_decisions_in_parquet_are_whole_numbers_or_null(folder: Path, decided_weights: str, tmp_path: Path) -> None:
    parquet = package("pyarrow.parquet", "needs pyarrow")
    out = tmp_path / "results.parquet"
    arguments = [str(folder / "a.jpg"), "--out", str(out), "--weights", decided_weights, "--decisions", "f1"]
    assert main(arguments) == 0
    table = parquet.read_table(out)
    assert str(table.schema.field("Smiling").type) == "int8"
    assert [table[name].to_pylist() for name in (ATTRIBUTES[0], "Smiling")] == [[None], [0]]


def test_weights_without_operating_points_have_no_other_decisions_than_at_a_half(
    folder: Path, weights: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(folder / "a.jpg"), "--out", str(tmp_path / "results.csv"), "--weights", weights, "--decisions"]
    with pytest.raises(SystemExit, match="2"):
        main([*arguments, "f1"])
    assert "--decisions f1: these weights have no operating point 'f1', only accuracy" in capsys.readouterr().err
    assert main([*arguments, "accuracy"]) == 0
    [row] = rows(tmp_path / "results.csv")
    assert {row[name] for name in ATTRIBUTES} <= {"1", "0"}


def test_a_file_that_is_named_is_tried_under_any_name(folder: Path, weights: str, tmp_path: Path) -> None:
    out = tmp_path / "results.csv"
    named = str(folder / "portrait.data")
    assert main([named, named, "--out", str(out), "--weights", weights]) == 0
    assert [row["file"] for row in rows(out)] == [named]


def test_a_folder_from_a_mac_or_a_nas_is_read_without_what_the_system_put_there(
    weights: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = tmp_path / "pictures"
    for name in ("@eaDir", "__MACOSX", ".Trash-1000/files"):
        (pictures / name).mkdir(parents=True)
        shutil.copy(PORTRAIT, pictures / name / "a.jpg")
    shutil.copy(PORTRAIT, pictures / "a.jpg")
    (pictures / "._a.jpg").write_bytes(b"\0\5\x16\7\0\2\0\0Mac OS X        ")
    (pictures / "film.mp4").touch()
    out = tmp_path / "results.csv"
    assert main([str(pictures), "--out", str(out), "--weights", weights]) == 0
    assert [row["file"] for row in rows(out)] == [str(pictures / "a.jpg")]
    lines = capsys.readouterr().err.splitlines()
    assert lines[-3].startswith("Faces: 1. Pictures: 1, ")
    assert lines[-2] == "Videos and drawings, which are not read: 1 .mp4."
    assert lines[-1].startswith("Passed over: 1 file and 3 folders of the system's or hidden (")
    assert main([str(pictures / "._a.jpg"), str(pictures / "@eaDir"), "--out", str(out), "--weights", weights]) == 1
    assert [row["file"] for row in rows(out)] == [str(pictures / "@eaDir" / "a.jpg")]


def test_pictures_of_formats_that_are_not_supported_are_counted_and_make_the_status_1(
    weights: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for name in ("a.xcf", "b.XCF", "c.kra"):
        (pictures / name).touch()
    assert main([str(pictures), "--out", str(tmp_path / "results.csv"), "--weights", weights]) == 1
    assert "not supported: 2 .xcf, 1 .kra. Save them as JPEG or PNG." in capsys.readouterr().err


def test_a_spreadsheet_takes_no_name_for_a_formula(
    weights: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that was stopped still knows its files."""
    monkeypatch.chdir(tmp_path)
    names = [
        "=1+1.jpg",
        "+1.jpg",
        "@SUM(A1).jpg",
        "\t=1.jpg",
        "\r=1.jpg",
        "＝1.jpg",
        "'quoted'.jpg",
        "a=1.jpg",
        "b;=1.jpg",
    ]
    for name in names:
        shutil.copy(PORTRAIT, name)
    command = [*names, "--out", "results.csv", "--weights", weights, "--workers", "1"]
    with monkeypatch.context() as stopping:
        interrupted_after(3, stopping)
        assert main(command) == 130
    assert main(command) == 0
    assert [row["file"] for row in rows(Path("results.csv"))] == [f"'{name}" for name in names[:6]] + names[6:]
    assert '\n"b;=1.jpg",' in Path("results.csv").read_text(encoding="utf-8")  # where a semicolon ends a cell
    package("pyarrow", "Parquet needs pyarrow")
    from pyarrow import parquet

    assert main([*names, "--out", "results.parquet", "--weights", weights, "--workers", "1"]) == 0
    assert parquet.read_table("results.parquet")["file"].to_pylist() == names


def test_names_with_line_feeds_or_escapes_are_reported_in_one_line(
    weights: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a\nb\x1b[2J\u3000.jpg").touch()
    assert main([str(tmp_path), "--out", str(tmp_path / "results.csv"), "--weights", weights]) == 1
    assert f"  {tmp_path}/a\\nb\\x1b[2J\u3000.jpg: " in capsys.readouterr().err


def test_links_are_followed_but_not_in_circles(folder: Path, weights: str, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "folder").symlink_to(folder / "deep")
    (linked / "file.jpg").symlink_to(PORTRAIT)
    (folder / "deep" / "back").symlink_to(linked)
    (folder / "deep" / "self").symlink_to(folder / "deep")
    (linked / "itself").symlink_to("itself")
    out = tmp_path / "results.csv"
    assert main([str(linked), "--out", str(out), "--weights", weights]) == 0
    assert [row["file"] for row in rows(out)] == [
        str(linked / "file.jpg"),
        *[str(linked / "folder" / "er" / "PAIR.PNG")] * 2,
    ]


def test_links_to_nothing_and_missing_files_are_reported_and_the_rest_is_written(
    folder: Path, weights: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "gone.jpg").symlink_to("nowhere.jpg")
    (linked / "itself.jpg").symlink_to("itself.jpg")
    missing, long = str(tmp_path / "none.jpg"), str(tmp_path / ("long" * 100))
    out = tmp_path / "results.csv"
    assert main([missing, long, str(folder / "a.jpg"), str(linked), "--out", str(out), "--weights", weights]) == 1
    assert [row["file"] for row in rows(out)] == [str(folder / "a.jpg")]
    printed = capsys.readouterr().err
    assert "Could not be read: 4." in printed
    assert all(f"  {name}: " in printed for name in (missing, long, linked / "gone.jpg", linked / "itself.jpg"))


def test_names_of_any_kind_come_back_as_they_are(weights: str, tmp_path: Path) -> None:
    pictures = os.fsencode(tmp_path)
    names = sorted(pictures + b"/" + name for name in (b"a,b.jpg", b'"q".jpg', b"x\ny.jpg", b"x\ry.jpg", b"\xff.jpg"))
    for name in names:
        shutil.copy(os.fsencode(PORTRAIT), name)
    out = tmp_path / "results.csv"
    assert main([str(tmp_path), "--out", str(out), "--weights", weights]) == 0
    with out.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        assert sorted(os.fsencode(row["file"]) for row in csv.DictReader(file)) == names


@pytest.mark.parametrize(
    ("inputs", "out", "message"),
    [
        (["none.jpg"], "results.csv", "no file or folder none.jpg"),
        (["pictures"], "nowhere/results.csv", "no folder"),
        (["pictures"], "a" * 300 + ".csv", "cannot be written: File name too long"),
        (["pictures"], "pictures", "is not a file"),
        (["pictures/a.jpg"], "pictures/a.jpg", "would overwrite an input"),
        (["link"], "results.csv", "link to nothing"),
        (["pictures", "--weights", "none.safetensors"], "results.csv", "none.safetensors"),
    ],
)
def test_mistakes_are_reported_before_any_work(
    inputs: list[str],
    out: str,
    message: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folder.parent)
    Path("link").symlink_to("gone.jpg")
    before = sorted(folder.parent.rglob("*"))
    with pytest.raises(SystemExit) as exit_info:
        main([*inputs, "--out", out])
    assert exit_info.value.code == 2
    assert message in capsys.readouterr().err
    assert sorted(folder.parent.rglob("*")) == before
    assert (folder / "a.jpg").read_bytes() == PORTRAIT.read_bytes()


def test_an_interrupted_run_keeps_old_results_and_new_rows(
    folder: Path, weights: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "results.csv"
    out.write_text("results of last week")
    done: list[int] = []

    def interrupt(_: np.ndarray) -> None:
        if done:  # finished work is already on disk, in case the machine stops now
            assert len(rows(tmp_path / "results.csv.part")) == 1
            raise KeyboardInterrupt
        done.append(1)

    before_each_analysis(interrupt, monkeypatch)
    assert main([str(folder), "--out", str(out), "--weights", weights]) == 130
    assert out.read_text() == "results of last week"
    assert [row["file"] for row in rows(tmp_path / "results.csv.part")] == [str(folder / "a.jpg")]
    assert "results.csv.part" in capsys.readouterr().err


def opencv_error(code: int) -> cv2.error:
    error = cv2.error("OpenCV's own words")
    error.code = code
    return error


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (MemoryError(), "not enough memory"),
        (RuntimeError("device lost"), "device lost"),
        (opencv_error(cv2.Error.StsNoMem), "not enough memory"),
        (opencv_error(cv2.Error.StsError), "OpenCV's own words"),
    ],
)
def test_a_failure_inside_costs_one_file_alone(
    failure: Exception,
    reason: str,
    folder: Path,
    weights: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(frame: np.ndarray) -> None:
        if frame.shape[1] == 500:
            raise failure

    before_each_analysis(fail, monkeypatch)
    out = tmp_path / "results.csv"
    assert main([str(folder), "--out", str(out), "--weights", weights]) == 1
    assert [row["file"] for row in rows(out)] == [str(folder / "a.jpg")]
    assert f"PAIR.PNG: {reason}" in capsys.readouterr().err


def entries(journal: Path) -> int:
    """How many pictures are done according to the journal of a killed run; the journal stays as it is."""
    copies = journal.with_name("copies")
    copies.mkdir()
    for file in journal.parent.glob(f"{journal.name}*"):
        shutil.copy(file, copies)
    with closing(sqlite3.connect(copies / journal.name)) as database:
        ((count,),) = database.execute("SELECT count(*) FROM pictures")
    return int(count)


def test_killed_runs_go_on_to_the_same_table(
    folder: Path, weights: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With two processes, after a kill that nothing can catch, and with both files torn at the end."""
    for number in range(24):  # so that it has not ended before it is killed
        shutil.copy(folder / ("none.webp", "a.jpg", "broken.jpg")[number % 3], folder / f"more{number}.jpg")
    whole, out = tmp_path / "whole.csv", tmp_path / "results.csv"
    assert main([str(folder), "--out", str(whole), "--weights", weights, "--device", "cpu"]) == 1
    options = [str(folder), "--weights", weights, "--device", "cpu", "--workers", "2", "--out", str(out)]
    command = [sys.executable, "-m", "demo.annotate", *options]
    journal, log, part = (tmp_path / f"results.csv.{end}" for end in ("journal", "journal-wal", "part"))
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as run:
        while not part.exists() or part.read_bytes().count(b"\n") < 4:  # the header and the faces of three pictures
            assert run.poll() is None
            time.sleep(0.01)
        run.kill()
    assert not out.exists()
    done = entries(journal)
    with part.open("ab") as table, log.open("ab") as frames:
        table.write(b"torn,1,2")
        frames.write(b"torn")
    capsys.readouterr()
    assert main(options) == 1
    printed = capsys.readouterr().err
    assert f"Going on after {done} of 28 pictures" in printed
    assert "Pictures: 19, of these without a face: 9. Could not be read: 9." in printed
    assert out.read_bytes() == whole.read_bytes()
    assert not {journal, log, part}.intersection(tmp_path.iterdir())


def test_a_picture_that_kills_its_process_is_named(
    folder: Path, weights: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Workers, "__enter__", lambda self: self)
    monkeypatch.setattr(Workers, "map", lambda _, tasks: iter([None] * len(tasks)))
    command = [str(folder / "a.jpg"), "--out", str(tmp_path / "results.csv"), "--weights", weights]
    assert main([*command, "--workers", "2"]) == 1
    assert f"  {folder / 'a.jpg'}: its process ended twice" in capsys.readouterr().err
    assert rows(tmp_path / "results.csv") == []


def test_processes_that_do_not_start_stop_the_run_for_later(
    folder: Path, weights: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(_: Workers) -> Workers:
        raise WorkerError("a process ended")

    command = [str(folder / "a.jpg"), "--out", str(tmp_path / "results.csv"), "--weights", weights]
    with monkeypatch.context() as patch:
        patch.setattr(Workers, "__enter__", failing)
        assert main([*command, "--workers", "2"]) == 1
    assert "Stopped: a process ended. The same command goes on" in capsys.readouterr().err
    assert main(command) == 0


def interrupted_after(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []

    def interrupt(_: np.ndarray) -> None:
        if len(done) == count:
            raise KeyboardInterrupt
        done.append(1)

    before_each_analysis(interrupt, monkeypatch)


def test_a_share_that_is_away_stops_the_run_and_costs_nothing(
    folder: Path, weights: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(folder / "a.jpg", folder / "b.jpg")
    whole, out = tmp_path / "whole.csv", tmp_path / "results.csv"
    assert main([str(folder), "--out", str(whole), "--weights", weights]) == 1
    out.write_text("results of last week")
    away = folder.with_name("away")

    def leave(_: np.ndarray) -> None:
        if folder.exists():
            folder.rename(away)

    with monkeypatch.context() as sharing:
        before_each_analysis(leave, sharing)
        assert main([str(folder), "--out", str(out), "--weights", weights, "--workers", "1"]) == 1
    printed = capsys.readouterr().err
    assert f"Stopped: {folder / 'b.jpg'} cannot be read, nor can {folder / 'a.jpg'} any more" in printed
    assert "Once they are back, the same command goes on." in printed
    assert out.read_text() == "results of last week"
    away.rename(folder)
    assert main([str(folder), "--out", str(out), "--weights", weights]) == 1
    assert "Going on after 1 of " in capsys.readouterr().err
    assert out.read_bytes() == whole.read_bytes()


def test_weights_that_change_while_it_runs_stop_the_run(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "own.safetensors"
    SlimNet().save(own)
    start = Workers.__enter__

    def changed(workers: Workers) -> Workers:
        SlimNet().save(own)
        return start(workers)

    monkeypatch.setattr(Workers, "__enter__", changed)
    command = [str(folder), "--out", str(tmp_path / "results.csv"), "--weights", str(own), "--workers", "2"]
    assert main(command) == 1
    printed = capfd.readouterr().err
    assert f"{own} has changed since the run began" in printed
    assert "Traceback" not in printed
    assert not (tmp_path / "results.csv").exists()


@pytest.mark.parametrize("change", ["weights", "decisions", "why", "working directory", "pictures", "journal"])
def test_a_stopped_run_is_not_mixed_with_another(
    change: str,
    folder: Path,
    weights: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    name = folder.name if change == "working directory" else str(folder)
    monkeypatch.chdir(folder.parent)
    command = [name, "--out", str(tmp_path / "results.csv"), "--weights", weights]
    with monkeypatch.context() as stopping:
        interrupted_after(1, stopping)
        assert main(command) == 130
    part = tmp_path / "results.csv.part"
    before = part.read_bytes()
    if change == "weights":
        command[command.index(weights)] = str(tmp_path / "others.pth")
        SlimNet().save(tmp_path / "others.pth")
    elif change == "decisions":
        command += ["--decisions", "accuracy"]
    elif change == "why":
        command += ["--why", "Smiling"]
    elif change == "working directory":
        shutil.copytree(folder, tmp_path / "elsewhere" / name)
        monkeypatch.chdir(tmp_path / "elsewhere")
    elif change == "pictures":
        shutil.copy(PORTRAIT, folder / "A.jpg")
    else:
        (tmp_path / "results.csv.journal").write_text("of another program\n")
    with pytest.raises(SystemExit):
        main(command)
    printed = capsys.readouterr().err
    assert {"pictures": "A.jpg", "journal": "damaged"}.get(change, f"other {change}") in printed
    assert "--restart" in printed
    assert part.read_bytes() == before
    assert main([*command, "--restart"]) == 1
    assert len(rows(tmp_path / "results.csv")) == (4 if change == "pictures" else 3)


def test_two_runs_do_not_write_one_table(
    folder: Path, weights: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [str(folder / "a.jpg"), "--out", str(tmp_path / "results.csv"), "--weights", weights]

    def run_another(_: np.ndarray) -> None:
        with pytest.raises(SystemExit):
            main(command)

    before_each_analysis(run_another, monkeypatch)
    assert main(command) == 0
    assert "another run is writing" in capsys.readouterr().err


def test_parquet_holds_what_csv_holds(
    folder: Path, weights: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parquet = package("pyarrow.parquet", "Parquet needs pyarrow")
    shutil.copy(PORTRAIT, folder / 'a "b",\nc.jpg')
    shutil.copy(os.fsencode(PORTRAIT), os.fsencode(folder) + b"/\xff.jpg")
    assert main([str(folder), "--out", str(tmp_path / "r.csv"), "--weights", weights]) == 1
    assert main([str(folder), "--out", str(tmp_path / "r.parquet"), "--weights", weights]) == 1
    assert "its name is not UTF-8" in capsys.readouterr().err
    table = parquet.read_table(tmp_path / "r.parquet")
    assert ",".join(table.column_names) == HEADER
    with (tmp_path / "r.csv").open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        named = [row for row in csv.DictReader(file) if "\udcff" not in row["file"]]
    for row, same in zip(table.to_pylist(), named, strict=True):
        assert {name: type(value)(same[name]) for name, value in row.items()} == row
    assert {file.name for file in tmp_path.iterdir()} == {"pictures", "r.csv", "r.parquet"}
    assert main([str(folder / "none.webp"), "--out", str(tmp_path / "r.parquet"), "--weights", weights]) == 0
    assert parquet.read_table(tmp_path / "r.parquet").num_rows == 0


@pytest.mark.parametrize(
    ("package", "options", "message"),
    [("pyarrow", ["--out", "r.parquet"], "'pyarrow>="), ("ray", ["--out", "r.csv", "--ray"], "'ray[data]>=")],
)
def test_a_package_that_is_missing_is_reported_before_any_work(
    package: str,
    options: list[str],
    message: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr("demo.annotate.options.find_spec", lambda name: None if name == package else object())
    with pytest.raises(SystemExit) as exit_info:
        main(["a.jpg", *options])
    assert exit_info.value.code == 2
    assert message in capsys.readouterr().err
