"""The command line of `python -m demo.benchmark`."""

import argparse
import math
from functools import partial
from pathlib import Path
from typing import TypeAlias

from demo.option_types import add_device, positive
from demo.paths import WEIGHTS

CAPACITY_PACE = 10  # frames a second, at which the page feels live

_VISITORS = (1, 4, 16, 50)  # live ones, one number after the other
_MAX_ADDRESSES = 254  # of attackers, in one network for documentation

_Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def parse_arguments(arguments: list[str] | None = None, description: str | None = None) -> argparse.Namespace:
    """Parse the command line.

    Args:
        arguments: without the program's name; None for the program's own.
        description: of the program, for its help.

    Returns:
        The options, with the subcommand as `command`.
    """
    parser = argparse.ArgumentParser(prog="python -m demo.benchmark", description=description)
    commands = parser.add_subparsers(dest="command")
    live = _add_live(commands)
    _add_load(commands)
    _add_attack(commands)
    _add_annotate(commands)
    _add_accuracy(commands)
    commands.add_parser("reach", help="how small a face may be to be found")
    _add_onnx(commands)
    commands.add_parser("reliability", help="write the records of load and attack into demo/RELIABILITY.md")
    _add_device(commands)
    chosen = parser.parse_args(arguments)
    if chosen.command == "load":
        _complete_load(parser, chosen)
    if chosen.command == "live" and chosen.engine == "device" and 1 not in chosen.visitors:
        parser.error("live: --engine device is measured with one visitor; add 1 to --visitors")
    return chosen if chosen.command else live.parse_args([], argparse.Namespace(command="live"))


def _add_live(commands: _Commands) -> argparse.ArgumentParser:
    """Add the subcommand `live`, and return its parser, since it is the default."""
    live = commands.add_parser("live", help="the default: frames a second and latency in a real browser")
    live.add_argument(
        "--seconds",
        type=_whole_number,
        default=10,
        metavar="S",
        help="measured for each page and crowd (default: %(default)s)",
    )
    live.add_argument(
        "--visitors", type=_whole_number, nargs="+", default=[1, 4], metavar="N", help="how many at once (default: 1 4)"
    )
    live.add_argument(
        "--engine",
        choices=("server", "device"),
        default="server",
        help="device: the engine in the browser as well (default: %(default)s)",
    )
    _add_json(live)
    return live


def _complete_load(parser: argparse.ArgumentParser, chosen: argparse.Namespace) -> None:
    """Fill in who visits by default, and refuse what would be ignored."""
    if chosen.capacity and (chosen.visitors is not None or chosen.photos):
        parser.error("load: --capacity finds the numbers of visitors itself; leave out --visitors and --photos")
    if chosen.visitors is None:
        chosen.visitors = list(_VISITORS)
    if not (any(chosen.visitors) or chosen.photos):
        parser.error("load: --visitors 0 needs --photos, or there is nobody to serve")


def _add_load(commands: _Commands) -> None:
    load = commands.add_parser("load", help="how many visitors are served at once, without browsers")
    load.add_argument(
        "--visitors", type=partial(_whole_number, least=0), nargs="+", metavar="N",
        help=f"live ones; 0 for photo visitors alone (default: {' '.join(map(str, _VISITORS))})",
    )  # fmt: skip
    load.add_argument(
        "--photos", type=partial(_whole_number, least=0), default=0, metavar="M",
        help="photo visitors at the same time (default: 0)",
    )  # fmt: skip
    load.add_argument(
        "--pace", type=_frame_rate, metavar="F", help="frames/s that each wants (default: all that are answered)"
    )
    load.add_argument(
        "--capacity", action="store_true",
        help=f"find the most live visitors who get --pace (then by default {CAPACITY_PACE}), and the photos a second",
    )  # fmt: skip
    load.add_argument(
        "--seconds", type=_whole_number, default=20, metavar="S", help="for each crowd (default: %(default)s)"
    )
    load.add_argument("--one_face", action="store_true", help="before each camera (default: one to three)")
    served = load.add_mutually_exclusive_group()
    served.add_argument(
        "--url", metavar="URL", help="a page that is served already (default: serve one); all call from one address"
    )
    served.add_argument("--copies", type=positive, metavar="N", help="serve N copies behind nginx, as demo/replicas")
    _add_json(load)


