"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def replace_text(path: str | Path, text: str) -> None:
    """Write UTF-8 whole or not at all; straight to what is no file, such as /dev/stdout.

    Raises OSError that names `path` where it cannot be written.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8")
        return
    with replacement(path) as part:
        part.write_bytes(text.encode())  # with the line ends as they are


@contextmanager
def replacement(path: str | Path) -> Iterator[Path]:
    """An empty file beside `path`, to be written inside the with block, that then takes the place of `path`.

    It does so once its content is on the disk, so that a reader sees the old file or the new one. Where anything fails,
    nothing is left of it and the old file stays. A link stays a link, and a file that is replaced keeps its mode.

    Raises OSError that names `path` where it cannot be written.
    """
    target = Path(os.path.realpath(path))
    part = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        part.touch(exist_ok=False)
        mode = stat.S_IMODE((target if target.exists() else part).stat().st_mode)
        yield part
        part.chmod(mode)  # safetensors puts a private file of its own there
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        if error.errno is None:  # of a library that raises it with a text alone
            raise OSError(f"{path} cannot be written: {error}") from error
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        part.unlink(missing_ok=True)
