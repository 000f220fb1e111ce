"""Atomic writes: a file is written whole or not at all."""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def replace_text(path: str | Path, text: str) -> None:
    """Write a text as UTF-8, whole or not at all.

    Args:
        path: the file to write or replace; anything but a file, such as /dev/stdout, is written to directly.
        text: its content; line ends stay as they are.

    Raises:
        OSError: `path` can't be written; the error names it.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8")
        return
    with replacement(path) as part:
        part.write_bytes(text.encode())  # on Windows, write_text would change the line ends


@contextmanager
def replacement(path: str | Path) -> Iterator[Path]:
    """Yield an empty file beside `path` to write in the with block; at the end of the block it replaces `path`.

    The file is flushed to disk before it replaces `path`, so a reader sees either the old file or the new one. If
    anything fails, the old file stays and nothing is left of the new one. A symbolic link stays a link, and a replaced
    file keeps its mode.

    Args:
        path: the file to write or replace.

    Yields:
        The file to write instead.

    Raises:
        OSError: `path` can't be written; the error names it. Errors of the block that name another file stay as they
            are.
    """
    target = Path(os.path.realpath(path))
    part = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        part.touch(exist_ok=False)
        mode = stat.S_IMODE((target if target.exists() else part).stat().st_mode)
        yield part
        with suppress(OSError):  # network disks and those of other systems may know no modes
            part.chmod(mode)  # safetensors replaces it with a private file
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        if error.errno is None:  # a library raised it with only a text
            raise OSError(f"{path} cannot be written: {error}") from error
        if error.filename is not None and str(error.filename) != str(part):
            raise  # it is about another file, which the block reads or writes, too
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        with suppress(OSError):  # which would take the place of the error that is on its way
            part.unlink(missing_ok=True)
