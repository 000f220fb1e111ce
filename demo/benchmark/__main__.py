"""Measure the demo: `python -m demo.benchmark`.

`live` (also without a subcommand) asks how much the page feels like a mirror: a real browser before a false camera,
the real pipeline, alone and with several visitors, beside Gradio's own way. `alignment` asks what finding and aligning
faces cost in accuracy, `following` what it costs that live mode does not find them anew in each frame, `reach` how
small a face may be in a photo to be found.
"""

import argparse
import signal
import sys
from pathlib import Path

from demo.benchmark.alignment import report_alignment
from demo.benchmark.browser import ChromiumMissingError
from demo.benchmark.following import report_following
from demo.benchmark.live import BenchmarkError, measure
from demo.benchmark.reach import report_reach
from demo.benchmark.report import table
from demo.benchmark.server import NotServedError
from demo.paths import WEIGHTS


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo.benchmark", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    live = commands.add_parser("live", help="the default: frames a second and latency in a real browser")
    live.add_argument("--seconds", type=_positive, default=10, metavar="S", help="measured for each page and crowd")
    live.add_argument("--visitors", type=_positive, nargs="+", default=[1, 4], metavar="N", help="how many at once")
    live.add_argument("--json", type=Path, metavar="FILE", help="write all figures there as well")
    alignment = commands.add_parser("alignment", help="what finding and aligning cost in accuracy")
    following = commands.add_parser("following", help="what following faces costs in accuracy")
    commands.add_parser("reach", help="how small a face may be to be found")
    for accuracy in (alignment, following):
        accuracy.add_argument("--data_dir", type=Path, default=Path("data"), help="CelebA in Kaggle's CSV layout")
        accuracy.add_argument("--images", type=int, default=500, help="validation pictures, evenly spread")
        accuracy.add_argument("--weights", type=Path, default=WEIGHTS)
        accuracy.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    chosen = parser.parse_args(arguments)
    return chosen if chosen.command else live.parse_args([], argparse.Namespace(command="live"))


def _positive(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 1000:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 1 to 999")
    return int(text)


def main(arguments: list[str] | None = None) -> int:
    """Run what is asked for. Gives the exit status: 2 when it cannot be measured here."""
    chosen = parse_arguments(arguments)
    if chosen.command in ("alignment", "following"):
        report = report_alignment if chosen.command == "alignment" else report_following
        report(chosen.data_dir, chosen.images, chosen.weights, chosen.device)
        return 0
    if chosen.command == "reach":
        report_reach()
        return 0
    # To be stopped is no different from Ctrl+C: servers and browser are ended.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        figures = measure(chosen.seconds, chosen.visitors)
    except (BenchmarkError, ChromiumMissingError, NotServedError) as error:
        print(f"demo.benchmark: {error}", file=sys.stderr)
        return 2
    print(table(figures))
    if chosen.json:
        chosen.json.write_text(figures.to_json(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
