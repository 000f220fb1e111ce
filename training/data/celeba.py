"""CelebA on disk: labels and splits joined by image name, and pictures decoded in a split's order."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from slimnet import Preprocessing
from slimnet.files.text_table import is_unknown
from training.data.columns import places
from training.data.counting import counted
from training.data.decoding import load_all
from training.data.tables import DataError, Table, read_table

SPLITS = {"train": 0, "valid": 1, "test": 2}
_PARTITIONS = {"0": 0, "1": 1, "2": 2, "train": 0, "valid": 1, "val": 1, "validation": 1, "test": 2}
_BATCH = 256  # pictures decoded at a time
_UNKNOWN, _WRONG = -1, -2  # besides 1 and 0 in a row of labels
_LABELS = {"1": 1, "-1": 0, "0": 0}
_LABELS |= {f"{text}.0": value for text, value in _LABELS.items()}  # how pandas writes a column with gaps


@dataclass(frozen=True)
class Split:
    """The pictures of one split.

    Args:
        paths: Picture files.
        labels: bool (N, attributes), False if unknown.
        attributes: Names of the label columns.
        identities: (N,), the person in each picture, by arbitrary numbers.
        known: bool (N, attributes), which labels are known; all unless given.
    """

    paths: tuple[Path, ...]
    labels: np.ndarray
    attributes: tuple[str, ...]
    identities: np.ndarray
    known: np.ndarray = None  # type: ignore[assignment]  # which only callers may leave out

    def __post_init__(self) -> None:
        if self.known is None:
            object.__setattr__(self, "known", np.ones(self.labels.shape, bool))

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def targets(self) -> np.ndarray:
        """The labels as float32 (N, attributes): 1, 0, and nan if unknown."""
        return np.where(self.known, self.labels, np.float32(np.nan))

    def fingerprint(self) -> str:
        """Return a SHA-256, in hexadecimal, of the pictures' names and the labels; independent of the folder."""
        content = repr(([path.name for path in self.paths], self.attributes)).encode() + self.labels.tobytes()
        if not self.known.all():
            content += self.known.tobytes()
        return hashlib.sha256(content).hexdigest()

    def only(self, chosen: np.ndarray) -> "Split":
        """Return the chosen pictures as a split, in the given order.

        Args:
            chosen: Indices of pictures, integer (n,).
        """
        paths = tuple(self.paths[n] for n in chosen.tolist())
        return Split(paths, self.labels[chosen], self.attributes, self.identities[chosen], self.known[chosen])

    def with_attributes(self, attributes: Sequence[str]) -> "Split":
        """Return the split with other columns, matched by name; a new column is unknown for every picture.

        Args:
            attributes: Names of the columns.
        """
        labels, known = np.zeros((2, len(self), len(attributes)), bool)
        for here, there in places(attributes, self.attributes):
            labels[:, here], known[:, here] = self.labels[:, there], self.known[:, there]
        return Split(self.paths, labels, tuple(attributes), self.identities, known)

    def never_known(self) -> tuple[str, ...]:
        """Return the attributes for which no picture has a label."""
        return tuple(name for n, name in enumerate(self.attributes) if not self.known[:, n].any())


def read_celeba(data_dir: str | Path, *, labelled: bool = True, wanted: Sequence[str] = ()) -> dict[str, Split]:
    """Read CelebA's labels and splits.

    Takes Kaggle's layout (.csv), the official one (.txt, also in its folders Anno, Eval and Img) and torchvision's
    (.txt, also in its folder celeba). Without the table of identities, every picture counts as a different
    person. A label 0 means absent, except in a table that has -1 for absent in any column of labels, wanted or not,
    such as MAAD-Face's: there 0 means unknown. A label that is empty, NA, nan or "unknown" is unknown in any table.

    Args:
        data_dir: Folder that holds the tables and img_align_celeba/.
        labelled: Whether there must be labels; otherwise their table may be missing or hold only picture names.
        wanted: Attributes to read. Other columns that hold something other than labels, such as an age, are left out.
            Without any names, every column must hold labels.

    Returns:
        The splits by name, as in SPLITS; without attributes if there are no labels.

    Raises:
        DataError: Files are missing, rows have no picture, partitions are unknown, labels are not 1, -1 or 0, or names
            are in one table only; the message lists every fault. With such faults, damaged pictures are listed, too;
            without any, damage is found when the pictures are decoded.
    """
    folder = Path(data_dir)
    table = _read_labels(folder, labelled)
    partitions = _read_partitions(folder)
    table = table or Table(folder, (), {name: [] for name in partitions})
    ragged = [n for n, row in table.rows.items() if len(row) != len(table.columns)]
    table = _without_other_columns(table, wanted) if wanted else table
    attributes, labels = table.columns, _label_values(table)
    people = _read_identities(folder)
    images = _image_folder(folder)
    with os.scandir(images) as entries:
        present = {entry.name for entry in entries if entry.is_file()}
    faults = {
        "rows without a picture": [n for n in labels if n not in present],
        "images without a partition": [n for n in labels if n not in partitions],
        "images without labels": [n for n in partitions if n not in labels],
        "partitions other than 0, 1 and 2": [n for n, number in partitions.items() if number < 0],
        "rows with another number of labels": ragged,
        **_wrong_labels(attributes, labels, wanted),
    }
    if any(faults.values()):
        faults["damaged pictures"] = _damaged([images / n for n in labels if n in present])
    _check(faults, folder)
    splits = {}
    for split, number in SPLITS.items():
        names = [name for name in labels if partitions[name] == number]
        values = np.array([labels[name] for name in names], np.int8).reshape(len(names), len(attributes))
        splits[split] = Split(
            tuple(images / name for name in names), values == 1, attributes,
            np.unique([people.get(name, name) for name in names], return_inverse=True)[1],
            values != _UNKNOWN,
        )  # fmt: skip
    return splits


