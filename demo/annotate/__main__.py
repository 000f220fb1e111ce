"""Annotate pictures with the attributes of every face: ``python -m demo.annotate FILE_OR_FOLDER... --out results.csv``.

The table has one row for each face: the file, the face's number in reading order, its box in pixels of the upright
picture, and 40 probabilities or, with ``--decisions``, 1, 0 or nothing (not sure) for each attribute. While it is
being written it is called ``results.csv.part``, so that only a complete table replaces an earlier results.csv. A
journal beside it records which pictures are done; if the run stops for any reason, the same command resumes there.
"""

import argparse
import os
import sys
from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NoReturn

from demo.annotate.options import argument_parser, find_problem
from demo.annotate.picture import annotate_picture
from demo.annotate.processes import annotate_in_processes
from demo.annotate.summary import Summary
from demo.annotate.why import WhyPictures
from demo.batch.files import PictureFiles
from demo.batch.inputs import folder_of
from demo.batch.journal import ResumeError
from demo.batch.outcome import Outcome
from demo.batch.partial_table import PartialTable
from demo.batch.progress import counted
from demo.batch.reach import Reach
from demo.batch.stops import STOPS, exit_with, explain_stop
from demo.batch.workers import worker_count
from demo.pipeline.analyse import Pipeline
from demo.pipeline.mediapipe.face_models import FaceModelError
from demo.pipeline.table import COLUMNS, is_parquet
from demo.terminal import printable
from slimnet import CheckpointError, Predictor
from slimnet.decisions import check_point


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: without the program's name; None for the program's own.

    Returns:
        The exit status: 0 if every picture was read, 1 if some were not, 130 if interrupted. Hidden files, system files
        and files not named like pictures do not count.

    Raises:
        SystemExit: with status 2, for bad usage.
    """
    parser = argument_parser()
    options = parser.parse_args(arguments)
    problem = find_problem(options)
    if problem:
        parser.error(problem)
    try:
        pipeline = Pipeline.load(options.weights, options.device)
        if options.decisions:
            check_point(pipeline.calibration, options.decisions)
    except (CheckpointError, FaceModelError) as error:
        parser.error(str(error))
    except ValueError as error:
        parser.error(f"--decisions {options.decisions}: {error}")
    if options.why is not None and options.why not in pipeline.attributes:
        parser.error(f"--why: there is no attribute {options.why}; choose one of {', '.join(pipeline.attributes)}")
    found = PictureFiles(options.inputs)
    out = Path(os.path.realpath(options.out))  # so that a link stays a link
    summary = Summary(failed=found.failed, not_tried=tuple(found.not_tried()))
    files = _wanted(found.files, options, summary)
    try:
        columns, decided = COLUMNS + pipeline.attributes, bool(options.decisions)
        with PartialTable(
            out, _settings(options, pipeline.weights), columns, files, options.restart, decided=decided
        ) as table:
            _annotate(pipeline, files, table, summary, options)
            table.finish()
    except ResumeError as error:
        parser.error(printable(str(error)))
    except STOPS as error:
        status = explain_stop(error, f"{out}.part", options.restart)
        if isinstance(error, KeyboardInterrupt):
            summary.report(sys.stderr)
        return status
    summary.report(sys.stderr)
    return 1 if summary.failed or found.unsupported else 0


def _annotate(
    pipeline: Pipeline[Predictor],
    files: Sequence[str],
    table: PartialTable,
    summary: Summary,
    options: argparse.Namespace,
) -> None:
    """Add the files that are not done yet to the table, and count all files in `summary`."""
    for entry in table.done:
        summary.add(entry)
    if table.done:
        print(f"Going on after {len(table.done)} of {len(files)} pictures that are done.", file=sys.stderr)
    reach = Reach(table.done)
    with closing(_outcomes(pipeline, files[len(table.done) :], options)) as outcomes:
        for outcome in counted(outcomes, "annotating", len(files), len(table.done)):
            reach.check(outcome)
            summary.add(table.add(outcome))


def _outcomes(
    pipeline: Pipeline[Predictor], files: Sequence[str], options: argparse.Namespace
) -> Generator[Outcome, None, None]:
    if options.ray is not None:
        from demo.annotate.cluster import annotate_on_ray

        return annotate_on_ray(
            files,
            options.weights,
            pipeline.weights,
            options.device,
            options.ray or None,
            options.workers,
            options.decisions,
        )
    workers = options.workers or worker_count(len(files))
    if workers > 1 and options.why is None:
        return annotate_in_processes(files, options.weights, pipeline.predictor, workers, options.decisions)
    why = _why_pictures(options, pipeline.predictor)
    return (annotate_picture(pipeline, file, options.decisions, why) for file in files)


def _why_pictures(options: argparse.Namespace, predictor: Predictor) -> WhyPictures | None:
    """Make the writer of the pictures for --why, in a folder beside the table.

    Raises:
        OSError: the folder cannot be created.
    """
    if options.why is None:
        return None
    folder = _why_folder(options)
    folder.mkdir(exist_ok=True)
    return WhyPictures(folder, options.why, predictor)


def _why_folder(options: argparse.Namespace) -> Path:
    """The folder for the pictures of --why, whether there is one or not."""
    out = Path(os.path.realpath(options.out))
    return out.with_name(f"{out.stem}-why")


def _settings(options: argparse.Namespace, weights: str) -> dict[str, str]:
    """What the results depend on; the keys are names for people.

    Args:
        options: of the command.
        weights: SHA-256 of the weights' file.
    """
    chosen = {"weights": weights, "decisions": options.decisions, "why": options.why, **folder_of(options.inputs)}
    return {name: value for name, value in chosen.items() if value is not None}


def _wanted(found: Sequence[str], options: argparse.Namespace, summary: Summary) -> list[str]:
    """The files to annotate: not the pictures of --why, by this run or an earlier one, nor what Parquet cannot name."""
    drawn = _why_folder(options)
    files = [file for file in found if drawn not in Path(os.path.realpath(file)).parents] if drawn.exists() else found
    return _named_in_utf8(files, summary) if is_parquet(Path(os.path.realpath(options.out))) else list(files)


def _named_in_utf8(files: Sequence[str], summary: Summary) -> list[str]:
    named = [file for file in files if os.fsencode(file) == file.encode("utf-8", "replace")]
    for file in sorted({*files}.difference(named)):
        summary.failed.append(f"{file}: its name is not UTF-8, as Parquet needs it; rename it, or write a CSV file")
    return named


def run() -> NoReturn:
    """Run the command as a program."""
    exit_with(main)


if __name__ == "__main__":
    run()
