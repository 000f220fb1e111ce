"""CelebA's validation pictures with their labels, against which the accuracy benchmarks check answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from demo.dataset.labels import LabelError, read_labels
from demo.dataset.rules import ABSENT, PRESENT, Rule
from demo.pictures.decode import PictureError, open_picture
from slimnet.files.text_table import TextTableError, read_cells

_LABELS, _PARTS = "list_attr_celeba.csv", "list_eval_partition.csv"
_VALIDATION = "1"


class ValidationError(ValueError):
    """The data folder can't be used; the message says why."""


@dataclass(frozen=True, eq=False)
class ValidationPictures:
    """Some validation pictures.

    Attributes:
        crops: each (218, 178, 3) uint8 RGB.
        labels: (N, attributes) bool, False if unknown.
        known: (N, attributes) bool, which labels are known; at least one for each picture.
    """

    crops: list[np.ndarray]
    labels: np.ndarray
    known: np.ndarray

    def right(self, row: int, probabilities: np.ndarray) -> float:
        """The share of a picture's known labels that the answers get right.

        Args:
            row: index of the picture.
            probabilities: (attributes,), 0 to 1.
        """
        return float(np.mean(((probabilities > 0.5) == self.labels[row])[self.known[row]]))


def validation_pictures(data_dir: Path, images: int, attributes: Sequence[str]) -> ValidationPictures:
    """Read some of CelebA's validation pictures, evenly spread.

    As in training, a label is unknown if it is empty, or 0 in a table with -1. Pictures without any known label are
    left out.

    Args:
        data_dir: CelebA in Kaggle's CSV layout.
        images: how many, or all if there are fewer.
        attributes: names of the labels to read.

    Raises:
        ValidationError: a table is missing or has another layout, or lacks an attribute or a picture; or a picture is
            missing or damaged.
    """
    files = validation_files(data_dir, images)
    _check_there(data_dir, _LABELS)
    try:
        labels = read_labels(data_dir / _LABELS, [Rule(name, name) for name in attributes])
    except LabelError as error:
        raise ValidationError(str(error)) from error
    rows = {name: row for row, name in enumerate(labels.pictures)}
    missing = [file.name for file in files if file.name not in rows]
    if missing:
        raise ValidationError(f"{data_dir / _LABELS} has no labels of {len(missing)} pictures, such as {missing[0]}")
    values = labels.values[[rows[file.name] for file in files]]
    known = (values == PRESENT) | (values == ABSENT)
    some = known.any(axis=1)
    chosen = [file for file, is_known in zip(files, some, strict=True) if is_known]
    return ValidationPictures([validation_picture(file) for file in chosen], (values == PRESENT)[some], known[some])


def validation_picture(file: Path) -> np.ndarray:
    """Open a validation picture.

    Args:
        file: as `validation_files` returns it.

    Returns:
        (height, width, 3) uint8 RGB.

    Raises:
        ValidationError: the picture is missing or damaged.
    """
    try:
        return open_picture(file)
    except PictureError as error:
        raise ValidationError(f"{file}: {error}") from error


def validation_files(data_dir: Path, images: int) -> list[Path]:
    """Choose some of CelebA's validation pictures, evenly spread.

    Args:
        data_dir: CelebA in Kaggle's CSV layout.
        images: how many, or all if there are fewer.

    Returns:
        Their files.

    Raises:
        ValidationError: the table of parts is missing or has another layout, or names no validation picture.
    """
    _check_there(data_dir, _PARTS)
    try:
        header, *rows = read_cells(data_dir / _PARTS) or [[]]
    except TextTableError as error:
        raise ValidationError(str(error)) from error
    if not {"image_id", "partition"} <= {*header}:
        raise ValidationError(f"{data_dir / _PARTS} has no columns image_id and partition, as Kaggle's has")
    picture, part = header.index("image_id"), header.index("partition")
    names = [row[picture] for row in rows if len(row) == len(header) and row[part] == _VALIDATION]
    if not names:
        raise ValidationError(f"{data_dir / _PARTS} names no picture for validation, which is partition 1")
    folder = data_dir / "img_align_celeba"
    folder = folder / folder.name if (folder / folder.name).is_dir() else folder
    return [folder / names[i] for i in np.linspace(0, len(names) - 1, min(images, len(names))).astype(int)]


def _check_there(data_dir: Path, table: str) -> None:
    """Raise ValidationError if a table is missing."""
    if not (data_dir / table).is_file():
        raise ValidationError(f"{data_dir} has no {table}: CelebA is read in Kaggle's CSV layout")
