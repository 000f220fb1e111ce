"""Write what teachers say about a run's pictures: `python -m training.ask_teachers --teachers A B --out T.csv`.

The table has the same form as demo.annotate's, so `training.train --teachers T.csv` takes it in place of the teachers.
It covers training and validation pictures; a line says how good the teachers' mean is on each validation split.
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
from training.data.cache import JoinedPictures, LabelledPictures, decoded
from training.data.celeba import DataError, Split
from training.data.folders import RunSplits, join, read_folders
from training.fit.arguments import given
from training.fit.distillation import check, opinion_of
from training.fit.runtime.distributed import Process
from training.fit.validation import judge
from training.measure import metrics
from training.measure.predictions import raw_logits
from training.report.tables import percent

_DECODING_THREADS = 2


def ask(teachers: Sequence[str], splits: RunSplits, cache_dir: str, device: str | None) -> list[np.ndarray]:
    """Ask teachers about all pictures.

    Args:
        teachers: Files of weights, and tables of probabilities.
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
    pictures = JoinedPictures(tuple(decoded(split, cache_dir, transform, _DECODING_THREADS) for split in asked))
    # All at once, since it takes the pictures of all folders to tell a table's rows apart.
    found = opinion_of(teachers, LabelledPictures(pictures, join(asked)), Process(0, 1, choose_device(device)))
    return np.split(found, np.cumsum([len(split) for split in asked])[:-1])


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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: Without the program's name; None for the program's own.

    Returns:
        The exit status: 0, or 1 if something went wrong.
    """
    parser = argparse.ArgumentParser(
        "python -m training.ask_teachers", description="Write a table of what teachers say of pictures."
    )
    parser.add_argument("--teachers", type=given, nargs="+", required=True, help="as training.train takes them")
    parser.add_argument("--data_dir", type=given, nargs="+", default=["data"], help="as training.train takes them")
    parser.add_argument(
        "--attributes", type=given, nargs="+", default=[], metavar="NAME",
        help="columns to write, in this order, instead of all; training.train is taught nothing of the others",
    )  # fmt: skip
    parser.add_argument("--out", type=given, required=True, help="the table to write, .csv")
    parser.add_argument("--cache_dir", type=given, default="cache", help="where decoded pictures are kept")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    options = parser.parse_args(arguments)
    if Path(options.out).suffix != ".csv":
        parser.error(f"--out must end in .csv, got {options.out}")
    repeated = sorted({name for name in options.attributes if options.attributes.count(name) > 1})
    if repeated:
        parser.error(f"--attributes names {', '.join(repeated)} more than once")
    try:
        Path(options.out).parent.mkdir(parents=True, exist_ok=True)  # fail before the work, not after it
        splits = read_folders(options.data_dir, options.attributes)
        for line in (*splits.notes, *check(options.teachers, splits.joined())[1]):
            print(line, file=sys.stderr)
        found = ask(options.teachers, splits, options.cache_dir, options.device)
        write(options.out, [*splits.train, *splits.valid.values()], found)
    except (CheckpointError, DataError, OSError, ValueError) as error:
        print(f"training.ask_teachers: {error}", file=sys.stderr)
        return 1
    for (name, split), probabilities in zip(splits.valid.items(), found[len(splits.train) :], strict=True):
        print(describe(name, split, probabilities))
    return 0


if __name__ == "__main__":
    sys.exit(main())
