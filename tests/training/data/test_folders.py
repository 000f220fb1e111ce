import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from slimnet import transform
from tests.fakes import celeba
from training.data.cache import decoded
from training.data.celeba import DataError, read_celeba
from training.data.folders import Folder, RunSplits, read_folders


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    first = celeba.write(tmp_path / "first")
    second = celeba.write(tmp_path / "second", sizes={0: 5, 1: 3})
    for folder in (first, second):
        names = sorted(path.name for path in (folder / "img_align_celeba").iterdir())
        (folder / "identity_CelebA.csv").write_text("\n".join(["image_id,identity", *(f"{n},1" for n in names)]) + "\n")
    return first, celeba.with_columns(second, "Second", "Extra", "First")


def read(*folders: Path, attributes: Sequence[str] = ()) -> RunSplits:
    return read_folders([str(folder) for folder in folders], attributes)


def without_labels(folder: Path, table: bool) -> Path:
    """Leave only the names of the pictures in the table of labels, or remove the table."""
    path = folder / "list_attr_celeba.csv"
    if table:
        path.write_text("\n".join(line.partition(",")[0] for line in path.read_text().splitlines()) + "\n")
    else:
        path.unlink()
    return folder


def test_columns_are_joined_by_name_and_missing_ones_are_not_known(folders: tuple[Path, Path]) -> None:
    found = read(*folders)
    first, second = found.train
    alone = read_celeba(folders[1])["train"]
    assert first.attributes == second.attributes == celeba.ATTRIBUTES
    assert second.known.all(axis=0).tolist() == [True, True, False]
    assert np.array_equal(second.labels[:, 0], alone.labels[:, 2])
    assert np.array_equal(second.labels[:, 1], alone.labels[:, 0])
    assert found.notes == (
        "second: does not label Third (1): not known there",
        "second: its columns Extra (1) are left out",
    )


def test_folders_without_a_table_of_identities_are_named(folders: tuple[Path, Path]) -> None:
    (folders[0] / "identity_CelebA.csv").unlink()
    (line,) = read(folders[0]).notes
    assert line.startswith("no identity_CelebA.txt")
    assert f"first: {line}" in read(*folders).notes
    (folders[1] / "identity_CelebA.csv").unlink()
    assert f"second: {line}" in read(*folders).notes


def test_the_named_attributes_are_learnt_in_their_order(folders: tuple[Path, Path]) -> None:
    found = read(*folders, attributes=("Third", "First"))
    assert [split.attributes for split in found.train] == [("Third", "First")] * 2
    assert np.array_equal(found.train[0].labels, read_celeba(folders[0])["train"].labels[:, [2, 0]])


@pytest.mark.parametrize("attributes", [("Second", "First"), ()])
def test_columns_that_hold_no_labels_are_left_out_beside_those_that_are_learnt(
    folders: tuple[Path, Path], attributes: tuple[str, ...]
) -> None:
    before = read(*folders, attributes=attributes)
    for folder in folders if attributes else folders[1:]:
        celeba.with_ages(folder)
    found = read(*folders, attributes=attributes)
    assert found.joined().fingerprint() == before.joined().fingerprint()
    assert found.notes == before.notes


def test_an_attribute_of_a_further_folder_alone_may_be_named(folders: tuple[Path, Path]) -> None:
    first, second = read(*folders, attributes=("First", "Extra")).train
    assert first.known.all(axis=0).tolist() == [True, False]
    assert second.known.all()


def test_an_unknown_attribute_is_named_with_what_there_is(folders: tuple[Path, Path]) -> None:
    with pytest.raises(DataError, match=r"labels Fourth \(1\); labelled are First, Second, Third, Extra \(4\)"):
        read(*folders, attributes=("First", "Fourth"))


@pytest.mark.parametrize(
    ("text", "path", "draws"),
    [("A", "A", 1.0), ("A=0.5", "A", 0.5), ("A=2", "A", 2.0), ("B=3", "B=3", 1.0), ("B=3=0.5", "B=3", 0.5)],
)
def test_a_weight_follows_the_last_equals_sign_unless_there_is_such_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, path: Path, draws: float
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("A", "B=3"):
        Path(name).mkdir()
    assert Folder.parse(text) == Folder(Path(path), draws)


@pytest.mark.parametrize("weight", ["0", "-1", "nan", "inf", "half", "101", ""])
def test_a_weight_out_of_range_is_named(tmp_path: Path, weight: str) -> None:
    with pytest.raises(DataError, match=f"={weight}: there is no such folder, and as FOLDER=DRAWS"):
        Folder.parse(f"{tmp_path}={weight}")


