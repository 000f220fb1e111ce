"""Write the tables of a data set in CelebA's form: labels, parts and people by the names of the crops."""

import csv
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from demo.dataset.labels import Labels
from demo.dataset.names import stem_of
from demo.dataset.plan import Picture
from demo.dataset.report import CROP, Entry, read_report
from slimnet.files.atomic import replacement

IMAGES = "img_align_celeba"
_LABELS, _PARTS, _PEOPLE = "list_attr_celeba.csv", "list_eval_partition.csv", "identity_CelebA.csv"
_GROUPS = "list_groups.csv"
TABLES = (_LABELS, _PARTS, _PEOPLE, _GROUPS)  # besides the report


def write_tables(out: Path, report: Path, pictures: Sequence[Picture], labels: Labels | None) -> None:
    """Write list_eval_partition.csv, and what is known about labels, people and their groups.

    The latter are list_attr_celeba.csv, identity_CelebA.csv and list_groups.csv.

    An unknown label is an empty cell, since 0 would mean absent in a table without -1.

    Args:
        out: the data set's folder.
        report: its report, complete.
        pictures: the pictures that the crops are named after.
        labels: the labels of their rows; without any, no table of labels is written, rather than an empty one.

    Raises:
        OSError: a table cannot be written.
    """
    with ExitStack() as stack:
        parts = _writer(stack, out / _PARTS, "partition")
        known = any(p.person and entry.outcome == CROP for entry, p in crops(report, pictures))
        people = _writer(stack, out / _PEOPLE, "identity") if known else None
        attributes = _writer(stack, out / _LABELS, *labels.attributes) if labels else None
        groups = _writer(stack, out / _GROUPS, *labels.groups) if labels and labels.groups else None
        for entry, picture in crops(report, pictures):
            parts.writerow([entry.crop, entry.partition])
            if people and picture.person and entry.outcome == CROP:
                people.writerow([entry.crop, picture.person])
            if attributes and labels:
                attributes.writerow([entry.crop, *("" if v == 0 else v for v in crop_labels(entry, picture, labels))])
            if groups and labels:
                groups.writerow([entry.crop, *_crop_groups(entry, picture, labels)])


def remove_dataset(out: Path) -> None:
    """Remove the crops and tables of a data set.

    Args:
        out: its folder, which stays, as does its report.

    Raises:
        OSError: something cannot be removed.
    """
    for name in TABLES:
        (out / name).unlink(missing_ok=True)
    if (out / IMAGES).exists():
        shutil.rmtree(out / IMAGES)


def crops(report: Path, pictures: Sequence[Picture]) -> Iterator[tuple[Entry, Picture]]:
    """Read the crops in a report.

    Args:
        report: the report, complete.
        pictures: the pictures that the crops are named after.

    Yields:
        Each crop's entry and its picture.
    """
    by_stem = {picture.stem: picture for picture in pictures}
    return ((entry, by_stem[stem_of(entry.crop)]) for entry in read_report(report) if entry.crop)


def crop_labels(entry: Entry, picture: Picture, labels: Labels) -> np.ndarray:
    """The labels of one crop.

    Args:
        entry: the crop in the report.
        picture: its picture.
        labels: the table of labels.

    Returns:
        int8 (attributes): 1 present, -1 absent, 0 unknown; all are unknown if the crop is one of several faces.
    """
    if picture.row is None or entry.outcome != CROP:
        return np.zeros(len(labels.attributes), np.int8)
    return labels.values[picture.row]


def _crop_groups(entry: Entry, picture: Picture, labels: Labels) -> list[str]:
    """What the table of labels says about the person in a crop; empty if the crop is one of several faces."""
    if picture.row is None or entry.outcome != CROP:
        return [""] * len(labels.groups)
    return [cells[picture.row] for cells in labels.groups.values()]


def _writer(stack: ExitStack, path: Path, *columns: str) -> Any:
    file = stack.enter_context(stack.enter_context(replacement(path)).open("w", newline="", encoding="utf-8"))
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["image_id", *columns])
    return writer