def _read_labels(folder: Path, labelled: bool) -> Table | None:
    """Read the table of labels; None if it is missing and may be.

    Raises:
        DataError: It is required but missing, or its columns have no names.
    """
    if not labelled and _located(folder, "list_attr_celeba") is None:
        return None
    table = read_table(_find(folder, "list_attr_celeba"))
    if not any(table.columns) and (labelled or table.columns):
        raise DataError(
            f"{table.path} does not name its columns: the first line must be image_id,Attribute,Attribute,…"
        )
    return table


def _read_partitions(folder: Path) -> dict[str, int]:
    """Read the number of each picture's split, as in SPLITS; -1 for another."""
    parts = read_table(_find(folder, "list_eval_partition")).column("partition", "split")
    return {name: _PARTITIONS.get(value.lower().removesuffix(".0"), -1) for name, value in parts.items()}


def _without_other_columns(table: Table, wanted: Sequence[str]) -> Table:
    """Leave out columns that are not wanted and hold something other than labels."""

    def holds_labels(column: int) -> bool:
        cells = {row[column] for row in table.rows.values() if column < len(row)}
        return all(cell in _LABELS or is_unknown(cell) for cell in cells)

    kept = [n for n, name in enumerate(table.columns) if name in wanted or holds_labels(n)]
    rows = {name: [row[n] for n in kept if n < len(row)] for name, row in table.rows.items()}
    return Table(table.path, tuple(table.columns[n] for n in kept), rows)


def _label_values(table: Table) -> dict[str, list[int]]:
    """Return 1 for present, 0 for absent, _UNKNOWN or _WRONG for every label, by image name.

    Whether 0 means unknown, all columns of labels decide, so that a table means the same whichever of them are wanted.
    """
    values = _LABELS
    if any(cell in ("-1", "-1.0") for row in table.rows.values() for cell in row):
        values = {**_LABELS, "0": _UNKNOWN, "0.0": _UNKNOWN}

    def value(cell: str) -> int:
        known = values.get(cell, _WRONG)
        return _UNKNOWN if known == _WRONG and is_unknown(cell) else known

    return {name: [value(cell) for cell in row] for name, row in table.rows.items()}


def _wrong_labels(
    attributes: Sequence[str], labels: dict[str, list[int]], wanted: Sequence[str]
) -> dict[str, list[str]]:
    """Return the label faults: columns that hold no labels, and images with a wrong label in another column."""
    wrong = {name: row for name, row in labels.items() if _WRONG in row and len(row) == len(attributes)}
    counts = np.sum([[value == _WRONG for value in row] for row in wrong.values()], axis=0) if wrong else 0
    foreign = np.broadcast_to(2 * counts > len(labels), len(attributes))
    way_out = "" if wanted else " (training.train --attributes names those that are, and leaves others out)"
    return {
        f"columns that are no labels{way_out}": [
            name for name, is_so in zip(attributes, foreign, strict=True) if is_so
        ],
        "labels other than 1, -1 and 0": [
            name for name, row in wrong.items()
            if any(value == _WRONG and not is_so for value, is_so in zip(row, foreign, strict=True))
        ],
    }  # fmt: skip


def unknown_labels(splits: dict[str, Split]) -> str:
    """Describe in one line how many labels are unknown, and which attributes have none.

    Args:
        splits: Splits by name.

    Returns:
        The line; empty if all labels are known.
    """
    counts = {name: int((~split.known).sum()) for name, split in splits.items()}
    if not any(counts.values()):
        return ""
    missing_labels = ", ".join(
        f"{count:,} of {splits[name].known.size:,} in {name}" for name, count in counts.items() if count
    )
    never = {name: split.never_known() for name, split in splits.items() if len(split)}
    gaps = "".join(f"; {name} knows none of {', '.join(missing)}" for name, missing in never.items() if missing)
    return f"unknown labels (empty, or 0 in a table with -1), which are not counted: {missing_labels}{gaps}"


