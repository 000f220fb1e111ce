import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from demo.server.http import temporary_folder as temporary
from demo.server.http.temporary_folder import TemporaryFolderError, own_temporary_folder
from tests.paths import ROOT

HOLD = """
from demo.server.http.temporary_folder import own_temporary_folder
with own_temporary_folder() as folder:
    (folder / "photo.jpg").touch()
    print(folder, flush=True)
    input()
"""


@pytest.fixture(autouse=True)
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "parent"))
    return tmp_path / "parent"


@contextmanager
def program() -> Iterator[subprocess.Popen[str]]:
    """Another program with its own folder, which has a photo in it."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline()
        yield process
        process.kill()


def test_everything_temporary_goes_there_until_the_end(parent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.delenv("TMPDIR", raising=False)
    with own_temporary_folder() as folder:
        assert folder.parent == parent
        assert os.environ["GRADIO_TEMP_DIR"] == os.environ["TMPDIR"] == tempfile.gettempdir() == str(folder)
        (folder / "left").mkdir()
        (folder / "left" / "photo.jpg").touch()
    assert list(parent.iterdir()) == []
    assert os.environ["GRADIO_TEMP_DIR"] == str(parent)
    assert "TMPDIR" not in os.environ
    assert tempfile.tempdir is None


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes")
def test_nobody_else_can_enter_it() -> None:
    with own_temporary_folder() as folder:
        assert folder.stat().st_mode & 0o777 == 0o700


def test_it_goes_when_the_program_fails(parent: Path) -> None:
    with pytest.raises(ZeroDivisionError), own_temporary_folder():
        raise ZeroDivisionError
    assert list(parent.iterdir()) == []


@pytest.mark.skipif(temporary.fcntl is None, reason="folders cannot be locked on Windows")
def test_the_folder_of_a_killed_program_is_removed_and_that_of_a_living_one_stays(parent: Path) -> None:
    with program() as killed, program() as living:
        killed.kill()
        killed.wait()
        assert len(list(parent.rglob("photo.jpg"))) == 2
        with own_temporary_folder():
            assert len(list(parent.rglob("photo.jpg"))) == 1
        living.communicate("\n")
        assert list(parent.iterdir()) == []


def test_where_nothing_can_be_locked_age_tells_the_dead(parent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(temporary, "fcntl", None)
    names = ("slimnet-faces-temporary-dead", "slimnet-faces-temporary-living", "slimnet-faces-main")
    dead, living, other = (parent / name for name in names)
    parent.mkdir()
    for folder in (dead, living, other):
        folder.mkdir(mode=0o700)
    hour_ago = time.time() - 3600
    for folder in (dead, other):
        os.utime(folder, (hour_ago, hour_ago))
    with own_temporary_folder() as folder:
        assert set(parent.iterdir()) == {living, other, folder}


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes")
def test_a_folder_that_others_can_enter_is_not_its_own(parent: Path) -> None:
    copied = parent / "slimnet-faces-temporary-copied"
    copied.mkdir(parents=True)
    copied.chmod(0o755)
    with own_temporary_folder() as folder:
        assert set(parent.iterdir()) == {copied, folder}


def test_links_are_not_followed(parent: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "photo.jpg").touch()
    parent.mkdir()
    (parent / "slimnet-faces-temporary-link").symlink_to(tmp_path / "mine")
    os.utime(tmp_path / "mine", (0, 0))
    with own_temporary_folder():
        assert (tmp_path / "mine" / "photo.jpg").exists()


def refuse(*_: object, **__: object) -> None:
    raise PermissionError(13, "Permission denied")


def test_a_folder_that_was_asked_for_and_cannot_be_used_is_named(parent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "mkdtemp", refuse)  # root, who may run the tests, can write anywhere
    with (
        pytest.raises(TemporaryFolderError, match=r"Permission denied.*set GRADIO_TEMP_DIR") as caught,
        own_temporary_folder(),
    ):
        pass
    assert str(parent) in str(caught.value)


def test_a_file_in_its_place_is_named(parent: Path) -> None:
    parent.touch()
    with pytest.raises(TemporaryFolderError, match="parent"), own_temporary_folder():
        pass


def test_an_unusable_tmpdir_is_passed_over(parent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRADIO_TEMP_DIR")
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("TMPDIR", str(parent / "none"))
    monkeypatch.setenv("TEMP", str(parent.parent))
    with own_temporary_folder() as folder:
        assert folder.parent == parent.parent


def test_no_usable_folder_at_all_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRADIO_TEMP_DIR")
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_get_default_tempdir", lambda: refuse())
    with pytest.raises(TemporaryFolderError, match="set TMPDIR or GRADIO_TEMP_DIR"), own_temporary_folder():
        pass


@pytest.mark.skipif(os.name != "posix", reason="Windows cannot hold signals back")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_right_after_the_folder_was_made_leaves_none_behind(name: str, parent: Path) -> None:
    code = f"""
import signal, tempfile
from demo.server.http.shutdown import end_by_signals
from demo.server.http.temporary_folder import own_temporary_folder

def make_and_be_interrupted(*arguments, make=tempfile.mkdtemp, **options):
    made = make(*arguments, **options)
    signal.raise_signal(signal.{name})
    return made

tempfile.mkdtemp = make_and_be_interrupted
end_by_signals()
try:
    with own_temporary_folder():
        print("was served")
except KeyboardInterrupt:
    print("interrupted")
"""
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (ended.stdout, ended.stderr) == ("interrupted\n", "")
    assert list(parent.iterdir()) == []
