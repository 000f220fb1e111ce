"""Plans which pictures to crop, with which row of labels, and for which part of the data set."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from demo.dataset.labels import Labels
from demo.dataset.matching import match
from demo.dataset.names import crop_stems, paths_below
from slimnet.files.text_table import is_unknown

TRAIN, VALID = 0, 1

_NOT_NAMED = "the table of labels does not name it"
_SEPARATORS = re.compile(r'[\s,;"]+')  # can't be in a table of identities


@dataclass(frozen=True)
class Picture:
    """One picture, before it is opened.

    Attributes:
        file: its path.
        stem: the beginning of its crops' names.
        row: its row of labels; None without a table, or if the table has none for this picture.
        left_out: why it is not cropped, for people; empty if it is.
        person: who is in it; empty if unknown.
        part: of the data set, from the table of labels: 0 train, 1 validation, 2 test; None if it doesn't say.
    """

    file: str
    stem: str
    row: int | None = None
    left_out: str = ""
    person: str = ""
    part: int | None = None

    def partition(self, content: str, valid_share: float) -> int:
        """Choose the picture's part of the data set.

        The same person is never in two parts or, if people are unknown, copies of a file are not. The choice does not
        depend on where the pictures are, or which others there are.

        Args:
            content: hash of the picture's file.
            valid_share: of people or pictures to use for validation, from 0 to 1.

        Returns:
            0 train, 1 validation, 2 test.
        """
        if self.part is not None:
            return self.part
        digest = hashlib.sha256((self.person or content).encode()).digest()
        return VALID if int.from_bytes(digest[:8], "big") < valid_share * 2**64 else TRAIN


def plan(files: Sequence[str], inputs: Sequence[str], labels: Labels | None, folders_are_people: bool) -> list[Picture]:
    """Plan what to do with each picture.

    Args:
        files: paths of the pictures.
        inputs: the given files and folders.
        labels: the table of labels, if any; pictures that it does not name are left out.
        folders_are_people: treat each folder as a person, unless the table says who it is.

    Returns:
        A plan for each file.
    """
    paths = paths_below(inputs, files)
    folders = [_person_of(path.parent) if folders_are_people else "" for path in paths]
    named = zip(files, crop_stems(files, paths), folders, strict=True)
    if labels is None:
        return [Picture(file, stem, person=folder) for file, stem, folder in named]
    pictures = []
    for (file, stem, folder), found in zip(named, match(files, labels.pictures), strict=True):
        if found.row is None:
            pictures.append(Picture(file, stem, left_out=found.problem or _NOT_NAMED))
            continue
        person = _one_word(labels.people[found.row]) if labels.people else ""
        part = labels.partitions[found.row] if labels.partitions else None
        pictures.append(Picture(file, stem, found.row, "", person or folder, part))
    return pictures


def _person_of(folder: Path) -> str:
    """Who is in a folder of one person; "" for one that is called as tables call nobody, such as "unknown"."""
    person = _one_word(folder) if folder.name else ""
    return "" if is_unknown(person) or is_unknown(folder.name) else person


def _one_word(name: str | Path) -> str:
    return _SEPARATORS.sub("_", str(name).encode("utf-8", "replace").decode())
