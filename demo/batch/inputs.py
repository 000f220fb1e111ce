"""The paths that people give, which may name anything: whether one exists, is a folder, and how to tell two apart."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

_HASH_DIGITS = 8


def input_problem(inputs: Sequence[str]) -> str | None:
    """Check that at least one input exists; if only some are missing, the end of the run reports them instead.

    Args:
        inputs: names of files and folders, at least one.

    Returns:
        A sentence for people; None if one of them exists.
    """
    if any(exists(name) for name in inputs):
        return None
    name = inputs[0]
    return f"{name} is a link to nothing" if _is_link(name) else f"there is no file or folder {name}"


def exists(name: str) -> bool:
    """Whether there is a file or folder of this name.

    Args:
        name: the path, of any length.
    """
    try:
        return Path(name).exists()
    except OSError:  # the name is too long for a file
        return False


def folder_of(inputs: Sequence[str]) -> dict[str, str]:
    """The working directory as a setting of a run, by its name for people; none if no input depends on it.

    Args:
        inputs: names of files and folders.
    """
    if all(map(os.path.isabs, inputs)):
        return {}
    return {"working directory": os.fsencode(Path.cwd()).decode("utf-8", "backslashreplace")}


def is_folder(name: str) -> bool:
    """Whether a path is a folder that we can enter.

    Args:
        name: the path, which need not exist.
    """
    try:
        return Path(name).is_dir()
    except OSError:  # the name is too long, or in a folder that we may list but not enter
        return False


def path_hash(file: str) -> str:
    """Tell apart files of one name in different folders, in eight digits.

    Args:
        file: path of the file, which counts as the absolute one.
    """
    return hashlib.sha256(os.fsencode(Path(file).absolute())).hexdigest()[:_HASH_DIGITS]


def _is_link(name: str) -> bool:
    try:
        return Path(name).is_symlink()
    except OSError:  # the name is too long for a file
        return False
