"""Measure the network and its training: `python -m training.benchmark --device auto --loops 10000 --json FILE`.

Ratios compare with the original's way in the same run. Each loop runs every way once, so a busy machine slows all of
them equally.
"""

import argparse
import itertools
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from slimnet import CheckpointError, choose_device
from slimnet.files.atomic import replace_text
from slimnet.paths import WEIGHTS
from training.benchmark.bottleneck import HEAD, bottlenecks, setting
from training.benchmark.facts import machine, network_facts
from training.benchmark.inference import Latency, measure_latency
from training.benchmark.original import PUBLISHED
from training.benchmark.throughput import Throughput, measure_throughput, with_pictures
from training.data.celeba import DataError
from training.fit.arguments import Range, add_device, check_numbers, given, given_path

THREADS, BATCHES = (1, 2), (1, 32)


def _parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m training.benchmark", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", type=given_path, default=WEIGHTS, help="default: the shipped ones")
    add_device(parser)
    parser.add_argument("--loops", type=int, default=100, help="images through each engine (default: 100)")
    parser.add_argument("--steps", type=int, default=4, help="training steps in each turn (default: 4)")
    parser.add_argument("--data_dir", type=given, help="CelebA to train on; default: generated pictures")
    parser.add_argument("--json", type=given_path, help="write all figures there as well")
    asked = parser.parse_args(arguments)
    check_numbers(parser, asked, loops=Range(1, 1_000_000), steps=Range(1, 100_000))
    return asked


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: Without the program's name; None for the program's own.

    Returns:
        The exit status: 0, or 1 if something went wrong.
    """
    asked = _parse_arguments(arguments)
    try:
        if asked.json:
            asked.json.parent.mkdir(parents=True, exist_ok=True)  # fail before the work, not after it
        report = _measure(asked)
        if asked.json:
            replace_text(asked.json, json.dumps(report, indent=2) + "\n")
    except (CheckpointError, DataError, OSError, ValueError) as error:
        print(f"training.benchmark: {error}", file=sys.stderr)
        return 1
    return 0


def _measure(asked: argparse.Namespace) -> dict[str, Any]:
    """Measure everything, printing each part as soon as it is done; returns the figures."""
    if asked.data_dir:
        # Reports what is wrong with it before the minutes of the first part.
        with_pictures(asked.data_dir, "train")
    device = choose_device(asked.device)
    around, network = machine(device), network_facts(asked.weights)
    for name, value in around.items():
        print(f"{name}: {value}")
    print(
        f"network: {network.parameters:,} parameters, {network.file_bytes:,} bytes, "
        f"{network.multiply_adds / 1e6:.0f} million multiply-adds a crop"
    )
    _print_latency_head(asked.loops)
    latencies: list[Latency] = []
    for threads, batch in itertools.product(THREADS if device.type == "cpu" else THREADS[:1], BATCHES):
        found = measure_latency(asked.weights, device, threads, batch, max(3, asked.loops // batch))
        _print_latencies(found)
        latencies += found
    throughput = measure_throughput(asked.data_dir, device, asked.steps)
    _print_throughput(throughput, asked)
    waits = []
    print(f"\nWhat training waits for: recipe best at full size, images a second\n{HEAD}")
    tried = (("host", 128), ("host", 1024), ("device", 128), ("device", 1024))
    settings = [setting(where, batch) for where, batch in (tried if device.type == "cuda" else tried[:1])]
    for row in bottlenecks(asked.data_dir, settings, device, asked.steps):
        print(row, flush=True)
        waits.append({**asdict(row), "bound_by": row.bound_by})
    return {
        "machine": around,
        "network": asdict(network),
        "latency": [asdict(row) for row in latencies],
        "throughput": asdict(throughput),
        "bottlenecks": waits,
        "original_published_images_per_second": PUBLISHED,
    }


def _print_latency_head(loops: int) -> None:
    stated = ", ".join(f"{rate} images a second on {where}" for where, rate in PUBLISHED.items())
    print(f"\nInference, median of the runs that {loops} images take. The original's own figures: {stated}")
    print(f"{'threads':>7} {'batch':>5} {'way':32} {'ms an image':>12} {'times faster':>13} {'difference':>11}")


def _print_latencies(rows: list[Latency]) -> None:
    """Print the rows of the table; the difference is the largest in probability, compared with the original."""
    for row in rows:
        start = f"{row.threads:7} {row.batch:5} {row.contender:32}"
        if row.milliseconds is None:
            print(f"{start} {'not installed':>12}")
        else:
            print(f"{start} {row.milliseconds:12.2f} {row.times_faster:13.2f} {row.difference:11.1e}", flush=True)


def _print_throughput(found: Throughput, asked: argparse.Namespace) -> None:
    pictures = "CelebA" if asked.data_dir else "generated pictures"
    print(f"\nTraining on {pictures}, loading included, images a second")
    for name, value in (
        ("original: eager, float32, Adam", found.original),
        ("recipe best, early size", found.early),
        ("recipe best, full size", found.full),
        ("recipe best, over a whole run", found.best),
    ):
        print(f"{name:32} {value:8.1f} {value / found.original:8.2f} times")


if __name__ == "__main__":
    sys.exit(main())
