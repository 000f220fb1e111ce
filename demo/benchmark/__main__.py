"""Measure the demo: `python -m demo.benchmark`.

`live` (also without a subcommand) asks how much the page feels like a mirror: a real browser before a false camera,
the real pipeline, alone and with several visitors, beside Gradio's own way. `load` asks how many visitors a machine
serves at once, without browsers, `attack` how long an honest visitor waits while others send what is made to keep a
server busy. `annotate` asks how fast many pictures are annotated, beside a plain loop. `alignment`
asks what finding and aligning faces cost in accuracy, `following` what it costs that live mode does not find them again
in each frame, `reach` how small a face may be in a photo to be found, `conditions` how reliable each attribute is on
small, blurred and turned faces, `device` how equal and how quick the engine is that reads faces in the browser, `onnx`
how fast the exported network is in other programs. `reliability` writes the records of `load` into demo/RELIABILITY.md.
"""

import argparse
import json
import signal
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path

from demo.annotate.options import positive
from demo.benchmark.alignment import report_alignment
from demo.benchmark.annotate import TooFewPicturesError, report_annotate
from demo.benchmark.attack.measure import report_attack
from demo.benchmark.browser import ChromiumMissingError
from demo.benchmark.conditions import conditions_table, measure_conditions
from demo.benchmark.device.measure import report_device
from demo.benchmark.following import report_following
from demo.benchmark.live import BenchmarkError, measure
from demo.benchmark.load.capacity import measure_capacity
from demo.benchmark.load.measure import load_lines, measure_load
from demo.benchmark.load.onnx_server import report_onnx
from demo.benchmark.load.reliability import write_reliability
from demo.benchmark.reach import report_reach
from demo.benchmark.report import table
from demo.benchmark.server import NotServedError
from demo.benchmark.validation import ValidationError
from demo.device_files import DeviceFilesError
from demo.paths import WEIGHTS
from demo.pipeline.analyse import Pipeline
from slimnet.files.atomic import replace_text

_CAPACITY_PACE = 10  # frames a second, at which the page feels live


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line.

    Args:
        arguments: of the command line, without the program's name; None for the program's own.

    Returns:
        The options, with the subcommand as `command`.
    """
    parser = argparse.ArgumentParser(prog="python -m demo.benchmark", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    live = commands.add_parser("live", help="the default: frames a second and latency in a real browser")
    live.add_argument("--seconds", type=_below_1000, default=10, metavar="S", help="measured for each page and crowd")
    live.add_argument("--visitors", type=_below_1000, nargs="+", default=[1, 4], metavar="N", help="how many at once")
    live.add_argument(
        "--engine", choices=("server", "device"), default="server", help="device: the engine in the browser as well"
    )
    live.add_argument("--json", type=Path, metavar="FILE", help="write all figures there as well")
    load = commands.add_parser("load", help="how many visitors are served at once, without browsers")
    load.add_argument(
        "--visitors", type=partial(_below_1000, least=0), nargs="+", default=[1, 4, 16, 50], metavar="N",
        help="live ones; 0 for photo visitors alone",
    )  # fmt: skip
    load.add_argument("--photos", type=int, default=0, metavar="M", help="photo visitors at the same time (default: 0)")
    load.add_argument(
        "--pace", type=float, metavar="F", help="frames/s that each wants (default: all that are answered)"
    )
    load.add_argument(
        "--capacity", action="store_true",
        help=f"find the most live visitors who get --pace (then by default {_CAPACITY_PACE}), and the photos a second",
    )  # fmt: skip
    load.add_argument("--seconds", type=_below_1000, default=20, metavar="S", help="for each crowd")
    load.add_argument("--one_face", action="store_true", help="before each camera (default: one to three)")
    served = load.add_mutually_exclusive_group()
    served.add_argument("--url", metavar="URL", help="a page that is served already (default: serve one)")
    served.add_argument("--copies", type=positive, metavar="N", help="serve N copies behind nginx, as demo/replicas")
    load.add_argument("--json", type=Path, metavar="FILE", help="write all figures there as well")
    attack = commands.add_parser("attack", help="what costly input of others costs an honest visitor")
    attack.add_argument("--seconds", type=_below_1000, default=8, metavar="S", help="of each attack")
    attack.add_argument(
        "--addresses", type=positive, nargs="+", default=[1, 8], metavar="N", help="from how many addresses it comes"
    )
    attack.add_argument("--json", type=Path, metavar="FILE", help="write all figures there as well")
    annotate = commands.add_parser("annotate", help="many files, against a plain loop")
    annotate.add_argument("inputs", nargs="+", metavar="FILE_OR_FOLDER")
    annotate.add_argument("--pictures", type=positive, default=500, help="take only the first (default: %(default)s)")
    annotate.add_argument("--workers", type=positive, help="processes (default: as demo.annotate chooses)")
    annotate.add_argument("--rounds", type=positive, default=3, help="turns of each way (default: %(default)s)")
    alignment = commands.add_parser("alignment", help="what finding and aligning cost in accuracy")
    following = commands.add_parser("following", help="what following faces costs in accuracy")
    commands.add_parser("reach", help="how small a face may be to be found")
    onnx = commands.add_parser("onnx", help="the exported network in an inference server's processes")
    onnx.add_argument("--workers", type=positive, nargs="+", default=[1, 2], metavar="N", help="processes at once")
    onnx.add_argument("--crops", type=positive, nargs="+", default=[1, 8, 64], metavar="N", help="read at a time")
    onnx.add_argument("--seconds", type=_below_1000, default=5, metavar="S", help="for each number of processes")
    onnx.add_argument("--weights", type=Path, default=WEIGHTS)
    commands.add_parser("reliability", help="write the records of load into demo/RELIABILITY.md")
    conditions = commands.add_parser("conditions", help="reliability on small, blurred and turned faces")
    conditions.add_argument("--data_dir", type=Path, default=Path("data"), help="CelebA in Kaggle's CSV layout")
    conditions.add_argument("--images", type=positive, default=2000, help="validation pictures, evenly spread")
    conditions.add_argument("--json", type=Path, metavar="FILE", help="write all figures there, for the page")
    device = commands.add_parser("device", help="the engine in the browser beside the server's")
    device.add_argument("--data_dir", type=Path, default=Path("data"), help="CelebA in Kaggle's CSV layout")
    device.add_argument("--images", type=positive, default=100, help="validation pictures, evenly spread")
    device.add_argument("--seconds", type=_below_1000, default=10, metavar="S", help="of a film, for each engine")
    device.add_argument("--weights", type=Path, default=WEIGHTS)
    for accuracy in (alignment, following):
        accuracy.add_argument("--data_dir", type=Path, default=Path("data"), help="CelebA in Kaggle's CSV layout")
        accuracy.add_argument("--images", type=int, default=500, help="validation pictures, evenly spread")
    for command in (annotate, alignment, following, conditions):
        command.add_argument("--weights", type=Path, default=WEIGHTS)
        command.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    chosen = parser.parse_args(arguments)
    return chosen if chosen.command else live.parse_args([], argparse.Namespace(command="live"))


def _below_1000(text: str, least: int = 1) -> int:
    """Parse a whole number from 1, or another least one, to 999."""
    if not text.isdecimal() or not least <= int(text) < 1000:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from {least} to 999")
    return int(text)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print.

    Args:
        arguments: as for `parse_arguments`.

    Returns:
        The exit status: 0, 1 if `annotate` finds different results in its two ways or `load` wrong or unfair answers,
        or 2 if it cannot be measured here.
    """
    chosen = parse_arguments(arguments)
    try:
        match chosen.command:
            case "live":
                _report_live(chosen)
            case "load":
                return 0 if (_report_capacity if chosen.capacity else _report_load)(chosen) else 1
            case "attack":
                signal.signal(signal.SIGTERM, signal.default_int_handler)
                return 0 if report_attack(chosen.seconds, chosen.addresses, chosen.json) else 1
            case "annotate":
                return 0 if _report_annotate(chosen) else 1
            case "alignment":
                report_alignment(chosen.data_dir, chosen.images, chosen.weights, chosen.device)
            case "following":
                report_following(chosen.data_dir, chosen.images, chosen.weights, chosen.device)
            case "device":
                report_device(chosen.data_dir, chosen.images, chosen.seconds, chosen.weights)
            case "conditions":
                _report_conditions(chosen)
            case "reach":
                report_reach()
            case "onnx":
                report_onnx(chosen.workers, chosen.crops, chosen.seconds, chosen.weights)
            case "reliability":
                write_reliability()
    except (
        BenchmarkError,
        ChromiumMissingError,
        DeviceFilesError,
        NotServedError,
        OSError,
        TooFewPicturesError,
        ValidationError,
    ) as error:
        print(f"demo.benchmark: {error}", file=sys.stderr)
        return 2
    return 0


