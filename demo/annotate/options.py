"""The command line of ``python -m demo.annotate``, and checks that it can work."""

import argparse
import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from demo.batch.inputs import exists, input_problem
from demo.operating_points import CHOICES
from demo.option_types import add_device, positive
from demo.paths import WEIGHTS
from demo.pipeline.table import is_parquet
from slimnet.calibration import OPERATING_POINTS


def argument_parser() -> argparse.ArgumentParser:
    """Make the command line's parser.

    Returns:
        A parser whose namespace has inputs, out, weights, device, decisions, workers, why, restart and ray.
    """
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
    add_device(parser)
    parser.add_argument(
        "--decisions",
        choices=OPERATING_POINTS,
        help="write 1, 0 or, where the network is not sure, nothing instead of probabilities: " + CHOICES,
    )
    parser.add_argument(
        "--workers",
        type=positive,
        metavar="N",
        help="processes that open pictures and find faces, up to 1 GB each for 48 million pixels "
        "(default: one for each core, fewer for few pictures; 1 starts no further process)",
    )
    parser.add_argument(
        "--why",
        metavar="ATTRIBUTE",
        help="also write a picture of each face to the folder RESULTS-why, which shows what spoke for this attribute "
        "and what against it; in this process alone, so without --workers and --ray",
    )
    parser.add_argument("--restart", action="store_true", help="drop what a stopped run has done, and start over")
    parser.add_argument(
        "--ray",
        nargs="?",
        const="",
        metavar="ADDRESS",
        help="run on Ray Data: on the cluster at this address, or a local one; must come last "
        "(needs: pip install 'ray[data]>=2.60,<2.64'; pictures, weights and this folder at the same paths everywhere)",
    )
    return parser


def find_problem(options: argparse.Namespace) -> str | None:
    """Find out what cannot work, before any work is done.

    Args:
        options: the options that `argument_parser` parsed.

    Returns:
        A sentence for people; None if nothing stands in the way.
    """
    if options.why is not None and (options.workers or options.ray is not None):
        return "--why works in this process alone: leave out --workers and --ray"
    try:
        problem = _path_problem(options.inputs, options.out)
    except OSError as error:  # a folder that we may not enter, or too long a name
        problem = f"--out {options.out} cannot be written: {error.strerror}"
    return problem or _missing_package(options.out, options.ray is not None)


def _path_problem(inputs: Sequence[str], out: str) -> str | None:
    target = Path(os.path.realpath(out))
    if target.exists() and not target.is_file():
        return f"--out {out} is not a file"
    problem = input_problem(inputs)
    if problem:
        return problem
    if target.exists() and any(target.samefile(name) for name in inputs if exists(name)):
        return f"--out {out} would overwrite an input"
    if not target.parent.is_dir():
        return f"--out {out}: there is no folder {target.parent}"
    if not os.access(target.parent, os.W_OK) or (target.exists() and not os.access(target, os.W_OK)):
        return f"--out {out} cannot be written"
    return None


def _missing_package(out: str, on_ray: bool) -> str | None:
    """Say which package has to be installed for these options."""
    if is_parquet(Path(os.path.realpath(out))) and find_spec("pyarrow") is None:
        return (
            f"--out {out}: Parquet needs pyarrow. Run pip install 'pyarrow>=20,<27', or name a file that ends in .csv"
        )
    if on_ray and (find_spec("ray") is None or find_spec("pyarrow") is None):
        return "--ray needs Ray Data. Run pip install 'ray[data]>=2.60,<2.64'"
    return None
