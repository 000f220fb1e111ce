"""The command line of ``python -m demo.dataset``, and checks that it can work."""

import argparse
import math
import os
from pathlib import Path

from demo.batch.inputs import input_problem
from demo.dataset.picture import CHOICES
from demo.dataset.report import is_report
from demo.dataset.rules import Rule, parse_rule
from demo.dataset.tables import IMAGES, TABLES
from demo.option_types import positive

REPORT = "report.csv"


def argument_parser() -> argparse.ArgumentParser:
    """Make the command line's parser.

    Returns:
        A parser whose namespace has inputs, out, labels, attribute, groups, faces, valid_share, folders_are_people,
        workers and restart.
    """
    parser = argparse.ArgumentParser(
        prog="python -m demo.dataset",
        description="Cut the faces out of pictures as CelebA shows them, with tables in CelebA's form, for training. A "
        "run that was stopped or killed goes on when the same command is given again.",
    )
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="FILE_OR_FOLDER",
        help="pictures, or folders to search for them, in which hidden files and the system's are passed over",
    )
    parser.add_argument("--out", required=True, type=Path, metavar="FOLDER", help="where the data set will be")
    _add_labels(parser)
    parser.add_argument(
        "--faces",
        choices=CHOICES,
        help="of several in a picture: 'one' crops a face only if it is much larger than the others, 'largest' the "
        "largest, 'all' each, without labels where there are several (default: one with --labels, else all)",
    )
    parser.add_argument(
        "--valid_share",
        type=_share,
        default=0.1,
        metavar="SHARE",
        help="of people, or where they are not known of pictures, that are for validation (default: %(default)s)",
    )
    parser.add_argument("--folders_are_people", action="store_true", help="each folder holds pictures of one person")
    parser.add_argument(
        "--workers",
        type=positive,
        metavar="N",
        help="processes that open pictures and find faces (default: one for each core, fewer for few pictures)",
    )
    parser.add_argument(
        "--restart", action="store_true", help="drop what an earlier run has made in --out, and start over"
    )
    return parser


def _add_labels(parser: argparse.ArgumentParser) -> None:
    """Add the options about the table of labels."""
    parser.add_argument(
        "--labels",
        type=Path,
        metavar="TABLE",
        help="table with a row for each picture: its name, and labels 1, yes or true; -1, no or false; empty where not "
        "known (0 is absent, but not known where there is -1). Columns identity and partition are taken as such",
    )
    parser.add_argument(
        "--attribute",
        action="append",
        default=[],
        type=_rule,
        metavar="RULE",
        help="an attribute, made from a column of the table, instead of all columns: Smiling, "
        "'Male=gender:Male' (present for Male, else absent), or 'Young=age:0-19,20-29/50-59,more than 60' (present for "
        "the values before the slash, absent for those after it, else not known); may be given more than once",
    )
    parser.add_argument(
        "--groups",
        nargs="+",
        default=[],
        metavar="COLUMN",
        help="columns of the table that say who is in the pictures, for list_groups.csv: training.evaluate --outside "
        "needs age (34, 20-29 or 70+) and either group or race",
    )


def find_problem(options: argparse.Namespace) -> str | None:
    """Find out what cannot work, before any work is done.

    Args:
        options: the options that `argument_parser` parsed.

    Returns:
        A sentence for people; None if nothing stands in the way.
    """
    if options.attribute and not options.labels:
        return "--attribute says how to read the table of labels: give it by --labels"
    if options.groups and not options.labels:
        return "--groups names columns of the table of labels: give it by --labels"
    try:
        return input_problem(options.inputs) or _out_problem(options)
    except OSError as error:  # a folder that we may not enter, or too long a name
        return f"--out {options.out} cannot be written: {error.strerror}"


def _out_problem(options: argparse.Namespace) -> str | None:
    out = Path(os.path.realpath(options.out))
    if any(out.is_relative_to(os.path.realpath(name)) for name in options.inputs):
        return (
            f"--out {options.out} lies inside the pictures, so that its crops would be among them: name another folder"
        )
    own = {out / name for name in (IMAGES, REPORT, *TABLES)}
    for name in (*options.inputs, *[options.labels] * bool(options.labels)):
        path = Path(os.path.realpath(name))
        if own & {path, *path.parents}:
            return f"{name} belongs to the data set in --out {options.out}, and would be replaced: name another folder"
    if not out.exists():
        return None
    if not out.is_dir():
        return f"--out {options.out} is not a folder"
    if not os.access(out, os.W_OK):
        return f"--out {options.out} cannot be written"
    if (out / f"{REPORT}.journal").exists() or not any(not path.name.startswith(".") for path in out.iterdir()):
        return None  # from a run that was stopped, or empty
    if not is_report(out / REPORT):
        return f"--out {options.out} holds other files: name a new or empty folder"
    if not options.restart:
        return f"--out {options.out} holds a data set already: name another folder, or replace it by --restart"
    return None


def _rule(text: str) -> Rule:
    try:
        return parse_rule(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = math.nan
    if not 0 <= share < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a share from 0 to below 1")
    return share