def _add_attack(commands: _Commands) -> None:
    attack = commands.add_parser("attack", help="what costly input of others costs an honest visitor")
    attack.add_argument(
        "--seconds", type=_whole_number, default=8, metavar="S", help="of each attack, at least (default: %(default)s)"
    )
    attack.add_argument(
        "--addresses", type=partial(_whole_number, most=_MAX_ADDRESSES), nargs="+", default=[1, 8], metavar="N",
        help="from how many addresses it comes, at most one for each sender (default: 1 8)",
    )  # fmt: skip
    _add_json(attack)


def _add_annotate(commands: _Commands) -> None:
    annotate = commands.add_parser("annotate", help="many files, against a plain loop")
    annotate.add_argument("inputs", nargs="+", metavar="FILE_OR_FOLDER")
    annotate.add_argument("--pictures", type=positive, default=500, help="take only the first (default: %(default)s)")
    annotate.add_argument("--workers", type=positive, help="processes (default: as demo.annotate chooses)")
    annotate.add_argument("--rounds", type=positive, default=3, help="turns of each way (default: %(default)s)")
    _add_network(annotate)


def _add_accuracy(commands: _Commands) -> None:
    """Add the subcommands that measure accuracy on validation pictures."""
    alignment = commands.add_parser("alignment", help="what finding and aligning cost in accuracy")
    following = commands.add_parser("following", help="what following faces costs in accuracy")
    conditions = commands.add_parser("conditions", help="reliability on small, blurred and turned faces")
    for command, images in ((alignment, 500), (following, 500), (conditions, 2000)):
        _add_pictures(command, images)
        _add_network(command)
    alignment.add_argument("--only", default="", metavar="TEXT", help="variants with this in their names, such as cut")
    conditions.add_argument("--json", type=_new_file, metavar="FILE", help="write all figures there, for the page")


def _add_onnx(commands: _Commands) -> None:
    onnx = commands.add_parser("onnx", help="the exported network in an inference server's processes")
    onnx.add_argument(
        "--workers", type=positive, nargs="+", default=[1, 2], metavar="N", help="processes at once (default: 1 2)"
    )
    onnx.add_argument(
        "--crops", type=positive, nargs="+", default=[1, 8, 64], metavar="N", help="read at a time (default: 1 8 64)"
    )
    onnx.add_argument(
        "--seconds",
        type=_whole_number,
        default=5,
        metavar="S",
        help="for each number of processes (default: %(default)s)",
    )
    _add_weights(onnx)


def _add_device(commands: _Commands) -> None:
    device = commands.add_parser("device", help="the engine in the browser beside the server's")
    _add_pictures(device, images=100)
    device.add_argument(
        "--seconds",
        type=_whole_number,
        default=10,
        metavar="S",
        help="of a film, for each engine (default: %(default)s)",
    )
    _add_weights(device)


def _add_json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", type=_new_file, metavar="FILE", help="write all figures there as well")


def _add_pictures(command: argparse.ArgumentParser, images: int) -> None:
    command.add_argument(
        "--data_dir", type=Path, default=Path("data"), help="CelebA in Kaggle's CSV layout (default: %(default)s)"
    )
    command.add_argument(
        "--images", type=positive, default=images, help="validation pictures, evenly spread (default: %(default)s)"
    )


def _add_network(command: argparse.ArgumentParser) -> None:
    _add_weights(command)
    add_device(command)


def _add_weights(command: argparse.ArgumentParser) -> None:
    command.add_argument("--weights", type=Path, default=WEIGHTS, help="SlimNet's weights (default: the shipped ones)")


def _new_file(text: str) -> Path:
    """Parse the name of a file in a folder that is there, or else minutes of measuring would be lost."""
    if not Path(text).parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {Path(text).parent}")
    return Path(text)


def _frame_rate(text: str) -> float:
    """Parse a number of frames a second, over 0."""
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if not 0 < rate < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a number over 0")
    return rate


def _whole_number(text: str, least: int = 1, most: int = 999) -> int:
    """Parse a whole number from `least` to `most`."""
    if not text.isdecimal() or not least <= int(text) <= most:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from {least} to {most}")
    return int(text)