def _report_load(chosen: argparse.Namespace) -> bool:
    """Run the subcommand `load`; returns whether every answer was right, and every visitor's share fair."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    loads = []
    options = (chosen.visitors, chosen.photos, chosen.pace, chosen.seconds, chosen.url, chosen.copies)
    for load in measure_load(*options, one_face=chosen.one_face):
        print(load_lines(load), flush=True)
        loads.append(load)
    if chosen.json:
        replace_text(chosen.json, json.dumps([asdict(load) for load in loads], indent=1) + "\n")
    return all(load.is_good for load in loads)


def _report_capacity(chosen: argparse.Namespace) -> bool:
    """Run `load --capacity`; returns whether anybody was served, and every answer right."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = (chosen.pace or _CAPACITY_PACE, chosen.seconds, chosen.url, chosen.copies)
    found = measure_capacity(*options, one_face=chosen.one_face)
    for load in found.tried:
        print(load_lines(load))
    print(found.line)
    if chosen.json:
        replace_text(chosen.json, json.dumps(asdict(found), indent=1) + "\n")
    return found.live > 0 and not any(load.failures for load in found.tried)


def _report_annotate(chosen: argparse.Namespace) -> bool:
    """Run the subcommand `annotate`; returns whether both ways find the same."""
    return report_annotate(chosen.inputs, chosen.pictures, chosen.workers, chosen.rounds, chosen.weights, chosen.device)


def _report_conditions(chosen: argparse.Namespace) -> None:
    """Run the subcommand `conditions`."""
    pipeline = Pipeline.load(chosen.weights, chosen.device)
    found = measure_conditions(pipeline, chosen.data_dir, chosen.images, chosen.weights)
    print(conditions_table(found))
    if chosen.json:
        replace_text(chosen.json, json.dumps(found) + "\n")


def _report_live(chosen: argparse.Namespace) -> None:
    """Run the subcommand `live`."""
    # SIGTERM acts like Ctrl+C, so that servers and browser are ended.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    figures = measure(chosen.seconds, chosen.visitors, device=chosen.engine == "device")
    print(table(figures))
    if chosen.json:
        replace_text(chosen.json, figures.to_json())


if __name__ == "__main__":
    sys.exit(main())
