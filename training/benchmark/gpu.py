"""Use a GPU that you have for minutes only: check all that says "GPU", measure it, then train.

    python -m training.benchmark.gpu --data_dir data --out results --minutes 8 -- --recipe best --data_dir data=4

What follows -- goes to training.train; settings that it does not name are the fastest that were measured. Each part is
written to results/gpu.json as soon as it is done; a part that fails is named there and does not stop the next. The run
is in results/run, its best weights in best.safetensors. All of it is at most 8 files of at most 16 MiB. To go on with a
run that was cut off, give the same command with --resume after --; this measures nothing.

On a CPU everything runs too, except what needs a GPU's memory. Try it there first, with --pictures 64 --steps 1
--minutes 1.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from slimnet import choose_device, transform
from slimnet.files.atomic import replace_text
from slimnet.paths import WEIGHTS
from slimnet.predictor import PROBABILITY_TOLERANCE
from training import train
from training.benchmark.bottleneck import HEAD, Bottleneck, bottlenecks, setting
from training.benchmark.facts import machine
from training.benchmark.predictor_check import crops_per_second, falls_back, largest_difference
from training.benchmark.throughput import with_pictures
from training.data.celeba import read_pictures
from training.fit.arguments import Range, check_numbers, given, given_path
from training.fit.config import TrainConfig, parse_config

_CROPS = 256  # to compare with the CPU
_BATCHES = (1, 8, 256)
_GPU_SETTINGS = (("device", 1024, True), ("device", 1024, False), ("device", 256, True), ("host", 1024, True))
_FASTEST = "fastest settings"
_CPU_SETTINGS = (("device", 16, True), ("host", 16, True))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: Without the program's name; None for the program's own.

    Returns:
        The exit status: 0, or 1 if a part failed.
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    place = words.index("--") if "--" in words else len(words)
    asked, flags = _parse(words[:place]), words[place + 1 :]
    parse_config(_training_flags(asked, flags))  # report a wrong flag before minutes are spent
    try:
        device = choose_device(asked.device)
        asked.out.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        print(f"training.benchmark.gpu: {error}", file=sys.stderr)
        return 1
    run = asked.out / "run"
    if "--resume" not in flags and (run / "last.pt").exists():
        print(
            f"training.benchmark.gpu: {run} holds a run: go on with it by --resume after --, or name another --out",
            file=sys.stderr,
        )
        return 1
    report = Report(asked.out / "gpu.json")
    fastest = report.found(_FASTEST) if "--resume" in flags else measure(report, asked, device)
    report.part("training", partial(_train, asked, [*fastest, *flags]))
    return int(bool(report.failed))


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m training.benchmark.gpu",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data_dir", type=given, required=True, help="CelebA")
    parser.add_argument("--cache_dir", type=given, default="cache", help="where decoded pictures go (default: cache)")
    parser.add_argument("--out", type=given_path, required=True, help="where everything is written")
    parser.add_argument("--weights", type=given_path, default=WEIGHTS, help="for Predictor; default: the shipped ones")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda (default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=8.0, help="of training (default: 8)")
    parser.add_argument("--pictures", type=int, default=4096, help="for the measurements, at most (default: 4096)")
    parser.add_argument("--steps", type=int, default=30, help="timed steps of each setting (default: 30)")
    asked = parser.parse_args(arguments)
    check_numbers(parser, asked, minutes=Range(0, 1440, over=True), pictures=Range(1, 10**6), steps=Range(1, 10**5))
    return asked


class Report:
    """The results, written to a file after each part.

    Args:
        path: File to write.

    Attributes:
        failed: Names of the parts that failed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._parts: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        self.failed: list[str] = []

    def found(self, name: str) -> Any:
        """Return what an earlier part, or command, found; an empty list if nothing.

        Args:
            name: Name of the part.
        """
        return self._parts.get(name, {}).get("found", [])

    def part(self, name: str, work: Callable[[], Any]) -> Any:
        """Do a part; print and write its results, and how many seconds it took.

        Args:
            name: Name of the part.
            work: Returns its results, ready for JSON.

        Returns:
            What it found; None if it failed.
        """
        start, found, error = time.monotonic(), None, None
        try:
            found = work()
        except Exception as raised:  # a failed part must not cost the others their time on a lent machine
            error = f"{type(raised).__name__}: {raised}"
            self.failed.append(name)
        seconds = round(time.monotonic() - start, 2)
        print(f"{name}: {error or json.dumps(found)} ({seconds} s)", flush=True)
        self._parts[name] = {"seconds": seconds, **({"error": error} if error else {"found": found})}
        replace_text(self._path, json.dumps(self._parts, indent=2) + "\n")
        return found


