from pathlib import Path

import pytest

from demo.batch.inputs import exists, input_problem, is_folder, path_hash


def test_one_input_that_exists_is_enough(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    missing, link = str(tmp_path / "none.jpg"), tmp_path / "link"
    link.symlink_to("nowhere.jpg")
    assert input_problem([missing, str(tmp_path / "a.jpg")]) is None
    assert input_problem([str(tmp_path)]) is None
    assert input_problem([missing, str(link)]) == f"there is no file or folder {missing}"
    assert input_problem([str(link), missing]) == f"{link} is a link to nothing"


def test_a_name_that_no_file_can_have_is_of_nothing(tmp_path: Path) -> None:
    long = str(tmp_path / ("long" * 100))
    assert not exists(long)
    assert not is_folder(long)
    assert input_problem([long]) == f"there is no file or folder {long}"


def test_a_hash_is_the_same_for_a_file_however_it_is_reached_and_another_in_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert path_hash("a/1.jpg") == path_hash(str(tmp_path / "a" / "1.jpg"))
    assert len({path_hash(file) for file in ("a/1.jpg", "b/1.jpg", "1.jpg", "\udcff.jpg")}) == 4
