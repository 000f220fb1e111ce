import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest

from slimnet import transform
from tests.fakes import celeba
from tests.paths import ROOT
from tests.processes import first_line, largest_file
from training.data import cache
from training.data.cache import Pictures, check_room, decoded, decoded_together, place
from training.data.celeba import DataError, Split, read_celeba, read_pictures

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="locks and signals of Unix")

# Decodes a data folder's training split as a run does, and hangs for good in the batch with the given number.
HANGS = """
import sys, time
from slimnet import transform
from training.data import cache
from training.data.celeba import read_celeba
cache._BATCH = 4
read = cache.read_pictures
def some(*arguments):
    for number, batch in enumerate(read(*arguments)):
        if number == int(sys.argv[3]):
            print("hangs", flush=True)
            time.sleep(600)
        yield batch
cache.read_pictures = some
cache.decoded_together([read_celeba(sys.argv[1])["train"]], sys.argv[2], transform, 1)
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that no test changes or moves: the cache knows pictures by their paths and times."""
    return celeba.write(tmp_path_factory.mktemp("data"))


@pytest.fixture
def train(data: Path, monkeypatch: pytest.MonkeyPatch) -> Split:
    monkeypatch.setattr(cache, "_BATCH", 4)
    return read_celeba(data)["train"]


