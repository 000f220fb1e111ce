"""Annotate pictures with the attributes of every face: ``python -m demo.annotate FILE_OR_FOLDER... --out results.csv``.

The table has one row for each face: the file, the face's number from left to right, its box in pixels of the upright
picture, and 40 probabilities. While it is written it is called ``results.csv.part``, so that an earlier results.csv is
replaced by a complete one only; beside it a journal holds which pictures are done, and the same command goes on there
after a stop of any kind.
"""

import argparse
import hashlib
import os
import sys
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TextIO
from unicodedata import category

from tqdm import tqdm

from demo.annotate.files import PictureFiles
from demo.annotate.journal import Entry, PartialTable, ResumeError
from demo.annotate.picture import Outcome, annotate_in_processes, annotate_picture, worker_count
from demo.annotate.processes import WorkerError
from demo.paths import WEIGHTS
from demo.pipeline.analyse import Pipeline
from demo.pipeline.detect import FaceModelError
from demo.pipeline.table import COLUMNS, is_parquet
from slimnet import CheckpointError


@dataclass
class Summary:
    """What a run did; `failed` says of each file or folder that could not be read why, `account` what was not tried."""

    pictures: int = 0
    faces: int = 0
    without_face: int = 0
    failed: list[str] = field(default_factory=list)
    account: Sequence[str] = ()

    def add(self, entry: Entry) -> None:
        if entry.failure:
            self.failed.append(entry.failure)
            return
        self.pictures += 1
        self.faces += entry.faces
        self.without_face += not entry.faces

    def report(self, file: TextIO) -> None:
        text = f"Faces: {self.faces}. Pictures: {self.pictures}, of these without a face: {self.without_face}."
        print(text + (f" Could not be read: {len(self.failed)}." if self.failed else ""), file=file)
        for line in (*(f"  {reason}" for reason in self.failed), *self.account):
            print(_printable(line), file=file)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 if every picture was read, 1 if some were not, 2 for bad usage, 130 when interrupted.

    What is passed over as hidden or the system's, and what is no picture by its name, does not count.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    problem = _problem(options.inputs, options.out) or _missing_package(options.out, options.ray is not None)
    if problem:
        parser.error(problem)
    try:
        pipeline = Pipeline(options.weights, options.device)
    except (CheckpointError, FaceModelError) as error:
        parser.error(str(error))
    found = PictureFiles(options.inputs)
    files = found.files
    summary = Summary(failed=found.failed, account=tuple(found.account()))
    out = Path(os.path.realpath(options.out))  # a link stays a link
    if is_parquet(out):
        files = _named_in_utf8(files, summary)
    settings = {"weights": hashlib.sha256(options.weights.read_bytes()).hexdigest()}
    try:
        with PartialTable(out, settings, COLUMNS + pipeline.attributes, files, options.restart) as table:
            annotate(pipeline, files, table, summary, options)
            table.finish()
    except ResumeError as error:
        parser.error(_printable(str(error)))
    except KeyboardInterrupt:
        print(f"Interrupted; the results up to here are in {out}.part. The same command goes on.", file=sys.stderr)
        summary.report(sys.stderr)
        return 130
    except WorkerError as error:
        print(f"Stopped: {error}. The same command goes on, best with fewer --workers.", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{out}.part cannot be written: {error.strerror}. The same command goes on from there.", file=sys.stderr)
        return 1
    summary.report(sys.stderr)
    return 1 if summary.failed or found.unsupported else 0


def annotate(
    pipeline: Pipeline, files: Sequence[str], table: PartialTable, summary: Summary, options: argparse.Namespace
) -> None:
    """Add all files that are not done to the table, and count all in `summary`."""
    for entry in table.done:
        summary.add(entry)
    if table.done:
        print(f"Going on after {len(table.done)} of {len(files)} pictures that are done.", file=sys.stderr)
    with closing(_outcomes(pipeline, files[len(table.done) :], options)) as outcomes:
        progress = tqdm(outcomes, "annotating", len(files), initial=len(table.done), unit="picture")
        for outcome in progress:
            summary.add(table.add(outcome))


def _outcomes(pipeline: Pipeline, files: Sequence[str], options: argparse.Namespace) -> Generator[Outcome, None, None]:
    if options.ray is not None:
        from demo.annotate.cluster import annotate_on_ray

        return annotate_on_ray(files, options.weights, options.device, options.ray or None, options.workers)
    workers = options.workers or worker_count(len(files))
    if workers > 1:
        return annotate_in_processes(files, options.weights, options.device, workers)
    return (annotate_picture(pipeline, file) for file in files)


def _named_in_utf8(files: Sequence[str], summary: Summary) -> list[str]:
    named = [file for file in files if os.fsencode(file) == file.encode("utf-8", "replace")]
    for file in sorted({*files}.difference(named)):
        summary.failed.append(f"{file}: its name is not UTF-8, as Parquet needs it; rename it, or write a CSV file")
    return named


def _printable(text: str) -> str:
    """The text in one line: names of files may hold line feeds, what a terminal obeys, or bytes that are not UTF-8."""
    return "".join(c if c.isprintable() or category(c) == "Zs" else ascii(c)[1:-1] for c in text)  # Zs: spaces


def _missing_package(out: str, on_ray: bool) -> str | None:
    """What has to be installed for these options, as a sentence."""
    if is_parquet(Path(os.path.realpath(out))) and find_spec("pyarrow") is None:
        return (
            f"--out {out}: Parquet needs pyarrow. Run pip install 'pyarrow>=20,<27', or name a file that ends in .csv"
        )
    if on_ray and (find_spec("ray") is None or find_spec("pyarrow") is None):
        return "--ray needs Ray Data. Run pip install 'ray[data]>=2.60,<2.64'"
    return None


def _problem(inputs: Sequence[str], out: str) -> str | None:
    """Why these inputs and this output cannot work, found before any work is done."""
    target = Path(os.path.realpath(out))
    if target.exists() and not target.is_file():
        return f"--out {out} is not a file"
    present = [name for name in inputs if _exists(Path(name))]
    if not present:  # one among others is reported at the end instead, and the others are annotated
        name = inputs[0]
        return f"{name} is a link to nothing" if Path(name).is_symlink() else f"there is no file or folder {name}"
    if target.exists() and any(target.samefile(name) for name in present):
        return f"--out {out} would overwrite an input"
    if not target.parent.is_dir():
        return f"--out {out}: there is no folder {target.parent}"
    if not os.access(target.parent, os.W_OK) or (target.exists() and not os.access(target, os.W_OK)):
        return f"--out {out} cannot be written"
    return None


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # the name is longer than any file's
        return False


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m demo.annotate",
        description="Find every face in pictures and write its 40 attributes as CSV or Parquet. A run that was stopped "
        "or killed goes on when the same command is given again: RESULTS.part and RESULTS.journal hold what is done.",
    )
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="FILE_OR_FOLDER",
        help="pictures, or folders to search for them, in which hidden files and the system's are passed over",
    )
    parser.add_argument(
        "--out",
        required=True,
        metavar="RESULTS",
        help="table to write, CSV or, where it ends in .parquet, Parquet; an old one is replaced when all is done",
    )
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="SlimNet's weights (default: %(default)s)")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    parser.add_argument(
        "--workers",
        type=positive,
        metavar="N",
        help="processes that open pictures and find faces, up to 1 GB each for 48 million pixels "
        "(default: one for each core, fewer for few pictures; 1 starts no further process)",
    )
    parser.add_argument("--restart", action="store_true", help="drop what a stopped run has done, and begin anew")
    parser.add_argument(
        "--ray",
        nargs="?",
        const="",
        metavar="ADDRESS",
        help="run on Ray Data: on the cluster at this address, or a local one; to be given last "
        "(needs: pip install 'ray[data]>=2.60,<2.64'; pictures, weights and this folder at the same paths everywhere)",
    )
    return parser


def positive(text: str) -> int:
    """A whole number from 1 on, for argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 1 on")
    return int(text)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:  # before the first picture
        sys.exit(130)
