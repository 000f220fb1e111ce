"""A small data set in CelebA's layouts, drawn at random: each attribute brightens its own patch of the picture."""

import csv
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from demo.pictures.decode import open_picture
from demo.pipeline.align import align
from demo.pipeline.detect import FaceFinder
from slimnet import ATTRIBUTES as CELEBA
from tests.paths import PORTRAIT

ATTRIBUTES = ("First", "Second", "Third")
SIZES = {0: 16, 1: 6, 2: 6}  # pictures of each partition


def write(folder: Path, layout: str = "csv", nested: bool = False, sizes: dict[int, int] | None = None) -> Path:
    """Write pictures and tables in the layout "csv" (Kaggle's) or "txt" (the official one). Names are not in order."""
    rng = np.random.default_rng(0)
    partitions = np.repeat(list((sizes or SIZES).keys()), list((sizes or SIZES).values()))
    images = folder / "img_align_celeba" / ("img_align_celeba" if nested else "")
    images.mkdir(parents=True)
    names = [f"{number:06d}.jpg" for number in rng.permutation(len(partitions)) + 1]
    labels = rng.integers(0, 2, (len(names), len(ATTRIBUTES))) * 2 - 1
    for name, row in zip(names, labels, strict=True):
        picture = rng.integers(0, 80, (218, 178, 3), np.uint8)
        for place, value in enumerate(row):
            picture[60 * place : 60 * place + 50, 40:140] += np.uint8(150 if value > 0 else 0)
        cv2.imwrite(str(images / name), picture)
    write_tables(folder, layout, names, labels, partitions)
    return folder


def write_tables(folder: Path, layout: str, names: list[str], labels: np.ndarray, partitions: np.ndarray) -> None:
    rows = [[name, *map(str, row)] for name, row in zip(names, labels, strict=True)]
    shuffled = np.random.default_rng(1).permutation(len(names))  # tables are joined by name, not by position
    parts = [[names[n], str(partitions[n])] for n in shuffled]
    if layout == "csv":
        for stem, header, body in (
            ("list_attr_celeba", ["image_id", *ATTRIBUTES], rows),
            ("list_eval_partition", ["image_id", "partition"], parts),
        ):
            with (folder / f"{stem}.csv").open("w", newline="") as file:
                csv.writer(file).writerows([header, *body])
    else:
        lines = [str(len(rows)), " ".join(ATTRIBUTES), *("  ".join(row) for row in rows)]
        (folder / "list_attr_celeba.txt").write_text("\n".join(lines) + "\n")
        (folder / "list_eval_partition.txt").write_text("\n".join(" ".join(row) for row in parts) + "\n")


def write_portraits(folder: Path) -> None:
    """Write two validation pictures of a real face, with made-up labels, as Kaggle lays CelebA out."""
    frame = open_picture(PORTRAIT)
    (folder / "img_align_celeba").mkdir()
    crop = Image.fromarray(align(frame, FaceFinder().find_in_photo(frame)[0]))
    with (folder / "list_eval_partition.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("image_id", "partition"), ("a.jpg", 0), ("b.jpg", 1), ("c.jpg", 1)])
    names = ("b.jpg", "c.jpg")
    with (folder / "list_attr_celeba.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("image_id", *CELEBA), *[(name, *[1, -1] * 20) for name in names]])
    for name in names:
        crop.save(folder / "img_align_celeba" / name)


def with_columns(folder: Path, *names: str) -> Path:
    """Rename the label columns of the CSV table, and drop a column named "". Returns the folder."""
    table = folder / "list_attr_celeba.csv"
    kept = [0, *(n for n, name in enumerate(names, start=1) if name)]
    with table.open(newline="") as file:
        _, *rows = csv.reader(file)
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([[row[n] for n in kept] for row in [["image_id", *names], *rows]])
    return folder


def with_ages(folder: Path) -> Path:
    """Add a column Age to the CSV table, before the labels: years, or -1 if not known. Returns the folder."""
    table = folder / "list_attr_celeba.csv"
    head, *rows = (row.split(",", 1) for row in table.read_text().splitlines())
    aged = [[name, str(-1 if n % 3 == 0 else 20 + n), labels] for n, (name, labels) in enumerate(rows)]
    table.write_text("\n".join(",".join(row) for row in [[head[0], "Age", head[1]], *aged]) + "\n")
    return folder


def with_gaps(folder: Path, share: float = 0.3) -> Path:
    """Make some labels of the CSV table unknown: 0 beside 1 and -1, as in MAAD-Face. Returns the folder."""
    table = folder / "list_attr_celeba.csv"
    head, *rows = table.read_text().splitlines()
    rng = np.random.default_rng(2)
    changed = [
        ",".join([name, *("0" if rng.random() < share else value for value in values)])
        for name, *values in (row.split(",") for row in rows)
    ]
    table.write_text("\n".join([head, *changed]) + "\n")
    return folder
