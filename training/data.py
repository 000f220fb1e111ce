"""CelebA on disk: labels and splits joined by image name, pictures decoded once into a memory map."""

from __future__ import annotations

import csv
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from slimnet import Preprocessing

SPLITS = {"train": 0, "valid": 1, "test": 2}


class DataError(ValueError):
    """The data folder cannot be used as it is; the message names every kind of fault found and where."""


@dataclass(frozen=True)
class Split:
    """The pictures of one split. labels: bool (N, attributes); identities: (N,), whom each shows, in any numbers."""

    paths: tuple[Path, ...]
    labels: np.ndarray
    attributes: tuple[str, ...]
    identities: np.ndarray

    def __len__(self) -> int:
        return len(self.paths)

    def fingerprint(self) -> str:
        """Another one for other images, by name, or other labels; the same wherever the folder lies."""
        told = repr(([path.name for path in self.paths], self.attributes)).encode() + self.labels.tobytes()
        return hashlib.sha256(told).hexdigest()

    def only(self, chosen: np.ndarray) -> Split:
        """The pictures of these numbers, (n,), in their order."""
        paths = tuple(self.paths[n] for n in chosen.tolist())
        return Split(paths, self.labels[chosen], self.attributes, self.identities[chosen])


def read_celeba(data_dir: str | Path) -> dict[str, Split]:
    """Read CelebA's labels and splits; keys as in SPLITS.

    Takes Kaggle's layout (.csv), the official one (.txt, also in its folders Anno, Eval and Img) and torchvision's
    (.txt, also in its folder celeba). Without the table of identities every picture counts as another person's.

    Raises DataError, with all that is wrong, for missing files, rows without a picture, unknown partitions, labels
    other than 1, -1 and 0, and names that stand in one table alone. Damaged pictures are named beside such faults;
    where there are none, decoding names them.
    """
    folder = Path(data_dir)
    attributes, labels = read_table(find(folder, "list_attr_celeba"))
    _, partitions = read_table(find(folder, "list_eval_partition"))
    people = read_identities(folder)
    images = image_folder(folder)
    with os.scandir(images) as entries:
        present = {entry.name for entry in entries if entry.is_file()}
    faults = {
        "rows without a picture": [n for n in labels if n not in present],
        "images without a partition": [n for n in labels if n not in partitions],
        "images without labels": [n for n in partitions if n not in labels],
        "partitions other than 0, 1 and 2": [n for n, row in partitions.items() if row not in (["0"], ["1"], ["2"])],
        "rows with another number of labels": [n for n, row in labels.items() if len(row) != len(attributes)],
        "labels other than 1, -1 and 0": [n for n, row in labels.items() if not set(row) <= {"1", "-1", "0"}],
    }
    if any(faults.values()):
        faults["damaged pictures"] = damaged(images / n for n in labels if n in present)
    check(faults, folder)
    splits = {}
    for split, number in SPLITS.items():
        names = [name for name in labels if partitions[name] == [str(number)]]
        values = np.array([[value == "1" for value in labels[name]] for name in names], bool)
        splits[split] = Split(
            tuple(images / name for name in names), values.reshape(len(names), len(attributes)), attributes,
            np.unique([people.get(name, name) for name in names], return_inverse=True)[1],
        )  # fmt: skip
    return splits


def read_identities(folder: Path) -> dict[str, str]:
    """Whom each image shows; nothing where there is no such table. Raises DataError for rows without an identity."""
    path = located(folder, "identity_CelebA")
    if path is None:
        return {}
    _, rows = read_table(path)
    check({f"rows of {path.name} without one identity": [n for n, row in rows.items() if len(row) != 1]}, folder)
    return {name: row[0] for name, row in rows.items()}


def located(folder: Path, stem: str) -> Path | None:
    for place in (folder, folder / "celeba", folder / "Anno", folder / "Eval"):
        for path in (place / f"{stem}.csv", place / f"{stem}.txt"):
            if path.is_file():
                return path
    return None


def find(folder: Path, stem: str) -> Path:
    path = located(folder, stem)
    if path:
        return path
    raise DataError(
        f"there is no {stem}.csv (Kaggle's layout) or {stem}.txt (the official one) in {folder}: "
        "point --data_dir at the folder that holds CelebA's tables and img_align_celeba/"
    )


def image_folder(folder: Path) -> Path:
    for outer in (place / "img_align_celeba" for place in (folder, folder / "celeba", folder / "Img")):
        nested = outer / "img_align_celeba"  # Kaggle's archive unpacks so
        if outer.is_dir():
            return nested if nested.is_dir() else outer
    raise DataError(f"there is no folder img_align_celeba in {folder}")