@pytest.fixture(scope="module")
def cut_off(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cache of a run that was killed after 8 of 16 pictures, not to be changed."""
    folder = tmp_path_factory.mktemp("cut_off") / "cache"
    killed(hanging(data, folder, batch=2))
    return folder


@pytest.fixture
def half(tmp_path: Path, cut_off: Path) -> Path:
    """A copy of that cache."""
    return shutil.copytree(cut_off, tmp_path / "cache")


def hanging(data: Path, folder: Path, batch: int) -> subprocess.Popen[str]:
    run = subprocess.Popen(
        [sys.executable, "-c", HANGS, data, folder, str(batch)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert first_line(run) == "hangs\n"
    return run


def killed(run: subprocess.Popen[str]) -> None:
    run.send_signal(signal.SIGKILL)
    run.communicate()


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pictures each call decodes."""
    read, counts = read_pictures, []

    def some(split: Split, *arguments: Any) -> Iterator[np.ndarray]:
        counts.append(len(split))
        return read(split, *arguments)

    monkeypatch.setattr(cache, "read_pictures", some)
    return counts


def right(pictures: Pictures, split: Split) -> bool:
    return np.array_equal(pictures.array, np.concatenate(list(read_pictures(split, transform))))


def test_decoding_goes_on_where_a_run_was_killed(half: Path, train: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = counted(monkeypatch)
    pictures = decoded(train, half, transform, 1)
    assert counts == [8]  # of 16, in batches of 4
    assert right(pictures, train)
    assert [path.name for path in half.iterdir()] == [pictures.path.name]


@pytest.mark.parametrize("torn", ["pixels", "last line", "size"])
def test_what_a_killed_run_did_not_write_whole_is_decoded_again(
    half: Path, train: Split, monkeypatch: pytest.MonkeyPatch, torn: str
) -> None:
    (part,) = half.glob("*.part")
    if torn == "pixels":  # a page that never reached the disk
        with part.open("r+b") as file:
            file.seek(6 * 218 * 178 * 3)
            file.write(bytes(4096))
    elif torn == "size":
        os.truncate(part, 6 * 218 * 178 * 3)
    else:
        progress = part.with_suffix(".progress")
        progress.write_text(progress.read_text()[:-2])
    counts = counted(monkeypatch)
    assert right(decoded(train, half, transform, 1), train)
    assert counts == [12]


@pytest.mark.usefixtures("train")
def test_what_killed_runs_left_of_other_pictures_is_removed_unless_one_still_decodes(
    tmp_path: Path, data: Path
) -> None:
    folder = tmp_path / "cache"
    folder.mkdir()
    old, other, others_progress = (folder / name for name in ("celeba-0.rgb.part", "linux.part", "linux.progress"))
    for path in (old, other, others_progress):
        path.write_bytes(bytes(1000))
        os.utime(path, (time.time() - 3600,) * 2)
    run = hanging(data, folder, batch=2)
    try:
        assert not old.exists()
        others = read_celeba(celeba.write(tmp_path / "others"))["valid"]
        decoded(others, folder, transform, 1)
        assert len(list(folder.glob("celeba-*.part"))) == 1  # it belongs to the run that hangs
    finally:
        killed(run)
    check_room([place(others, folder, transform)])
    assert list(folder.glob("*.part")) == [other]  # another program's
    assert list(folder.glob("*.progress")) == [others_progress]


def test_what_a_killed_run_left_of_one_split_is_kept_while_another_is_decoded(
    half: Path, data: Path, train: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = counted(monkeypatch)
    first, second = decoded_together([read_celeba(data)["valid"], train], half, transform, 1)
    assert right(second, train)
    assert first.complete
    assert counts == [6, 8]  # of 16, in batches of 4


def test_a_second_run_waits_for_the_first_and_takes_over_when_that_is_killed(
    tmp_path: Path, data: Path, train: Split, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    first = hanging(data, tmp_path / "cache", batch=3)
    flock, counts = cache.fcntl.flock, counted(monkeypatch)

    def kill_first(file: IO[bytes], how: int) -> None:
        if not how & cache.fcntl.LOCK_NB:
            killed(first)
        flock(file, how)

    monkeypatch.setattr(cache.fcntl, "flock", kill_first)
    assert right(decoded(train, tmp_path / "cache", transform, 1), train)
    assert counts == [4]
    assert "another run is decoding into" in capfd.readouterr().err


def test_a_file_that_another_run_finished_meanwhile_is_used(
    tmp_path: Path, train: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = decoded(train, tmp_path / "ready", transform, 1)
    flock, counts = cache.fcntl.flock, counted(monkeypatch)

    def finish_first(file: IO[bytes], how: int) -> None:
        flock(file, how)
        target = cache.place(train, tmp_path / "cache", transform)
        target.path.write_bytes(ready.path.read_bytes())
        target.part.unlink()

    monkeypatch.setattr(cache.fcntl, "flock", finish_first)
    assert right(decoded(train, tmp_path / "cache", transform, 1), train)
    assert counts == []


def test_a_file_system_without_locks_is_enough(tmp_path: Path, train: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_file: object, _how: int) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(cache.fcntl, "flock", none)
    assert right(decoded(train, tmp_path / "cache", transform, 1), train)


def test_room_for_all_splits_is_asked_for_before_the_first_is_decoded(
    tmp_path: Path, data: Path, train: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    valid = read_celeba(data)["valid"]
    free = 17 * 218 * 178 * 3  # for the 16 pictures of one split, not for the 6 of the other too
    monkeypatch.setattr("training.data.cache.shutil.disk_usage", lambda _path: type("Usage", (), {"free": free})())
    wanted = [place(split, tmp_path / "cache", transform) for split in (train, valid)]
    check_room(wanted[:1])
    with pytest.raises(DataError, match=r"has 2\.0 MB free, and the decoded pictures take 2\.6 MB: .*--cache_dir"):
        check_room(wanted)


@pytest.mark.skipif(sys.platform != "linux", reason="all space is taken at once there alone")
def test_a_part_that_is_there_counts_as_room(half: Path, train: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.data.cache.shutil.disk_usage", lambda _path: type("Usage", (), {"free": 10})())
    assert right(decoded(train, half, transform, 1), train)


@pytest.mark.parametrize("when", ["taking room", "writing"])
def test_a_disk_that_fills_up_is_said_in_one_line_and_nothing_is_left(
    tmp_path: Path, train: Split, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    if when == "writing":
        monkeypatch.setattr(cache, "reserve", lambda _file, _size: None)
    said = r"free, and the decoded pictures take 1\.9 MB \(File too large\):"
    with largest_file(10 * 218 * 178 * 3), pytest.raises(DataError, match=said) as caught:
        decoded(train, tmp_path / "cache", transform, 1)
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "cache").iterdir()) == []