def test_a_folder_whose_name_is_missing_is_not_the_present_one() -> None:
    with pytest.raises(DataError, match=r"--data_dir =0\.5: there is no folder before the ="):
        Folder.parse("=0.5")


def test_draws_are_those_of_the_folders(folders: tuple[Path, Path]) -> None:
    first, second = map(str, folders)
    assert read_folders([first, f"{second}=0.5"]).draws.folders == ((16, 1.0), (5, 0.5))


def test_the_first_folder_with_a_known_validation_label_decides(tmp_path: Path, folders: tuple[Path, Path]) -> None:
    unjudged = celeba.write(tmp_path / "training only", sizes={0: 4})
    assert list(read(unjudged, *folders).valid) == ["first", "second"]
    other = celeba.with_columns(celeba.write(tmp_path / "other"), "Fifth", "Sixth", "Seventh")
    assert list(read(folders[1], other, folders[0], attributes=("First",)).valid) == ["second", "first"]


def test_a_folder_that_is_named_twice_is_refused(folders: tuple[Path, Path]) -> None:
    with pytest.raises(DataError, match="twice: to draw its pictures more often"):
        read_folders([str(folders[0]), f"{folders[0]}/=0.5"])


def test_folders_of_one_name_are_told_apart_by_their_paths(tmp_path: Path) -> None:
    paths = [celeba.write(tmp_path / place / "data") for place in ("a", "b")]
    assert list(read(*paths).valid) == [str(path) for path in paths]


@pytest.mark.parametrize("table", [True, False])
def test_a_further_folder_may_have_no_labels(tmp_path: Path, folders: tuple[Path, Path], table: bool) -> None:
    bare = without_labels(celeba.write(tmp_path / "bare", sizes={0: 4, 1: 2}), table)
    found = read(folders[0], bare)
    assert [len(split) for split in found.train] == [16, 4]
    assert not found.train[1].known.any()
    assert list(found.valid) == ["first"]
    assert found.notes == (
        "bare: does not label First, Second, Third (3): not known there",
        "bare: its validation split has no known label, and is not reported",
    )
    with pytest.raises(DataError, match="list_attr_celeba"):
        read(bare, folders[0])


def test_gaps_are_said_by_folder(folders: tuple[Path, Path]) -> None:
    celeba.with_gaps(folders[0])
    assert read(*folders).notes[0].startswith("first: unknown labels (empty, or 0 in a table with -1)")


def test_without_any_training_or_validation_pictures_there_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no pictures in its train split"):
        read(celeba.write(tmp_path / "a", sizes={1: 3}))
    with pytest.raises(DataError, match="no pictures in its valid split"):
        read(celeba.write(tmp_path / "b", sizes={0: 3}))


def test_pictures_and_labels_of_all_folders_are_one_after_the_other(tmp_path: Path, folders: tuple[Path, Path]) -> None:
    splits = read(*folders)
    parts = [decoded(split, tmp_path / "cache", transform, 1) for split in (*splits.train, *splits.valid.values())]
    train = splits.with_pictures(parts).train
    assert len(train.pictures) == len(train.split) == 21
    chosen = np.array([20, 0, 16, 15, 0])
    expected = [parts[n].array[place] for n, place in ((1, 4), (0, 0), (1, 0), (0, 15), (0, 0))]
    assert np.array_equal(train.pictures.take(chosen), expected)
    assert np.array_equal(train.split.labels[16:], splits.train[1].labels)
    assert len({*train.split.identities[:16]} & {*train.split.identities[16:]}) == 0


def test_the_fingerprint_tells_labels_and_weights_apart_and_is_that_of_one_folder_alone(
    tmp_path: Path, folders: tuple[Path, Path]
) -> None:
    def fingerprint(*texts: str) -> str:
        splits = read_folders(texts)
        parts = [decoded(split, tmp_path / "cache", transform, 1) for split in (*splits.train, *splits.valid.values())]
        return splits.with_pictures(parts).fingerprint()

    first, second = map(str, folders)
    found = {fingerprint(first), fingerprint(first, second), fingerprint(first, f"{second}=0.5")}
    assert len(found) == 3
    assert fingerprint(first) == read_celeba(first)["train"].fingerprint()
    with (folders[1] / "list_attr_celeba.csv").open(newline="") as file:
        head, row, *rows = csv.reader(file)
    row[1] = str(-int(row[1]))
    with (folders[1] / "list_attr_celeba.csv").open("w", newline="") as file:
        csv.writer(file).writerows([head, row, *rows])
    assert fingerprint(first, second) not in found
