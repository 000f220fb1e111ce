import errno
import os
from pathlib import Path

import pytest

from demo.batch.files import PictureFiles


def make(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def names(found: PictureFiles, folder: Path) -> list[str]:
    return [os.path.relpath(file, folder) for file in found.files]


@pytest.mark.parametrize(
    "name",
    ["._IMG_1.jpg", ".photo.jpg", ".trashed-1700000000-IMG_1.jpg", "Thumbs.db", ".DS_Store", "DESKTOP.INI",
     "__MACOSX/._a.jpg", "__MACOSX/a.jpg", ".Trash-1000/files/a.jpg", ".Trashes/501/a.jpg", "$RECYCLE.BIN/S-1/a.jpg",
     "@eaDir/a.jpg/SYNOPHOTO_THUMB_XL.jpg", "#recycle/a.jpg", "#snapshot/a.jpg", ".thumbnails/a.jpg", "@Recycle/a.jpg",
     ".AppleDouble/a.jpg", ".Spotlight-V100/a.jpg", "lost+found/a.jpg", ".snapshot/hourly.0/a.jpg", ".git/a.jpg",
     "System Volume Information/a.jpg", "deep/er/@eaDir/a.jpg", ".@__thumb/a.jpg", "Temporary Items/a.jpg"],
)  # fmt: skip
def test_what_is_hidden_or_the_systems_is_passed_over_and_counted(name: str, tmp_path: Path) -> None:
    found = PictureFiles([str(make(tmp_path, name, "a.jpg"))])
    assert names(found, tmp_path) == ["a.jpg"]
    assert not found.failed
    assert not found.unsupported
    (line,) = found.not_tried()
    assert line.startswith(f"Passed over: 1 {'folder' if '/' in name else 'file'} of the system's or hidden (")


def test_what_is_passed_over_stands_in_one_line(tmp_path: Path) -> None:
    hidden = [f"{folder}/._{number}.jpg" for folder in ("a", "b") for number in range(50)]
    folders = ["a/@eaDir/1.jpg", "a/@eaDir/2.jpg", "b/@eaDir/1.jpg", "$RECYCLE.BIN/1.jpg"]
    found = PictureFiles([str(make(tmp_path, *hidden, *folders, ".DS_Store"))])
    assert found.files == []
    (line,) = found.not_tried()
    assert line.startswith("Passed over: 101 files and 3 folders of the system's or hidden (._*, @eaDir, ")
    assert sorted(line[line.index("@eaDir, ") + 8 : -2].split(", ")) == ["$RECYCLE.BIN", ".DS_Store"]


def test_what_is_named_is_read_and_searched_under_any_name(tmp_path: Path) -> None:
    make(
        tmp_path,
        "._a.jpg",
        ".photo.jpg",
        "raw.nef",
        "text.txt",
        "@eaDir/b.jpg",
        ".hidden/c.jpg",
        ".hidden/@eaDir/d.jpg",
    )
    inputs = ["._a.jpg", ".photo.jpg", "raw.nef", "text.txt", "@eaDir", ".hidden"]
    found = PictureFiles([str(tmp_path / name) for name in inputs])
    assert names(found, tmp_path) == [*inputs[:4], "@eaDir/b.jpg", ".hidden/c.jpg"]


def test_every_file_of_a_folder_is_read_or_counted(tmp_path: Path) -> None:
    make(tmp_path, "a.JPG", "b.tif", "c.KRA", "d.kra", "e.xcf", "f.MP4", "g.cdr", "h.txt", "i.csv", "j.txt", "k")
    found = PictureFiles([str(tmp_path)])
    assert names(found, tmp_path) == ["a.JPG", "b.tif"]
    assert dict(found.unsupported) == {".kra": 2, ".xcf": 1}
    assert len(found.not_read) == 3
    pictures, media, others = found.not_tried()
    assert pictures == "Pictures of formats that are not supported: 2 .kra, 1 .xcf. Save them as JPEG or PNG."
    assert media.startswith("Videos and drawings, which are not read: 1 .")
    assert others.startswith("Not called like pictures: 2 .txt, 1 ")
    assert "1 without a suffix" in others


@pytest.mark.parametrize(
    "suffix", [".jxl", ".hif", ".heic", ".dng", ".nef", ".arw", ".apng", ".j2k", ".dds", ".mp4", ""]
)
def test_nothing_in_a_folder_is_passed_over_in_silence(suffix: str, tmp_path: Path) -> None:
    found = PictureFiles([str(make(tmp_path, "a" + suffix))])
    account = "".join(found.not_tried())
    assert found.files or f": 1 {suffix or 'without a suffix'}." in account


def test_many_kinds_stay_one_line(tmp_path: Path) -> None:
    make(tmp_path, *(f"IMG.{number:04}" for number in range(500)), "a.txt", "b.txt")
    (line,) = PictureFiles([str(tmp_path)]).not_tried()
    assert line.startswith("Not called like pictures: 2 .txt, 1 .")
    assert line.endswith(", 495 others.")


def test_a_file_that_two_inputs_contain_comes_once_under_its_first_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(make(tmp_path, "sub/a.jpg", "b.jpg"))
    assert PictureFiles([".", "sub", str(tmp_path), "sub/../b.jpg"]).files == ["./b.jpg", "./sub/a.jpg"]
    assert PictureFiles(["sub", "."]).files == ["sub/a.jpg", "./b.jpg"]


def test_a_folder_that_cannot_be_looked_at_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    look, list_ = Path.is_dir, os.scandir

    def refuse(path: Path) -> bool:
        if path == closed:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return look(path)

    def refuse_list(path: str) -> object:
        if Path(path) == closed:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return list_(path)

    monkeypatch.setattr(Path, "is_dir", refuse)  # the tests may run as root, who may look at everything
    monkeypatch.setattr(os, "scandir", refuse_list)
    found = PictureFiles([str(tmp_path)])
    assert found.failed == [f"{closed}: Permission denied"]
    assert not list(found.not_tried())
