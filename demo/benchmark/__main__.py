"""Measure the demo: `python -m demo.benchmark`.

`live` (the default) asks how much the page feels like a mirror: a real browser with a fake camera and the real
pipeline, with one visitor and with several, compared with Gradio's own way. `load` asks how many visitors a machine
serves at once, without browsers, and `attack` how long an honest visitor waits while others send things made to keep a
server busy. `annotate` asks how fast many pictures are annotated, compared with a plain loop. `alignment` asks how
much accuracy finding and aligning faces cost, `following` how much it costs that live mode does not find them again in
each frame, `reach` how small a face in a photo can be and still be found, `conditions` how reliable each attribute is
on small, blurred and turned faces, `device` how similar and how fast the engine in the browser is, and `onnx` how fast
the exported network is in other programs. `reliability` writes the records of `load` and `attack` into
demo/RELIABILITY.md.
"""

import argparse
import json
import signal
import sys
from dataclasses import asdict

from demo.batch.workers import WorkerError
from demo.benchmark.alignment import VariantError, report_alignment
from demo.benchmark.annotate import PicturesError, report_annotate
from demo.benchmark.attack.measure import report_attack
from demo.benchmark.browser import BrowserError
from demo.benchmark.conditions import conditions_table, measure_conditions
from demo.benchmark.device.measure import report_device
from demo.benchmark.following import report_following
from demo.benchmark.live import BenchmarkError, measure
from demo.benchmark.load.capacity import measure_capacity
from demo.benchmark.load.measure import load_lines, measure_load
from demo.benchmark.load.onnx_server import report_onnx
from demo.benchmark.load.reliability import write_reliability
from demo.benchmark.load.visitors import PanelError
from demo.benchmark.options import CAPACITY_PACE, parse_arguments
from demo.benchmark.reach import report_reach
from demo.benchmark.report import table
from demo.benchmark.server import NotServedError
from demo.benchmark.validation import ValidationError
from demo.device_files import DeviceFilesError
from demo.pipeline.analyse import Pipeline
from demo.pipeline.mediapipe.face_models import FaceModelError
from slimnet import CheckpointError
from slimnet.files.atomic import replace_text


def main(arguments: list[str] | None = None) -> int:
    """Measure and print.

    Args:
        arguments: without the program's name; None for the program's own.

    Returns:
        The exit status: 0; 1 if the two ways of `annotate` differ, if answers to `load` are wrong or unfair, if
        `load --capacity` serves nobody, if somebody waits too long in `attack`, or if no request
        of an attack whose requests end was answered; 2 if this can't be measured.
    """
    chosen = parse_arguments(arguments, __doc__)
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
                report_alignment(chosen.data_dir, chosen.images, chosen.weights, chosen.device, chosen.only)
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
        BrowserError,
        CheckpointError,
        DeviceFilesError,
        FaceModelError,
        NotServedError,
        OSError,
        PanelError,
        PicturesError,
        ValidationError,
        VariantError,
        WorkerError,
    ) as error:
        print(f"demo.benchmark: {error}", file=sys.stderr)
        return 2
    return 0


def _report_load(chosen: argparse.Namespace) -> bool:
    """Run the subcommand `load`; returns whether every answer was right and every visitor got a fair share."""
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
    """Run `load --capacity`; returns whether anybody was served, all answers right, and no photo visitor starved."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = (chosen.pace or CAPACITY_PACE, chosen.seconds, chosen.url, chosen.copies)
    found = measure_capacity(*options, one_face=chosen.one_face)
    for load in found.tried:
        print(load_lines(load))
    print(found.line)
    if chosen.json:
        replace_text(chosen.json, json.dumps(asdict(found), indent=1) + "\n")
    return found.live > 0 and found.tried[-1].is_good and not any(load.failures for load in found.tried)


def _report_annotate(chosen: argparse.Namespace) -> bool:
    """Run the subcommand `annotate`; returns whether both ways find the same."""
    return report_annotate(chosen.inputs, chosen.pictures, chosen.workers, chosen.rounds, chosen.weights, chosen.device)


def _report_conditions(chosen: argparse.Namespace) -> None:
    """Run the subcommand `conditions`."""
    pipeline = Pipeline.load(chosen.weights, chosen.device)
    found = measure_conditions(pipeline, chosen.data_dir, chosen.images)
    print(conditions_table(found))
    if chosen.json:
        replace_text(chosen.json, json.dumps(found) + "\n")


def _report_live(chosen: argparse.Namespace) -> None:
    """Run the subcommand `live`."""
    # SIGTERM acts like Ctrl+C, so that servers and browser end.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    figures = measure(chosen.seconds, chosen.visitors, device=chosen.engine == "device")
    print(table(figures))
    if chosen.json:
        replace_text(chosen.json, figures.to_json())


if __name__ == "__main__":
    sys.exit(main())
