from pathlib import Path

import pytest

from demo.dataset.matching import match

NFD = "Ade\u0301le"
NFC = "Ad\u00e9le"


@pytest.mark.parametrize(
    "name",
    ["1.jpg", "1", "val/1.jpg", "val/1", "/data/val/1.JPG", "./val/1.jpg", "VAL\\1.jpg", "val/1.png"],
)
def test_a_picture_is_found_by_the_end_of_its_path(name: str) -> None:
    assert [found.row for found in match(["/data/val/1.jpg"], ["x", name])] == [1]


@pytest.mark.parametrize("name", ["train/1.jpg", "11.jpg", "1.jpg.chip.jpg", "/other/data/val/1.jpg", "", "l/1.jpg"])
def test_another_name_does_not_fit(name: str) -> None:
    (found,) = match(["/data/val/1.jpg"], [name])
    assert (found.row, found.problem) == (None, "")


def test_relative_paths_count_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "val").mkdir()
    monkeypatch.chdir(tmp_path / "val")
    assert [found.row for found in match(["1.jpg"], ["train/1.jpg", "val/1.jpg"])] == [1]


def test_folders_tell_pictures_of_the_same_name_apart() -> None:
    files = ["/d/train/1.jpg", "/d/val/1.jpg"]
    assert [found.row for found in match(files, ["val/1.jpg", "train/1.jpg"])] == [1, 0]


def test_a_row_that_may_be_two_pictures_is_given_to_neither() -> None:
    found = match(["/d/train/1.jpg", "/d/val/1.jpg", "/d/2.jpg"], ["1", "2"])
    assert [each.row for each in found] == [None, None, 1]
    assert all("1 may be any of 2 pictures" in each.problem for each in found[:2])


def test_rows_that_may_be_the_same_picture_are_not_used() -> None:
    (found,) = match(["/d/a.jpg"], ["a.png", "a.gif"])
    assert found.row is None
    assert "a.png, a.gif may all be this picture" in found.problem


def test_suffix_and_case_decide_where_nothing_else_does() -> None:
    files = ["/d/a.jpg", "/d/a.png", "/d/B.jpg", "/d/b.jpg", "/d/c.jpg", "/d/c.png"]
    names = ["a.png", "a.jpg", "b.jpg", "B.jpg", "c.jpg"]
    assert [found.row for found in match(files, names)] == [1, 0, 3, 2, 4, None]


def test_accents_count_however_they_are_written() -> None:
    assert [found.row for found in match([f"/d/{NFD}.jpg"], [f"{NFC}.jpg"])] == [0]


def test_of_equal_rows_the_first_counts() -> None:
    assert [found.row for found in match(["/d/a.jpg"], ["a", "a"])] == [0]
