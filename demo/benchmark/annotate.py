"""Measure annotating many pictures against a plain loop: ``python -m demo.benchmark.annotate FILE_OR_FOLDER...``.

The plain loop opens, analyses and writes one picture after the other in one process, with the threads that torch and
MediaPipe take by themselves. Both ways take turns on the same pictures, and their tables are compared.
"""

import argparse
import io
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from demo.annotate.__main__ import positive
from demo.annotate.files import PictureFiles
from demo.annotate.picture import Outcome, annotate_in_processes, annotate_picture, worker_count
from demo.paths import WEIGHTS
from demo.pipeline.analyse import Pipeline
from demo.pipeline.table import write_rows


@dataclass(frozen=True)
class Run:
    """One way over all pictures: what it found, and how many seconds it took to the first picture and after that."""

    outcomes: list[Outcome]
    start: float
    rest: float

    @property
    def seconds(self) -> float:
        return self.start + self.rest

    @property
    def rate(self) -> float:
        """Pictures a second once it runs."""
        return (len(self.outcomes) - 1) / self.rest


def measure(begin: float, outcomes: Iterable[Outcome]) -> Run:
    """Write the rows of all outcomes to memory, on the clock since `begin`."""
    first = begin
    found: list[Outcome] = []
    table = io.StringIO()
    for outcome in outcomes:
        first = first if found else time.perf_counter()
        write_rows(table, outcome.rows)
        found.append(outcome)
    return Run(found, first - begin, time.perf_counter() - first)


def difference(ours: Sequence[Outcome], plain: Sequence[Outcome]) -> float:
    """The largest difference of a probability in two lists of outcomes; infinite where anything else differs."""
    rows, same = ([row for outcome in outcomes for row in outcome.rows] for outcomes in (ours, plain))
    if [row[:6] for row in rows] != [row[:6] for row in same] or [o.failure for o in ours] != [
        o.failure for o in plain
    ]:
        return float("inf")
    values, others = ([float(text) for row in table for text in row[6:]] for table in (rows, same))
    return max((abs(value - other) for value, other in zip(values, others, strict=True)), default=0.0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print. Gives the exit status: 1 where the two ways find different things."""
    parser = argparse.ArgumentParser(prog="python -m demo.benchmark.annotate", description=__doc__)
    parser.add_argument("inputs", nargs="+", metavar="FILE_OR_FOLDER")
    parser.add_argument("--pictures", type=positive, default=500, help="take the first so many (default: %(default)s)")
    parser.add_argument("--workers", type=positive, help="processes (default: as demo.annotate chooses)")
    parser.add_argument("--rounds", type=positive, default=3, help="turns of each way (default: %(default)s)")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    options = parser.parse_args(arguments)
    files = PictureFiles(options.inputs).files[: options.pictures]
    if len(files) < 2:
        parser.error("there are not two pictures to measure with")
    count = options.workers or worker_count(len(files))
    plain_runs, our_runs = [], []
    for _ in range(options.rounds):
        begin = time.perf_counter()
        pipeline = Pipeline(options.weights, options.device)
        plain_runs.append(measure(begin, (annotate_picture(pipeline, file) for file in files)))
        begin = time.perf_counter()
        our_runs.append(measure(begin, annotate_in_processes(files, options.weights, options.device, count)))
    off = difference(our_runs[0].outcomes, plain_runs[0].outcomes)
    report(plain_runs, our_runs, count)
    print(f"Largest difference of a probability: {off:.6f}")
    return 0 if off < 1e-4 else 1


def report(plain: Sequence[Run], ours: Sequence[Run], count: int) -> None:
    """Print the medians of both ways, and their ratio."""
    print(f"{len(plain[0].outcomes)} pictures, {os.cpu_count()} cores, median of {len(plain)}; pictures a second")
    print(f"{'':<20}{'plain loop':>12}{f'{count} processes':>14}{'ratio':>8}")
    rates: dict[str, Callable[[Run], float]] = {
        "once running": lambda run: run.rate,
        "with the start": lambda run: len(run.outcomes) / run.seconds,
    }
    for name, rate in rates.items():
        before, after = median(map(rate, plain)), median(map(rate, ours))
        print(f"{name:<20}{before:>12.2f}{after:>14.2f}{after / before:>8.2f}")


if __name__ == "__main__":
    sys.exit(main())