def measure(report: Report, asked: argparse.Namespace, device: torch.device) -> list[str]:
    """Check Predictor and measure training on a device.

    Args:
        report: Where to write.
        asked: Options of the command.
        device: The device.

    Returns:
        Flags for training.train with the fastest settings.
    """
    report.part("machine", partial(machine, device))
    report.part("same answers as the CPU", partial(_compare, asked, device))
    for batch in _BATCHES:
        speed = partial(crops_per_second, asked.weights, device, batch, min(2.0, 0.1 * asked.steps))
        report.part(f"crops a second, {batch} at once", speed)
    if device.type == "cuda":
        report.part("falls back to the CPU when memory is out", partial(_fall_back, asked.weights, device))
    settings = [setting(*row) for row in (_GPU_SETTINGS if device.type == "cuda" else _CPU_SETTINGS)]
    rows: list[Bottleneck] = []
    report.part("training speed", partial(_speeds, asked, device, settings, rows))
    return report.part(_FASTEST, partial(_flags, rows)) or []


def _compare(asked: argparse.Namespace, device: torch.device) -> float:
    """Return the largest difference from the CPU; raises RuntimeError if it is too large."""
    valid = with_pictures(asked.data_dir, "valid")
    crops = next(read_pictures(valid.only(np.arange(min(_CROPS, len(valid)))), transform, _CROPS))
    difference = largest_difference(asked.weights, device, crops)
    if not difference < PROBABILITY_TOLERANCE:
        raise RuntimeError(f"probabilities differ by {difference} from the CPU's")
    return difference


def _fall_back(weights: Path, device: torch.device) -> bool:
    """Return True; raises RuntimeError if Predictor does not fall back."""
    if not falls_back(weights, device):
        raise RuntimeError("Predictor did not go on with the CPU")
    return True


def _speeds(
    asked: argparse.Namespace, device: torch.device, settings: Sequence[TrainConfig], rows: list[Bottleneck]
) -> list[dict[str, Any]]:
    """Measure training, adding each setting's speeds to the rows as soon as they are known."""
    print(HEAD)
    for row in bottlenecks(asked.data_dir, settings, device, asked.steps, asked.pictures):
        print(row, flush=True)
        rows.append(row)
    return [{**asdict(row), "bound_by": row.bound_by} for row in rows]


def _flags(rows: Sequence[Bottleneck]) -> list[str]:
    """Return training.train's flags for the fastest of the settings; none if none was measured."""
    best = max(rows, key=lambda row: row.both, default=None)
    if best is None:
        return []
    layout = "--channels_last" if best.channels_last else "--no-channels_last"
    places = ["--pictures_on", best.pictures_on, "--num_workers", str(best.workers)]
    return [*places, "--batch_size", str(best.batch_size), layout]


def _training_flags(asked: argparse.Namespace, more: Sequence[str]) -> list[str]:
    """Return the command line of training.train; later flags win."""
    return [
        "--data_dir", asked.data_dir, "--cache_dir", asked.cache_dir, "--save_dir", str(asked.out / "run"),
        "--device", asked.device, "--minutes", str(asked.minutes), "--save_every", "0", "--save_minutes", "0.5", *more,
    ]  # fmt: skip


def _train(asked: argparse.Namespace, more: Sequence[str]) -> dict[str, Any]:
    """Train; returns the figures of the last epoch, raises RuntimeError if training fails."""
    status = train.main(_training_flags(asked, more))
    if status:
        raise RuntimeError(f"training.train ended with status {status}")
    last = json.loads((asked.out / "run" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    return {"flags": list(more), **last, "images_per_second": last["images"] / (60 * last["minutes"])}


if __name__ == "__main__":
    sys.exit(main())
