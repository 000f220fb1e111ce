"""What the crops of a picture are called: the same name in each run, and one that any system and table takes."""

import hashlib
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from demo.annotate.files import is_folder
from demo.pictures.decode import SUFFIXES

_UNSAFE = re.compile(r"[^A-Za-z0-9-]+")
_MAX_CHARACTERS = 100
_HASH_DIGITS = 8
_FACE = "_face"


def paths_below(inputs: Sequence[str], files: Sequence[str]) -> list[Path]:
    """Cut the paths of pictures to what is below the folder that was named.

    Args:
        inputs: the files and folders that were named.
        files: paths of the pictures that were found in these.

    Returns:
        Paths that begin with that folder's own name; of a picture that was named itself, its name alone.
    """
    folders = {Path(name): Path(name).resolve().name for name in inputs if is_folder(name)}
    return [_below(Path(file), folders) for file in files]


def crop_stems(files: Sequence[str], paths: Sequence[Path]) -> list[str]:
    """Name the pictures for their crops: val_1 for val/1.jpg.

    Args:
        files: paths of the pictures.
        paths: the same, as `paths_below` cuts them.

    Returns:
        A name for each file, of letters, digits, _ and -. Where two would be the same, also for a system that makes no
        difference between upper and lower case, each has a hash of its whole path behind it.
    """
    stems = [_safe(path.with_suffix("") if path.suffix.lower() in SUFFIXES else path) for path in paths]
    counts = Counter(stem.lower() for stem in stems)
    return [
        stem if stem and counts[stem.lower()] == 1 else f"{stem}_{_hash(file)}".lstrip("_")
        for stem, file in zip(stems, files, strict=True)
    ]


def crop_name(stem: str, face: int) -> str:
    """Name a crop.

    Args:
        stem: its picture's name, from `crop_stems`.
        face: number of the face in the picture.
    """
    return f"{stem}{_FACE}{face}.jpg"


def stem_of(crop: str) -> str:
    """The picture's name, from `crop_stems`, in the name of a crop.

    Args:
        crop: from `crop_name`.
    """
    return crop.rpartition(_FACE)[0]


def _below(file: Path, folders: Mapping[Path, str]) -> Path:
    for folder, name in folders.items():
        if file.is_relative_to(folder):
            return name / file.relative_to(folder)
    return Path(file.name)


def _safe(path: Path) -> str:
    plain = unicodedata.normalize("NFKD", path.as_posix()).encode("ascii", "ignore").decode()
    return _UNSAFE.sub("_", plain).strip("_-")[-_MAX_CHARACTERS:]


def _hash(file: str) -> str:
    return hashlib.sha256(os.fsencode(Path(file).absolute())).hexdigest()[:_HASH_DIGITS]