def unknown_people(data_dir: str | Path) -> str:
    """Say in one line that a folder does not tell which pictures show the same person, and what follows.

    Args:
        data_dir: Folder as for read_celeba.

    Returns:
        The line; empty if the folder has a table of identities.
    """
    if _located(Path(data_dir), "identity_CelebA"):
        return ""
    return (
        "no identity_CelebA.txt, so every picture counts as another person: calibration's folds may share people, and "
        "intervals are too narrow"
    )


def _read_identities(folder: Path) -> dict[str, str]:
    """Read the person in each image, by image name; empty if there is no such table.

    Raises:
        DataError: A row does not hold one identity.
    """
    path = _located(folder, "identity_CelebA")
    if path is None:
        return {}
    people = read_table(path).column("identity")
    nobody = [name for name, who in people.items() if is_unknown(who) or len(who.split()) != 1]
    _check({f"rows of {path.name} without one identity": nobody}, folder)
    return people


def _located(folder: Path, stem: str) -> Path | None:
    for place in (folder, folder / "celeba", folder / "Anno", folder / "Eval"):
        for path in (place / f"{stem}.csv", place / f"{stem}.txt"):
            if path.is_file():
                return path
    return None


def _find(folder: Path, stem: str) -> Path:
    path = _located(folder, stem)
    if path:
        return path
    raise DataError(
        f"there is no {stem}.csv (Kaggle's layout) or {stem}.txt (the official one) in {folder}: "
        "point --data_dir at the folder that holds CelebA's tables and img_align_celeba/"
    )


def _image_folder(folder: Path) -> Path:
    places = [place / "img_align_celeba" for place in (folder, folder / "celeba", folder / "Img")]
    for outer in places:
        nested = outer / "img_align_celeba"  # how Kaggle's archive unpacks
        if outer.is_dir():
            return nested if nested.is_dir() else outer
    packed = next((path for path in (outer.with_suffix(".zip") for outer in places) if path.is_file()), None)
    raise DataError(f"there is no folder img_align_celeba in {folder}" + (f": unpack {packed} first" if packed else ""))


def _check(faults: dict[str, list[str]], folder: Path | str) -> None:
    """Raise a single DataError that counts each kind of fault and names the first images with it."""
    found = [
        f"{len(names)} {kind}: {', '.join(names[:5])}{', …' if len(names) > 5 else ''}"
        for kind, names in faults.items()
        if names
    ]
    if found:
        raise DataError(f"{folder} cannot be used as it is:\n  " + "\n  ".join(found))


def _damaged(paths: Sequence[Path]) -> list[str]:
    """Return the names of the pictures that cannot be decoded completely."""
    found = []
    with ThreadPoolExecutor() as pool, counted("looking for damaged pictures", len(paths)) as advance:
        for start in range(0, len(paths), _BATCH):
            batch = paths[start : start + _BATCH]
            found += [path.name for path, picture in zip(batch, load_all(batch, pool), strict=True) if picture is None]
            advance(len(batch))
    return found


def read_pictures(
    split: Split, preprocessing: Preprocessing, batch_size: int = _BATCH, workers: int = 2
) -> Iterator[np.ndarray]:
    """Decode a split in its order.

    After a bad picture it yields no more batches, but still checks the remaining pictures.

    Args:
        split: Pictures to decode.
        preprocessing: Gives the size that the pictures must have.
        batch_size: Pictures in a batch; the last batch may have fewer.
        workers: Threads that decode.

    Yields:
        uint8 RGB (n, height, width, 3).

    Raises:
        DataError: Pictures are damaged or of another size; raised after trying all of them.
    """
    bad: list[Path] = []
    shape = (preprocessing.height, preprocessing.width, 3)
    with ThreadPoolExecutor(workers) as pool:
        for start in range(0, len(split), batch_size):
            paths = split.paths[start : start + batch_size]
            pictures = load_all(paths, pool)
            good = [picture for picture in pictures if picture is not None and picture.shape == shape]
            if len(good) == len(pictures) and not bad:
                yield np.stack(good)
            bad += [
                path for path, picture in zip(paths, pictures, strict=True)
                if picture is None or picture.shape != shape
            ]  # fmt: skip
    if bad:
        kind = f"pictures that are damaged or not {preprocessing.width} wide and {preprocessing.height} high"
        folders = sorted({str(path.parent) for path in bad})
        names = [path.name if len(folders) == 1 else str(path) for path in bad]
        _check({kind: names}, " and ".join(folders))
