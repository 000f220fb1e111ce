"""Make a data set for training: ``python -m demo.dataset FILE_OR_FOLDER... [--labels TABLE.csv] --out data/mine``.

The folder is in CelebA's form: aligned crops in img_align_celeba/, and tables of their labels (1, -1, or nothing if
unknown), parts (train, valid) and, if known, people. report.csv says what became of every picture, and which face each
crop shows. With --groups, such as ``--groups age race``, list_groups.csv describes the people for
``training.evaluate --outside``.

Labels in the pictures' names, such as UTKFace's [age]_[gender]_[race]_…, have to be written into a table first:
``(echo file,age,gender,race; ls UTKFace | awk -F_ 'BEGIN {split("White,Black,Asian,Indian", race, ",")}
{print $0","$1","$2","race[$3 + 1]}') > utkface.csv``; then
``--labels utkface.csv --attribute Male=gender:0 --attribute Young=age:0-35/50-116 --groups age race``.
(Its fifth race stands for all others, and stays empty.)
"""

import argparse
import hashlib
import os
import sys
from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NoReturn

from demo.batch.files import PictureFiles
from demo.batch.inputs import folder_of
from demo.batch.journal import ResumeError
from demo.batch.outcome import Outcome
from demo.batch.partial_table import PartialTable
from demo.batch.progress import counted
from demo.batch.reach import Reach
from demo.batch.stops import STOPS, exit_with, explain_stop
from demo.batch.workers import worker_count
from demo.dataset.labels import LabelError, Labels, read_labels
from demo.dataset.names import crop_name, stem_of
from demo.dataset.options import REPORT, argument_parser, find_problem
from demo.dataset.picture import Cropped, FaceChoice, crop_in_processes, crop_picture
from demo.dataset.plan import Picture, plan
from demo.dataset.report import COLUMNS, NOT_READ, crop_rows, other_row, read_report, rows_without_picture
from demo.dataset.summary import Summary, summarise
from demo.dataset.tables import IMAGES, remove_dataset, write_tables
from demo.pipeline.detect import FaceFinder
from demo.pipeline.mediapipe.face_models import FaceModelError
from demo.terminal import printable
from slimnet.files.atomic import replacement


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: without the program's name; None for the program's own.

    Returns:
        The exit status: 0 if every picture was read, 1 if some were not or there is no crop, 130 if interrupted.

    Raises:
        SystemExit: with status 2, for bad usage.
    """
    parser = argument_parser()
    options = parser.parse_args(arguments)
    problem = find_problem(options)
    if problem:
        parser.error(problem)
    try:
        finder = FaceFinder()
        labels = read_labels(options.labels, options.attribute, options.groups) if options.labels else None
    except (FaceModelError, LabelError) as error:
        parser.error("\n".join(map(printable, str(error).splitlines())))
    found = PictureFiles(options.inputs)
    pictures = plan(found.files, options.inputs, labels, options.folders_are_people)
    if labels and all(picture.row is None for picture in pictures):
        parser.error(_names_differ(options.labels, labels, found.files))
    out = Path(os.path.realpath(options.out))
    try:
        out.mkdir(parents=True, exist_ok=True)
        summary = _make(out, finder, pictures, _rest(found, pictures, labels, options.labels), labels, options)
    except ResumeError as error:
        parser.error(printable(str(error)))
    except STOPS as error:
        return explain_stop(error, str(out), options.restart)
    for line in (*summary.lines(out / REPORT), *found.failed, *found.not_tried()):
        print(printable(line), file=sys.stderr)
    return 1 if summary.outcomes[NOT_READ] or not summary.crops else 0


def _rest(found: PictureFiles, pictures: Sequence[Picture], labels: Labels | None, table: Path | None) -> list[Outcome]:
    """What the report lists after the pictures: folders and pictures that are not opened, and labels left over."""
    outcomes = [Outcome(path, [other_row(path, NOT_READ, why)]) for path, why in sorted(found.not_read.items())]
    unused = rows_without_picture(labels.pictures, pictures) if labels else []
    return outcomes + [Outcome(str(table), unused)] * bool(unused)


def _make(
    out: Path,
    finder: FaceFinder,
    pictures: Sequence[Picture],
    rest: Sequence[Outcome],
    labels: Labels | None,
    options: argparse.Namespace,
) -> Summary:
    """Crop the pictures that are not done yet, and write all tables; `rest` goes at the end of the report."""
    entries = [picture.file for picture in pictures] + [outcome.file for outcome in rest]
    with PartialTable(out / REPORT, _settings(options), COLUMNS, entries, options.restart) as table:
        if not table.done:
            remove_dataset(out)  # what --restart drops, or has begun to drop
        _check_names(table.path, pictures)
        (out / IMAGES).mkdir(exist_ok=True)
        done = min(len(table.done), len(pictures))
        reach = Reach(table.done[:done])
        if done:
            print(f"Going on after {done} of {len(pictures)} pictures that are done.", file=sys.stderr)
        with closing(_cropped(finder, pictures[done:], options)) as results:
            for picture, cropped in counted(results, "cropping", len(pictures), done):
                rows = crop_rows(picture, cropped, options.valid_share)
                outcome = Outcome(picture.file, rows, cropped.failure or None, cropped.out_of_reach)
                if not picture.left_out:
                    reach.check(outcome)
                for crop in cropped.crops:
                    with replacement(out / IMAGES / crop_name(picture.stem, crop.number)) as part:
                        part.write_bytes(crop.jpeg)
                table.add(outcome)
        for outcome in rest[max(0, len(table.done) - len(pictures)) :]:
            table.add(outcome)
        write_tables(out, table.path, pictures, labels)
        summary = summarise(table.path, pictures, labels)
        table.finish()
    return summary


def _check_names(report: Path, pictures: Sequence[Picture]) -> None:
    """Check that the crops made so far are still called as they would be now.

    Raises:
        ResumeError: a picture that has been added has the name of another one, so that both get longer ones.
    """
    stems = {picture.stem for picture in pictures}
    for entry in read_report(report):
        if entry.crop and stem_of(entry.crop) not in stems:
            raise ResumeError(
                f"{report} holds {entry.crop}, which would have another name beside the pictures that have been added: "
                "give --restart to begin again"
            )


def _cropped(
    finder: FaceFinder, pictures: Sequence[Picture], options: argparse.Namespace
) -> Generator[tuple[Picture, Cropped], None, None]:
    files = [picture.file for picture in pictures if not picture.left_out]
    choice: FaceChoice = options.faces or ("one" if options.labels else "all")
    workers = options.workers or worker_count(len(files))
    in_processes = crop_in_processes(files, choice, workers) if workers > 1 else None
    with closing(in_processes or (crop_picture(finder, choice, file) for file in files)) as results:
        for picture in pictures:
            yield picture, Cropped() if picture.left_out else next(results)


def _settings(options: argparse.Namespace) -> dict[str, str]:
    """What the crops and tables depend on; the keys are names for people."""
    return {
        "inputs": repr(options.inputs),
        **folder_of(options.inputs),
        "labels": hashlib.sha256(options.labels.read_bytes()).hexdigest() if options.labels else "",
        **{f"--{name}": repr(getattr(options, name)) for name in ("attribute", "groups", "faces", "valid_share")},
        "--folders_are_people": repr(options.folders_are_people),
    }


def _names_differ(table: Path, labels: Labels, files: Sequence[str]) -> str:
    if not files:
        return "there are no pictures"
    return printable(f"{table} names none of the pictures: it begins with {labels.pictures[0]}, they with {files[0]}")


def run() -> NoReturn:
    """Run the command as a program."""
    exit_with(main)


if __name__ == "__main__":
    run()
