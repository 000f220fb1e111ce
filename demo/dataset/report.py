"""The report: what became of each picture and each row of labels, and which crop shows which face."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from demo.dataset.names import crop_name
from demo.dataset.picture import Cropped
from demo.dataset.plan import Picture
from demo.pipeline import table

COLUMNS = (*table.COLUMNS, "crop", "partition", "outcome", "detail")

# Outcomes. A crop has its picture's labels, unless the picture shows several faces and all are cropped.
CROP = "crop"
CROP_OF_SEVERAL = "crop without labels"
NO_FACE = "no face"
SEVERAL_FACES = "several faces"
NO_LABELS = "no labels"
NOT_READ = "not read"
NO_PICTURE = "labels without a picture"

Row = list[str]


@dataclass(frozen=True)
class Entry:
    """What `read_report` reads from a row.

    Attributes:
        crop: name of the crop's file; empty if there is none.
        partition: of the crop, as a number; empty if there is none.
        outcome: one of this module's outcomes.
    """

    crop: str
    partition: str
    outcome: str


def is_report(path: Path) -> bool:
    """Whether a file is a report of this module's, by its first line; False if there is none.

    Args:
        path: the file.
    """
    try:
        with path.open(newline="", encoding="utf-8", errors="replace") as file:
            return next(csv.reader(file), []) == list(COLUMNS)
    except (OSError, csv.Error):
        return False


def crop_rows(picture: Picture, cropped: Cropped, valid_share: float) -> list[Row]:
    """The rows of a picture: one for each crop, or one that says why there is none.

    Args:
        picture: the picture.
        cropped: the result for it.
        valid_share: as for `Picture.partition`.
    """
    if picture.left_out:
        return [other_row(picture.file, NO_LABELS, picture.left_out)]
    if cropped.failure:
        return [other_row(picture.file, NOT_READ, cropped.failure)]
    if not cropped.faces:
        return [other_row(picture.file, NO_FACE)]
    if not cropped.crops:
        return [other_row(picture.file, SEVERAL_FACES, f"{cropped.faces} faces")]
    outcome = CROP if len(cropped.crops) == 1 else CROP_OF_SEVERAL
    detail = f"{cropped.faces} faces" if cropped.faces > 1 else ""
    partition = str(picture.partition(cropped.content, valid_share))
    return [
        [
            picture.file, str(crop.number), *(str(round(value)) for value in crop.box),
            crop_name(picture.stem, crop.number), partition, outcome, detail,
        ]
        for crop in cropped.crops
    ]  # fmt: skip


def rows_without_picture(names: Sequence[str], pictures: Sequence[Picture]) -> list[Row]:
    """The rows for labels that belong to no picture, each name once, since a table may repeat a row.

    Args:
        names: of the pictures in the table of labels.
        pictures: all pictures.
    """
    used = {names[picture.row] for picture in pictures if picture.row is not None}
    return [other_row(name, NO_PICTURE) for name in dict.fromkeys(names) if name not in used]


def other_row(file: str, outcome: str, detail: str = "") -> Row:
    """The row for something without a crop: a picture, a folder that can't be opened, or labels.

    Args:
        file: the path, or the picture's name in the table of labels.
        outcome: one of this module's outcomes.
        detail: more about it, for people.
    """
    return [file, *[""] * (len(table.COLUMNS) + 1), outcome, detail]


def read_report(path: Path) -> Iterator[Entry]:
    """Read a report, finished or not.

    Args:
        path: file of the report.

    Yields:
        Its entries, in order.
    """
    with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        for row in csv.DictReader(file):
            yield Entry(row["crop"], row["partition"], row["outcome"])
