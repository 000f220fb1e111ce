import csv
import errno
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from demo.batch.workers import Workers
from demo.dataset import __main__ as command
from demo.dataset.picture import Cropped, crop_picture
from demo.pipeline.detect import FaceFinder
from tests.paths import OTHER_PORTRAIT, PORTRAIT
from tests.processes import largest_file
from training.data.celeba import DataError, Split, read_celeba
from training.data.groups import UNKNOWN_AGE, read_groups

TABLES = ("list_attr_celeba.csv", "list_eval_partition.csv", "identity_CelebA.csv", "report.csv")


@pytest.fixture(scope="module", autouse=True)
def shared_finder() -> Iterator[None]:
    """One finder for all runs in this process: making it takes as long as using it."""
    finder = FaceFinder()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "FaceFinder", lambda: finder)
        yield


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with two single faces, two faces of one size, none, a text named .jpg, and one without labels."""
    folder = tmp_path / "pictures"
    (folder / "deep").mkdir(parents=True)
    shutil.copy(PORTRAIT, folder / "Eileen C.jpg")
    shutil.copy(OTHER_PORTRAIT, folder / "deep" / "grace.jpg")
    shutil.copy(PORTRAIT, folder / "extra.jpg")
    pair = np.tile(np.array(Image.open(PORTRAIT))[20:240, 40:290], (1, 2, 1))
    Image.fromarray(pair).save(folder / "pair.png")
    Image.new("RGB", (100, 100), "grey").save(folder / "none.webp")
    (folder / "broken.jpg").write_text("not a picture")
    return folder


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    table = tmp_path / "labels.csv"
    table.write_text(
        "file,gender,Eyeglasses,Smiling,person,split\neileen c,Female,no,,Eileen Collins,train\n"
        "deep/grace.jpg,Female,yes,yes,Grace Hopper,valid\npair,Female,no,yes,,train\nnone,Male,no,no,,train\n"
        "broken,Male,no,no,,train\nlost.jpg,Male,no,no,,train\n"
    )
    return table


RULES = ["--attribute", "Eyeglasses", "--attribute", "Smiling", "--attribute", "Male=gender:Male"]


def run(*arguments: object) -> int:
    return command.main([*map(str, arguments), *([] if "--workers" in arguments else ["--workers", "1"])])


def report(out: Path) -> list[dict[str, str]]:
    with (out / "report.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def content(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def label(split: Split, name: str) -> list[float]:
    (row,) = split.targets[[path.name for path in split.paths].index(name)][None]
    return [float(value) for value in row]


def before_each_picture(act: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    def acting(finder: FaceFinder, choice: command.FaceChoice, file: str) -> Cropped:
        act(file)
        return crop_picture(finder, choice, file)

    monkeypatch.setattr(command, "crop_picture", acting)


def test_people_who_are_never_alone_leave_no_table_of_people(pictures: Path, tmp_path: Path) -> None:
    together = tmp_path / "people" / "Ada"
    together.mkdir(parents=True)
    shutil.copy(pictures / "pair.png", together)
    out = tmp_path / "mine"
    assert run(together.parent, "--folders_are_people", "--valid_share", 0, "--out", out) == 0
    assert len(list((out / "img_align_celeba").iterdir())) == 2
    assert not (out / "identity_CelebA.csv").exists()
    assert len(read_celeba(out, labelled=False)["train"]) == 2


def test_training_reads_the_labels_that_were_given(
    pictures: Path, labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "data" / "mine"
    assert run(pictures, "--labels", labels, *RULES, "--out", out) == 1
    splits = read_celeba(out)
    assert {name: len(split) for name, split in splits.items()} == {"train": 1, "valid": 1, "test": 0}
    assert splits["train"].attributes == ("Eyeglasses", "Smiling", "Male")
    assert label(splits["train"], "pictures_Eileen_C_face1.jpg") == pytest.approx([0, np.nan, 0], nan_ok=True)
    assert label(splits["valid"], "pictures_deep_grace_face1.jpg") == [1, 1, 0]
    # Not 0: in a table without -1 it would mean absent.
    assert "pictures_Eileen_C_face1.jpg,-1,,-1" in (out / "list_attr_celeba.csv").read_text()
    assert "Eileen_Collins" in (out / "identity_CelebA.csv").read_text()
    rows = {Path(row["file"]).name: row for row in report(out)}
    assert {name: (row["outcome"], row["crop"]) for name, row in rows.items()} == {
        "Eileen C.jpg": ("crop", "pictures_Eileen_C_face1.jpg"),
        "grace.jpg": ("crop", "pictures_deep_grace_face1.jpg"),
        "extra.jpg": ("no labels", ""),
        "pair.png": ("several faces", ""),
        "none.webp": ("no face", ""),
        "broken.jpg": ("not read", ""),
        "lost.jpg": ("labels without a picture", ""),
    }
    assert "not a picture" in rows["broken.jpg"]["detail"]
    assert abs(int(rows["Eileen C.jpg"]["x"]) - 124) < 15
    printed = capsys.readouterr().err
    assert "Crops: 2 (train 1, valid 1, test 0)." in printed
    assert (
        "Not cropped: labels without a picture 1, no face 1, no labels 1, not read 1, several faces 1. "
        f"{out / 'report.csv'} names each."
    ) in printed
    assert "Smiling: 1 present, 0 absent, 1 not known." in printed
    assert set(content(out)) == {*TABLES, *(f"img_align_celeba/{row['crop']}" for row in rows.values() if row["crop"])}


def test_the_report_names_pictures_and_folders_that_are_not_opened(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = os.scandir

    def scandir(folder: str) -> object:
        if folder.endswith("locked"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return listed(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    (pictures / "locked").mkdir()
    (pictures / "deep" / "scan.DCM").touch()
    for name in ("pair.png", "none.webp", "broken.jpg", "extra.jpg"):
        (pictures / name).unlink()
    assert run(pictures, "--out", tmp_path / "out") == 1
    rows = {Path(row["file"]).relative_to(pictures).as_posix(): row for row in report(tmp_path / "out")}
    assert {name: (row["outcome"], row["detail"]) for name, row in rows.items() if row["outcome"] != "crop"} == {
        "deep/scan.DCM": (
            "not read", "a picture of the format .dcm, which is not supported: save it as JPEG or PNG"
        ),
        "locked": ("not read", "Permission denied"),
    }  # fmt: skip


def test_a_row_of_labels_that_is_repeated_has_its_picture(pictures: Path, labels: Path, tmp_path: Path) -> None:
    head, *rows = labels.read_text().splitlines()
    labels.write_text("\n".join([head, *rows, rows[1], rows[-1], rows[-1]]) + "\n")
    run(pictures / "deep", "--labels", labels, *RULES, "--out", tmp_path / "out")
    named = [(row["file"], row["outcome"]) for row in report(tmp_path / "out")]
    assert ("deep/grace.jpg", "labels without a picture") not in named
    assert named.count(("lost.jpg", "labels without a picture")) == 1


def test_without_labels_each_face_is_cropped_and_no_label_is_claimed(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pictures / "broken.jpg").unlink()
    out = tmp_path / "out"
    assert run(pictures, "--out", out, "--valid_share", "0") == 0
    with pytest.raises(DataError, match=r"no list_attr_celeba\.csv"):
        read_celeba(out)
    assert not (out / "identity_CelebA.csv").exists()
    with (out / "list_eval_partition.csv").open(newline="") as file:
        crops = {row["image_id"]: row["partition"] for row in csv.DictReader(file)}
    assert crops.keys() == {path.name for path in (out / "img_align_celeba").iterdir()}
    assert {"pictures_pair_face1.jpg", "pictures_pair_face2.jpg"} < crops.keys()
    assert len(crops) == 5
    assert set(crops.values()) == {"0"}
    assert "There is no crop for validation" in capsys.readouterr().err


def test_where_all_faces_are_cropped_those_of_a_group_have_no_labels(
    pictures: Path, labels: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert run(pictures, "--labels", labels, *RULES, "--out", out, "--faces", "all") == 1
    train = read_celeba(out)["train"]
    for number in (1, 2):
        assert np.isnan(label(train, f"pictures_pair_face{number}.jpg")).all()
    assert "pair" not in (out / "identity_CelebA.csv").read_text()


@pytest.mark.parametrize("stop", ["interrupt", "full disk"])
def test_a_stopped_run_goes_on_to_the_same_data_set(
    stop: str,
    pictures: Path,
    labels: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    whole, out = tmp_path / "whole", tmp_path / "out"
    arguments = [pictures, "--labels", labels, *RULES]
    assert run(*arguments, "--out", whole, "--workers", "2") == 1

    def act(file: str) -> None:
        if file.endswith("grace.jpg"):
            raise KeyboardInterrupt if stop == "interrupt" else OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as stopping:
        before_each_picture(act, stopping)
        assert run(*arguments, "--out", out) == (130 if stop == "interrupt" else 1)
    printed = capsys.readouterr().err
    assert ("Interrupted" if stop == "interrupt" else f"{out} cannot be written: No space left on device") in printed
    assert "The same command goes on" in printed
    assert not (out / "list_attr_celeba.csv").exists()
    assert run(*arguments, "--out", out) == 1
    assert "Going on after " in capsys.readouterr().err
    assert content(out) == content(whole)


def test_a_stopped_run_does_not_go_on_beside_a_picture_that_changes_the_names(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def act(file: str) -> None:
        if file.endswith("extra.jpg"):
            raise KeyboardInterrupt

    out = tmp_path / "out"
    with monkeypatch.context() as stopping:
        before_each_picture(act, stopping)
        assert run(pictures, "--out", out, "--workers", "1") == 130
    shutil.copy(PORTRAIT, pictures / "deep_grace.jpg")  # beside deep/grace.jpg, which is done
    with pytest.raises(SystemExit):
        run(pictures, "--out", out, "--workers", "1")
    printed = capsys.readouterr().err
    assert "pictures_deep_grace_face1.jpg, which would have another name beside the pictures that have" in printed


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX's limits")
def test_where_the_disk_gives_out_within_a_crop_no_part_of_it_stays(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, out = tmp_path / "whole", tmp_path / "out"
    assert run(pictures / "deep", "--out", whole) == 0
    with monkeypatch.context() as filling, ExitStack() as full:
        # From the first picture on, since the journal is larger than a crop.
        before_each_picture(lambda _: full.enter_context(largest_file(1000)), filling)
        assert run(pictures / "deep", "--out", out) == 1
    crop = out / "img_align_celeba" / "deep_grace_face1.jpg"
    assert f"{crop} cannot be written: File too large. The same command goes on" in capsys.readouterr().err
    assert not list(crop.parent.iterdir())
    assert run(pictures / "deep", "--out", out) == 0
    assert content(out) == content(whole)


def test_what_a_restart_had_not_removed_yet_goes_when_it_goes_on(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    assert run(pictures / "deep", "--out", out) == 0

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as stopping:
        stopping.setattr("demo.dataset.__main__.remove_dataset", interrupt)
        assert run(pictures / "Eileen C.jpg", "--out", out, "--restart") == 130
    assert run(pictures / "Eileen C.jpg", "--out", out) == 0
    assert set(content(out)) == {"img_align_celeba/Eileen_C_face1.jpg", "list_eval_partition.csv", "report.csv"}


@pytest.mark.parametrize(
    "change", ["labels", "--attribute", "--valid_share", "--faces", "inputs", "--folders_are_people"]
)
def test_a_stopped_run_does_not_go_on_with_other_settings(
    change: str,
    pictures: Path,
    labels: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    out = tmp_path / "out"
    before_each_picture(interrupt, monkeypatch)
    arguments = [pictures / "deep", "--labels", labels, *RULES, "--out", out]
    assert run(*arguments) == 130
    if change == "labels":
        labels.write_text(labels.read_text() + "more,Male,no,no,,train\n")
    elif change == "inputs":
        arguments.insert(1, pictures / "Eileen C.jpg")
    elif change == "--folders_are_people":
        arguments.append(change)
    else:
        values: dict[str, list[object]] = {"--attribute": ["Her=gender:Female"], "--valid_share": [0.5]}
        arguments += [change, *values.get(change, ["all"])]
    with pytest.raises(SystemExit):
        run(*arguments)
    assert f"of a stopped run with other {change}. Name another --out" in capsys.readouterr().err


def test_a_data_set_is_replaced_only_when_that_is_asked_for(
    pictures: Path, labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    run(pictures / "deep", "--labels", labels, *RULES, "--out", out)
    before = content(out)
    with pytest.raises(SystemExit):
        run(pictures / "Eileen C.jpg", "--out", out)
    assert "holds a data set already" in capsys.readouterr().err
    assert content(out) == before
    assert run(pictures / "Eileen C.jpg", "--out", out, "--restart") == 0
    assert set(content(out)) == {"img_align_celeba/Eileen_C_face1.jpg", "list_eval_partition.csv", "report.csv"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.jpg", "--out", "new"], "no file or folder none.jpg"),
        (["pictures", "--out", "pictures"], "lies inside the pictures"),
        (["pictures", "--out", "pictures/new"], "lies inside the pictures"),
        (["pictures", "--out", "celeba"], "holds other files"),
        (["pictures", "--out", "celeba", "--restart"], "holds other files"),
        (["pictures", "--out", "other", "--restart"], "holds other files"),
        (["celeba/img_align_celeba", "--out", "celeba", "--restart"], "belongs to the data set in --out celeba"),
        (
            ["pictures", "--labels", "celeba/list_attr_celeba.csv", "--out", "celeba"],
            "list_attr_celeba.csv belongs to the data set",
        ),
        (["pictures", "--out", "labels.csv"], "is not a folder"),
        (["pictures", "--out", "new", "--labels", "none.csv"], "none.csv cannot be read"),
        (["pictures", "--out", "new", "--labels", "labels.csv"], '--attribute "NAME=gender:Female"'),
        (["pictures/extra.jpg", "--out", "new", "--labels", "labels.csv", *RULES], "names none of the pictures"),
        (["pictures", "--out", "new", "--attribute", "Hat"], "give it by --labels"),
        (["pictures", "--out", "new", "--labels", "labels.csv", "--attribute", "A=b"], "such as Male=gender:Male"),
        (["pictures", "--out", "new", "--valid_share", "1.5"], "not a share"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("pictures", "labels")
def test_mistakes_are_reported_before_any_work(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "celeba" / "img_align_celeba").mkdir(parents=True)
    (tmp_path / "celeba" / "img_align_celeba" / "000001.jpg").touch()
    (tmp_path / "celeba" / "list_attr_celeba.csv").write_text("image_id,Male\n000001.jpg,1\n")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "report.csv").write_text("another program's report\n")
    before = content(tmp_path)
    with pytest.raises(SystemExit) as exit_info:
        run(*arguments)
    assert exit_info.value.code == 2
    assert message in capsys.readouterr().err
    assert content(tmp_path) == before
    assert not (tmp_path / "new").exists()


def test_nothing_to_crop_is_no_success(pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(pictures / "none.webp", "--out", tmp_path / "out") == 1
    assert "Crops: 0 " in capsys.readouterr().err
    assert [row["outcome"] for row in report(tmp_path / "out")] == ["no face"]


def test_a_picture_that_kills_its_process_is_named(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Workers, "__enter__", lambda self: self)
    monkeypatch.setattr(Workers, "map", lambda _, tasks: iter([None] * len(tasks)))
    assert run(pictures / "extra.jpg", "--out", tmp_path / "out", "--workers", "2") == 1
    assert "ended twice" in report(tmp_path / "out")[0]["detail"]


def test_groups_are_read_by_training(pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, out = tmp_path / "labels.csv", tmp_path / "groups"
    table.write_text(
        "file,Male,age,race\nEileen C,no,03-Sep,White\ndeep/grace,no,Oct-19,\nextra,no,more than 70,East Asian\n"
        "pair,no,20-29,Black\n"
    )
    (pictures / "broken.jpg").unlink()
    assert run(pictures, "--labels", table, "--faces", "all", "--out", out, "--groups", "age", "race") == 0
    splits = read_celeba(out)
    assert {split.attributes for split in splits.values()} == {("Male",)}
    names = sorted(path.name for split in splits.values() for path in split.paths)
    found = read_groups(out, names)
    assert dict(zip(names, zip(found.ages.tolist(), found.origins.tolist(), strict=True), strict=True)) == {
        "pictures_Eileen_C_face1.jpg": (3, "White"),
        "pictures_deep_grace_face1.jpg": (10, ""),
        "pictures_extra_face1.jpg": (70, "East Asian"),
        "pictures_pair_face1.jpg": (UNKNOWN_AGE, ""),  # with two faces, nobody knows which is meant
        "pictures_pair_face2.jpg": (UNKNOWN_AGE, ""),
    }
    with pytest.raises(SystemExit):
        run(pictures, "--labels", table, "--out", tmp_path / "other", "--groups", "age", "origin")
    assert "has no column origin; it has file, Male, age, race" in capsys.readouterr().err


def test_groups_need_a_table(pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(pictures, "--out", tmp_path / "other", "--groups", "age")
    assert "--groups names columns of the table of labels" in capsys.readouterr().err
