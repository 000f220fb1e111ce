import os
import stat
from pathlib import Path

import pytest

from slimnet.files.atomic import replace_text, replacement


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with replacement(path) as part:
        part.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_knows_no_modes_takes_files_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refuse)
    replace_text(tmp_path / "file", "new")
    assert (tmp_path / "file").read_text() == "new"


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), RuntimeError("lost"), KeyboardInterrupt()])
def test_a_failure_of_any_kind_leaves_nothing_behind(failure: BaseException, tmp_path: Path) -> None:
    path = tmp_path / "file"

    def fail() -> None:
        with replacement(path) as part:
            part.write_text("half")
            raise failure

    with pytest.raises(type(failure)):
        fail()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("parent", "error"), [("no folder", FileNotFoundError), ("a file", NotADirectoryError)])
def test_errors_name_the_file_that_was_asked_for(parent: str, error: type[OSError], tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    path = tmp_path / parent / "file"
    with pytest.raises(error) as caught, replacement(path):
        pass
    assert caught.value.filename == str(path)


def test_errors_about_another_file_keep_its_name(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError) as caught, replacement(tmp_path / "a"), replacement(tmp_path / "folder"):
        pass
    assert caught.value.filename == str(tmp_path / "folder")
    with pytest.raises(FileNotFoundError) as lost, replacement(tmp_path / "a"):
        (tmp_path / "input").read_text()
    assert lost.value.filename == str(tmp_path / "input")


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX's modes and links")
def test_modes_and_links_are_kept(tmp_path: Path) -> None:
    link, path = tmp_path / "link", tmp_path / "file"
    link.symlink_to("file")
    with replacement(link) as part:
        part.write_text("new")
    assert link.is_symlink()
    plain = tmp_path / "plain"
    plain.touch()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)
    path.chmod(0o640)
    with replacement(path) as part:
        part.write_text("newer")
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("newer", 0o640)


def test_text_is_written_whole_and_to_what_is_no_file_as_well(tmp_path: Path) -> None:
    path = tmp_path / "file"
    replace_text(path, "é\n")
    assert path.read_bytes() == "é\n".encode()
    replace_text(os.devnull, "gone")
    assert not Path(os.devnull).is_file()
    assert list(tmp_path.iterdir()) == [path]
