"""Write what teachers say about a run's pictures: `python -m training.ask_teachers --teachers A B --out T.csv`.

The table has the same form as demo.annotate's, so `training.train --teachers T.csv` takes it in place of the teachers.
Its columns are all that the teachers know, whether the folders label it or not. It covers training and validation
pictures; a line says how good the teachers' mean is on each validation split, if any.

Teachers may be such tables themselves, so that the command also joins tables: `A.csv=0.6 B.csv=0.4` takes a weighted
mean where both answer. `--leave_out FOLDER=NAME,NAME` leaves cells empty where the teachers are no good.
"""

import argparse
import csv
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from slimnet import CheckpointError, choose_device, transform
from slimnet.files.atomic import replacement
from training.data.cache import JoinedPictures, LabelledPictures, decoded_together, place
from training.data.celeba import DataError, Split
from training.data.columns import listed
from training.data.folders import RunSplits, different_folders, join, read_folders
from training.data.teacher_table import is_table
from training.fit.arguments import Range, add_device, given
from training.fit.distillation import check_teachers, known_attributes, opinion_of
from training.fit.runtime.distributed import Process
from training.fit.validation import judge
from training.measure import metrics
from training.measure.predictions import raw_logits
from training.report.tables import percent

_DECODING_THREADS = 2
_WEIGHTS = Range(0, 1_000, over=True)


def weighted(text: str) -> tuple[str, float]:
    """Read a teacher as --teachers takes it: FILE or FILE=WEIGHT.

    An existing file may have a = in its name.

    Args:
        text: The word of the command line.

    Returns:
        The file, and its weight in the mean; 1 unless given.

    Raises:
        DataError: There is no such file, and what follows the last = is not a weight, or nothing stands before it.
    """
    name, equals, number = text.rpartition("=")
    if not equals or Path(text).is_file():
        return text, 1.0
    try:
        weight = float(number)
        if weight not in _WEIGHTS:
            raise ValueError
    except ValueError:
        raise DataError(
            f"--teachers {text}: there is no such file, and as FILE=WEIGHT it takes a number {_WEIGHTS}, how much the "
            "teacher counts in the mean"
        ) from None
    if not name.strip():  # such as from a shell variable that is not set
        raise DataError(f"--teachers {text}: there is no file before the =")
    return name, weight


def left_out(words: Sequence[str], data_dirs: Sequence[str], attributes: Sequence[str]) -> dict[Path, list[int]]:
    """Read what the table leaves empty, as --leave_out takes it.

    Args:
        words: Each FOLDER=NAME,NAME.
        data_dirs: The folders, as --data_dir takes them.
        attributes: The table's columns.

    Returns:
        For each folder, by its path as --data_dir has it, the numbers of the columns left empty for its pictures.

    Raises:
        DataError: A word can't be understood, or names a folder or an attribute that is not there.
    """
    folders = [folder.path for folder in different_folders(data_dirs)]
    found: dict[Path, list[int]] = {folder: [] for folder in folders}
    for word in words:
        name, equals, columns = word.rpartition("=")
        if not (equals and name.strip() and columns.strip()):
            raise DataError(
                f"--leave_out {word}: it takes FOLDER=NAME,NAME, a folder of --data_dir and the attributes to leave "
                "empty for its pictures"
            )
        folder = next((folder for folder in folders if folder.resolve() == Path(name).resolve()), None)
        if folder is None:
            there = ", ".join(map(str, folders))
            raise DataError(f"--leave_out {word}: --data_dir does not have the folder {name}, but {there}")
        names = [column.strip() for column in columns.split(",")]
        unknown = [column for column in names if column not in attributes]
        if unknown:
            raise DataError(
                f"--leave_out {word}: the table has no column {', '.join(unknown)}; it has {listed(attributes)}"
            )
        found[folder] += [attributes.index(column) for column in names]
    return found


def ask(
    teachers: Sequence[tuple[str, float]], splits: RunSplits, cache_dir: str, device: str | None
) -> list[np.ndarray]:
    """Ask teachers about all pictures.

    Args:
        teachers: Files of weights, and tables of probabilities, each with its weight in the mean.
        splits: The pictures of each folder.
        cache_dir: Folder for decoded pictures.
        device: As for slimnet.choose_device.

    Returns:
        The result of training.fit.distillation.opinion_of for each training split, then for each validation split.

    Raises:
        CheckpointError: A teacher cannot be read, or knows none of the attributes.
        DataError: Pictures are damaged, or a table of probabilities cannot be used.
    """
    asked = [*splits.train, *splits.valid.values()]
    files, weights = zip(*teachers, strict=True)
    if all(map(is_table, files)):  # nobody looks at the pictures
        parts = [place(split, cache_dir, transform) for split in asked]
    else:
        parts = decoded_together(asked, cache_dir, transform, _DECODING_THREADS)
    # All at once, since it takes the pictures of all folders to tell a table's rows apart.
    joined, others = _all_pictures(splits)
    pictures = LabelledPictures(JoinedPictures(tuple(parts)), joined)
    found = opinion_of(files, pictures, Process(0, 1, choose_device(device)), weights, others)
    return np.split(found, np.cumsum([len(split) for split in asked])[:-1])


def _all_pictures(splits: RunSplits) -> tuple[Split, list[Path]]:
    """All pictures to ask about, and the others that a table may describe."""
    joined = join([*splits.train, *splits.valid.values()])
    inside = set(joined.paths)
    return joined, [path for path in splits.others if path not in inside]


