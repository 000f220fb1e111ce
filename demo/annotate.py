"""Annotate pictures with the attributes of every face: ``python -m demo.annotate FILE_OR_FOLDER... --out results.csv``.

The CSV file has one row for each face: the file, the face's number from left to right, its box in pixels of the upright
picture, and 40 probabilities. While it is written it is called ``results.csv.part``, so that an earlier results.csv is
replaced by a complete one only, and an interrupted run leaves what it had done.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from tqdm import tqdm

from demo.faces import FaceModelError
from demo.pictures import SUFFIXES, PictureError, open_picture
from demo.pipeline import WEIGHTS, Pipeline
from demo.table import COLUMNS, face_rows, write_rows
from slimnet import CheckpointError


@dataclass
class Summary:
    """What a run did; `failed` says of each file or folder that could not be read why."""

    pictures: int = 0
    faces: int = 0
    without_face: int = 0
    failed: list[str] = field(default_factory=list)

    def report(self, file: TextIO) -> None:
        text = f"Faces: {self.faces}. Pictures: {self.pictures}, of these without a face: {self.without_face}."
        print(text + (f" Could not be read: {len(self.failed)}." if self.failed else ""), file=file)
        for reason in self.failed:
            print(f"  {reason}", file=file)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 if every file was read, 1 if some were not, 2 for bad usage, 130 when interrupted."""
    parser = _parser()
    options = parser.parse_args(arguments)
    problem = _problem(options.inputs, options.out)
    if problem:
        parser.error(problem)
    try:
        pipeline = Pipeline(options.weights, options.device)
    except (CheckpointError, FaceModelError) as error:
        parser.error(str(error))
    summary = Summary()
    files = sorted_pictures(options.inputs, summary)
    out = Path(os.path.realpath(options.out))  # a link stays a link
    part = out.with_name(out.name + ".part")
    try:
        with part.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
            annotate(pipeline, files, file, summary)
    except KeyboardInterrupt:
        print(f"Interrupted; the results up to here are in {part}.", file=sys.stderr)
        summary.report(sys.stderr)
        return 130
    except OSError as error:
        print(f"{part} cannot be written: {error.strerror}. What is in it stays there.", file=sys.stderr)
        return 1
    part.replace(out)
    summary.report(sys.stderr)
    return 1 if summary.failed else 0


def annotate(pipeline: Pipeline, files: Sequence[str], out: TextIO, summary: Summary) -> None:
    """Write header and rows of all files to `out`, and count them in `summary`."""
    write_rows(out, [COLUMNS + pipeline.attributes])
    for name in tqdm(files, "annotating", unit="picture"):
        try:
            rows = face_rows(pipeline.analyse(open_picture(name), thorough=True), name)
        except (PictureError, MemoryError, RuntimeError) as error:
            summary.failed.append(f"{name}: {str(error) or 'not enough memory'}")
            continue
        write_rows(out, rows)
        out.flush()
        summary.pictures += 1
        summary.faces += len(rows)
        summary.without_face += not rows


def sorted_pictures(inputs: Sequence[str], summary: Summary) -> list[str]:
    """The files to annotate, each once: those named, and those with a picture's suffix in the folders named."""
    files: dict[str, None] = {}
    for name in inputs:
        is_folder = _exists(Path(name)) and Path(name).is_dir()
        found = sorted(_walk(name, summary, set())) if is_folder else [name]
        files.update(dict.fromkeys(found))
    return list(files)


def _walk(folder: str, summary: Summary, above: set[str]) -> Iterator[str]:
    """Picture files in a folder and below, through links too, but never into a folder that it is already in."""
    real = os.path.realpath(folder)
    if real in above:
        return
    try:
        entries = list(os.scandir(folder))
    except OSError as error:
        summary.failed.append(f"{folder}: {error.strerror}")
        return
    for entry in entries:
        if Path(entry.path).is_dir():  # entry.is_dir() would raise at a link to itself
            yield from _walk(entry.path, summary, above | {real})
        elif Path(entry.name).suffix.lower() in SUFFIXES:
            yield entry.path


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
        prog="python -m demo.annotate", description="Find every face in pictures and write its 40 attributes as CSV."
    )
    parser.add_argument("inputs", nargs="+", metavar="FILE_OR_FOLDER", help="pictures, or folders to search for them")
    parser.add_argument("--out", required=True, help="CSV file to write; an old one is replaced when all is done")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="SlimNet's weights (default: %(default)s)")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:  # before the first picture
        sys.exit(130)
