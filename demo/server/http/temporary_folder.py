"""The program's own temporary folder, removed when it ends, or at the next start if it was killed."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from demo.held_signals import held_back

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_PREFIX = "slimnet-faces-temporary-"  # what begins so is removed at the next start, so nobody's own folder may
_ENDING = [signal.Signals[name] for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
# Read by Gradio, and by libraries and programs that this one starts.
_VARIABLES = ("GRADIO_TEMP_DIR", "TMPDIR")
_MATPLOTLIB = "MPLCONFIGDIR"  # Gradio imports matplotlib, which would write its settings and caches to the home folder
# If folders can't be locked, one that hasn't been touched for this long belongs to a dead program.
_DEAD_AFTER_SECONDS = 600


class TemporaryFolderError(Exception):
    """No temporary folder can be made; the message says where, why, and what to do."""


@contextmanager
def own_temporary_folder() -> Iterator[Path]:
    """Make a folder that only this user can enter, and have all temporary files written there, Gradio's too.

    It lies in the folder that GRADIO_TEMP_DIR names, or else in the system's temporary folder, and is removed with its
    contents at the end. Folders left by killed programs are removed first. Use it before importing gradio, which reads
    the environment on import.

    Yields:
        The folder.

    Raises:
        TemporaryFolderError: no folder can be made there.
    """
    parent = _parent()
    _remove_dead(parent)
    variables, default = {name: os.environ.get(name) for name in (*_VARIABLES, _MATPLOTLIB)}, tempfile.tempdir
    with ExitStack() as removal:
        with held_back(*_ENDING):  # a signal right after the folder is made would leave it behind
            try:
                folder, lock = _make(parent)
            except OSError as error:
                raise _unusable(parent, error) from error
            removal.callback(_remove, folder, lock)
        try:
            os.environ.update(dict.fromkeys(_VARIABLES, str(folder)))
            os.environ.setdefault(_MATPLOTLIB, str(folder))
            tempfile.tempdir = str(folder)
            yield folder
        finally:
            for name, value in variables.items():
                os.environ.pop(name, None)
                os.environ.update({} if value is None else {name: value})
            tempfile.tempdir = default


def _parent() -> Path:
    asked = os.environ.get("GRADIO_TEMP_DIR")
    if asked:
        # No other folder will do: an operator who names one may want no pictures on other disks.
        try:
            Path(asked).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unusable(Path(asked), error) from error
        return Path(asked).resolve()
    try:
        return Path(tempfile.gettempdir()).resolve()  # the first writable one in its list
    except OSError as error:
        raise TemporaryFolderError(
            f"{error.strerror}: set TMPDIR or GRADIO_TEMP_DIR to a folder that you may write to and that has room"
        ) from error


def _unusable(parent: Path, error: OSError) -> TemporaryFolderError:
    return TemporaryFolderError(
        f"no temporary folder can be made in {parent} ({error.strerror}): "
        "set GRADIO_TEMP_DIR to a folder that you may write to and that has room"
    )


def _make(parent: Path) -> tuple[Path, int | None]:
    """Make a folder. Returns it and the handle that locks it, None if folders can't be locked here."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        try:
            lock = _lock(folder)
        except (BlockingIOError, FileNotFoundError):  # another program, just starting, took it for a dead one's
            continue
        except OSError:
            return folder, None
        if folder.is_dir():
            return folder, lock
        os.close(lock)


def _remove(folder: Path, lock: int | None) -> None:
    """Remove a folder, and release its lock if it has one."""
    shutil.rmtree(folder, ignore_errors=True)
    if lock is not None:
        os.close(lock)


def _lock(folder: Path) -> int:
    """Lock a folder until the handle is closed or this program ends.

    Raises:
        BlockingIOError: another program holds the lock.
        OSError: folders can't be locked here, or this isn't a folder of this user's.
    """
    if fcntl is None:
        raise OSError("folders cannot be locked on this system")
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise
    return handle


def _is_private(folder: Path) -> bool:
    """Whether only this user can enter a folder, as is true of those made here; Windows doesn't tell."""
    status = folder.stat()
    return os.name != "posix" or (status.st_uid == os.getuid() and not status.st_mode & 0o077)


def _remove_dead(parent: Path) -> None:
    """Remove the folders of programs that ended without removing them."""
    for folder in parent.glob(f"{_PREFIX}*"):
        lock = None
        with suppress(OSError):
            if not _is_private(folder):
                continue
            try:
                lock = _lock(folder)
            except BlockingIOError:
                continue
            except OSError:
                if time.time() - folder.stat().st_mtime < _DEAD_AFTER_SECONDS:
                    continue
            shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)