def leave_empty(columns: dict[Path, list[int]], split: Split, probabilities: np.ndarray) -> None:
    """Make nan what the table leaves empty of a split.

    Args:
        columns: The result of left_out.
        split: Pictures of one of its folders.
        probabilities: (N, attributes), changed.
    """
    # A folder may lie in another one: the inner one is the pictures' own.
    around = [folder for folder in columns if split.paths[0].is_relative_to(folder)]
    probabilities[:, columns[max(around, key=lambda folder: len(folder.parts))]] = np.nan


def write(path: str | Path, splits: Sequence[Split], probabilities: Sequence[np.ndarray]) -> None:
    """Write a table of probabilities, a row for each picture.

    Args:
        path: The file to write, .csv.
        splits: Pictures with the same attributes.
        probabilities: For each split, (N, attributes); nan leaves an empty cell.

    Raises:
        OSError: The file cannot be written.
    """
    with replacement(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["file", *splits[0].attributes])
        for split, found in zip(splits, probabilities, strict=True):
            for picture, row in zip(split.paths, found, strict=True):
                table.writerow([picture.as_posix(), *("" if np.isnan(value) else f"{value:.6f}" for value in row)])


def describe(name: str, split: Split, probabilities: np.ndarray) -> str:
    """Describe in one line how good probabilities are on a validation split.

    Args:
        name: The split's name.
        split: The labels.
        probabilities: (N, attributes); nan is not counted.
    """
    answered = ~np.isnan(probabilities)
    judged = split.known & answered
    if not judged.any():
        return f"{name}: the teachers answer nothing of its {len(split):,} validation pictures that its labels know"
    found = judge(raw_logits(np.where(answered, probabilities, 0.5), None), replace(split, known=judged))
    accuracy, balanced = (percent(found.mean(figure)) for figure in ("accuracy", "balanced_accuracy"))
    return (
        f"{name}, {judged.any(axis=1).sum():,} of {len(split):,} validation pictures: accuracy {accuracy} %, balanced "
        f"accuracy {balanced} %, log loss {metrics.mean(found.loss):.4f}"
    )


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m training.ask_teachers", description="Write a table of what teachers say of pictures."
    )
    parser.add_argument(
        "--teachers", type=given, nargs="+", required=True, metavar="FILE[=WEIGHT]",
        help="weights and tables, as training.train takes them; WEIGHT: how much the teacher counts in the mean (else "
        "1) where others answer, too",
    )  # fmt: skip
    parser.add_argument(
        "--data_dir", type=given, nargs="+", default=["data"], help="as training.train takes them (default: data)"
    )
    parser.add_argument(
        "--attributes", type=given, nargs="+", default=[], metavar="NAME",
        help="columns to write, in this order, instead of all that the teachers know; training.train is taught nothing "
        "of the others",
    )  # fmt: skip
    parser.add_argument(
        "--leave_out", type=given, nargs="+", default=[], metavar="FOLDER=NAME,NAME",
        help="attributes to leave empty for the pictures of a folder of --data_dir, such as one for whose people the "
        "teachers are no good; there, its labels alone teach them",
    )  # fmt: skip
    parser.add_argument("--out", type=given, required=True, help="the table to write, .csv")
    parser.add_argument(
        "--cache_dir", type=given, default="cache", help="where decoded pictures are kept (default: %(default)s)"
    )
    add_device(parser)
    options = parser.parse_args(arguments)
    if Path(options.out).suffix.lower() != ".csv":
        parser.error(f"--out must end in .csv, got {options.out}")
    repeated = sorted({name for name in options.attributes if options.attributes.count(name) > 1})
    if repeated:
        parser.error(f"--attributes names {', '.join(repeated)} more than once")
    return options


def _columns(asked: Sequence[str], teachers: Sequence[str]) -> tuple[str, ...]:
    """Return the table's columns: those asked for, or else all that the teachers know.

    Raises:
        CheckpointError: A file of weights cannot be read.
        DataError: A table cannot be read, or no teacher knows an attribute that is asked for.
    """
    known = known_attributes(teachers)
    unknown = [name for name in asked if name not in known]
    if unknown:
        raise DataError(f"--attributes: no teacher knows {listed(unknown)}; they know {listed(known)}")
    return tuple(asked) or known


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: Without the program's name; None for the program's own.

    Returns:
        The exit status: 0, or 1 if something went wrong.
    """
    options = _parse(arguments)
    try:
        Path(options.out).parent.mkdir(parents=True, exist_ok=True)  # fail before the work, not after it
        teachers = [weighted(word) for word in options.teachers]
        columns = _columns(options.attributes, [file for file, _ in teachers])
        splits = read_folders(options.data_dir, columns, validated=False)
        asked = [*splits.train, *splits.valid.values()]
        empty = left_out(options.leave_out, options.data_dir, asked[0].attributes)
        for line in (
            *splits.notes,
            *check_teachers([file for file, _ in teachers], *_all_pictures(splits)).lines,
        ):
            print(line, file=sys.stderr)
        found = ask(teachers, splits, options.cache_dir, options.device)
        for split, probabilities in zip(asked, found, strict=True):
            leave_empty(empty, split, probabilities)
        write(options.out, asked, found)
    except (CheckpointError, DataError, OSError, ValueError) as error:
        print(f"training.ask_teachers: {error}", file=sys.stderr)
        return 1
    for (name, split), probabilities in zip(splits.valid.items(), found[len(splits.train) :], strict=True):
        print(describe(name, split, probabilities))
    return 0


if __name__ == "__main__":
    sys.exit(main())
