"""Names for the crops of a picture: the same in each run, and valid in any system and table."""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from demo.batch.inputs import is_folder, path_hash
from demo.pictures.decode import SUFFIXES

_UNSAFE = re.compile(r"[^A-Za-z0-9-]+")
_MAX_CHARACTERS = 100
_FACE = "_face"


def paths_below(inputs: Sequence[str], files: Sequence[str]) -> list[Path]:
    """Shorten the paths of pictures to what is below the given folder.

    Args:
        inputs: the given files and folders.
        files: paths of the pictures found in them.

    Returns:
        Paths that begin with that folder's name; for a given picture, just its name.
    """
    folders = {Path(name): Path(name).resolve().name for name in inputs if is_folder(name)}
    return [_below(Path(file), folders) for file in files]


def crop_stems(files: Sequence[str], paths: Sequence[Path]) -> list[str]:
    """Make the names that crops are called by: val_1 for val/1.jpg.

    Args:
        files: paths of the pictures.
        paths: the same, as `paths_below` shortens them.

    Returns:
        A name for each file, of letters, digits, _ and -. If two would be the same but for their case, a hash of the
        whole path is appended to each.
    """
    stems = [_safe(path.with_suffix("") if path.suffix.lower() in SUFFIXES else path) for path in paths]
    counts = Counter(stem.lower() for stem in stems)
    return [
        stem if stem and counts[stem.lower()] == 1 else f"{stem}_{path_hash(file)}".lstrip("_")
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
    """The picture's name, from `crop_stems`, in a crop's name.

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
    return _UNSAFE.sub("_", plain).strip("_-")[-_MAX_CHARACTERS:].lstrip("_-")