def read_table(path: Path) -> tuple[tuple[str, ...], dict[str, list[str]]]:
    """The column names and, for every image name, its row of values, as text. Official tables separate by blanks,
    and the one of the labels begins with a line that holds the number of images.

    Raises DataError for a table that is no text, is empty or names an image or a column twice.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file)) if path.suffix == ".csv" else [line.split() for line in file]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is no table in text form: {error}") from error
    rows = [row for row in rows if row]
    if path.suffix == ".csv":
        header, body = tuple(name.strip() for name in rows[0][1:]) if rows else (), rows[1:]
    elif len(rows) > 1 and len(rows[0]) == 1 and rows[0][0].isdigit():
        header, body = tuple(rows[1]), rows[2:]
    else:
        header, body = (), rows
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise DataError(f"{path} has more than one column {', '.join(repeated)}")
    table = {row[0].strip(): [value.strip() for value in row[1:]] for row in body}
    if len(table) != len(body):
        raise DataError(f"{path} names {len(body) - len(table)} images more than once")
    if not table:
        raise DataError(f"{path} holds no rows")
    return header, table


def check(faults: dict[str, list[str]], folder: Path) -> None:
    """Raise one DataError that counts each kind of fault and names the first images that show it."""
    found = [
        f"{len(names)} {kind}: {', '.join(names[:5])}{', …' if len(names) > 5 else ''}"
        for kind, names in faults.items()
        if names
    ]
    if found:
        raise DataError(f"{folder} cannot be used as it is:\n  " + "\n  ".join(found))


def damaged(paths: Iterable[Path]) -> list[str]:
    """The names of the pictures that cannot be decoded."""
    paths = tuple(paths)
    with ThreadPoolExecutor() as pool:
        broken = pool.map(lambda path: load(path) is None, paths)
        progress = tqdm(broken, desc="looking for damaged pictures", total=len(paths), disable=None)
        return [path.name for path, is_broken in zip(paths, progress, strict=True) if is_broken]


def load(path: Path) -> np.ndarray | None:
    """The picture as uint8 RGB (height, width, 3), or None when it is damaged."""
    return cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR_RGB) if path.stat().st_size else None


def decode(path: Path, preprocessing: Preprocessing) -> np.ndarray | None:
    """As load; None as well when the picture has another size than the network's input."""
    picture = load(path)
    if picture is None or picture.shape != (preprocessing.height, preprocessing.width, 3):
        return None
    return picture


def read_pictures(
    split: Split, preprocessing: Preprocessing, batch_size: int = 256, workers: int = 2
) -> Iterator[np.ndarray]:
    """Decode a split in its order, in batches of uint8 RGB (N, height, width, 3).

    Raises DataError that names damaged pictures and those of another size, once all have been tried.
    """
    bad: list[str] = []
    with ThreadPoolExecutor(workers) as pool:
        for start in range(0, len(split), batch_size):
            paths = split.paths[start : start + batch_size]
            pictures = list(pool.map(lambda path: decode(path, preprocessing), paths))
            bad += [path.name for path, picture in zip(paths, pictures, strict=True) if picture is None]
            if not bad:
                yield np.stack([picture for picture in pictures if picture is not None])
    if bad:
        kind = f"pictures that are damaged or not {preprocessing.width} wide and {preprocessing.height} high"
        check({kind: bad}, split.paths[0].parent)


@dataclass(frozen=True)
class Pictures:
    """A split's pictures, decoded, in a file that is mapped into memory; cheap to hand to a worker process.

    path: of the raw bytes; shape: (N, height, width, 3).
    """

    path: Path
    shape: tuple[int, int, int, int]

    @cached_property
    def array(self) -> np.ndarray:
        """uint8 RGB, read-only, of the shape."""
        return np.memmap(self.path, np.uint8, "r", shape=self.shape)

    def __getstate__(self) -> dict[str, object]:
        return {"path": self.path, "shape": self.shape}  # a process that unpickles it opens its own map


def decoded(
    split: Split,
    cache_dir: str | Path,
    preprocessing: Preprocessing,
    workers: int,
) -> Pictures:
    """Decode a split into cache_dir, or find it there; the file's name depends on the pictures' paths, sizes and times.

    Raises DataError for damaged pictures, and when the folder has too little room.
    """
    cache = Path(cache_dir)
    cache.mkdir(parents=True, exist_ok=True)
    shape = (len(split), preprocessing.height, preprocessing.width, 3)
    files = [(str(path.resolve()), path.stat()) for path in split.paths]
    described = repr((shape, [(name, status.st_size, status.st_mtime_ns) for name, status in files]))
    target = cache / f"celeba-{hashlib.sha256(described.encode()).hexdigest()[:16]}.rgb"
    needed = int(np.prod(shape))
    if target.exists() and target.stat().st_size == needed:
        return Pictures(target, shape)
    if shutil.disk_usage(cache).free < needed:
        raise DataError(
            f"{cache} has {shutil.disk_usage(cache).free / 1e9:.1f} GB free, and the decoded pictures take "
            f"{needed / 1e9:.1f} GB: choose another --cache_dir"
        )
    handle, name = tempfile.mkstemp(dir=cache, suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file, tqdm(total=len(split), desc="decoding pictures", disable=None) as bar:
            for batch in read_pictures(split, preprocessing, workers=workers):
                file.write(batch.data)
                bar.update(len(batch))
        part.chmod(0o644)  # a temporary file is private; the cache may be shared
        part.replace(target)  # once it is closed: Windows renames no open file
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return Pictures(target, shape)
