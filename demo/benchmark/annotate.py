"""How fast pictures are annotated, compared with a plain loop: ``python -m demo.benchmark annotate FILE_OR_FOLDER...``.

The plain loop opens, analyses and writes one picture after another in one process, with the threads that torch and
MediaPipe use by default. Both ways take turns on the same pictures, and their tables are compared.
"""

import io
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from demo.annotate.picture import annotate_picture
from demo.annotate.processes import annotate_in_processes
from demo.batch.files import PictureFiles
from demo.batch.outcome import Outcome
from demo.batch.workers import core_count, worker_count
from demo.pipeline.analyse import Pipeline
from demo.pipeline.table import COLUMNS, write_rows
from slimnet import Predictor

_PROBABILITY_TOLERANCE = 1e-4
_FIRST_PROBABILITY = len(COLUMNS)


class PicturesError(ValueError):
    """The pictures can't be measured with; the message says why."""


@dataclass(frozen=True)
class _Run:
    """One pass over all pictures.

    Attributes:
        outcomes: the outcome of each picture.
        start: seconds to the first outcome.
        rest: seconds from there until all rows are written.
    """

    outcomes: list[Outcome]
    start: float
    rest: float


def report_annotate(
    inputs: Sequence[str], pictures: int, workers: int | None, rounds: int, weights: Path, device: str
) -> bool:
    """Measure both ways in turn, and print the medians.

    Args:
        inputs: files, and folders to search.
        pictures: how many to take at most, in the order found.
        workers: number of processes; None for demo.annotate's own choice.
        rounds: turns of each way.
        weights: SlimNet's weights.
        device: "auto", "cpu", "cuda" or "mps".

    Returns:
        Whether both ways find the same faces, with probabilities that differ by less than 1e-4.

    Raises:
        PicturesError: there are fewer than two pictures, or one cannot be read.
        demo.batch.workers.WorkerError: a process could not start.
    """
    files = PictureFiles(inputs).files[:pictures]
    if len(files) < 2:
        raise PicturesError(
            f"at least two pictures are needed to measure with, and {len(files)} were taken from {', '.join(inputs)}"
        )
    count = workers or worker_count(len(files))
    plain_runs, our_runs = [], []
    for _ in range(rounds):
        begin = time.perf_counter()
        pipeline = Pipeline.load(weights, device)
        plain_runs.append(_time(begin, (annotate_picture(pipeline, file) for file in files)))
        begin = time.perf_counter()
        our_runs.append(_time(begin, annotate_in_processes(files, weights, Predictor(weights, device), count)))
    _print_medians(plain_runs, our_runs, count)
    largest = difference(our_runs[0].outcomes, plain_runs[0].outcomes)
    print(f"Largest difference of a probability: {largest:.6f}")
    return largest < _PROBABILITY_TOLERANCE


def _time(begin: float, outcomes: Iterable[Outcome]) -> _Run:
    """Write the rows of all outcomes to memory, and time it from `begin`, in seconds of `time.perf_counter`."""
    first = begin
    found: list[Outcome] = []
    table = io.StringIO()
    for outcome in outcomes:
        first = first if found else time.perf_counter()
        if outcome.failure:
            raise PicturesError(f"only pictures that can be read can be measured with: {outcome.failure}")
        write_rows(table, outcome.rows)
        found.append(outcome)
    return _Run(found, first - begin, time.perf_counter() - first)


def difference(ours: Sequence[Outcome], plain: Sequence[Outcome]) -> float:
    """Compare what two ways found in the same pictures.

    Args:
        ours: the outcomes of one way.
        plain: the outcomes of the other way.

    Returns:
        The largest absolute difference of a probability; infinite if anything else differs.
    """
    rows, same = ([row for outcome in outcomes for row in outcome.rows] for outcomes in (ours, plain))
    failures, same_failures = ([outcome.failure for outcome in outcomes] for outcomes in (ours, plain))
    boxes, same_boxes = ([row[:_FIRST_PROBABILITY] for row in table] for table in (rows, same))
    if boxes != same_boxes or failures != same_failures:
        return float("inf")
    values, others = ([float(text) for row in table for text in row[_FIRST_PROBABILITY:]] for table in (rows, same))
    return max((abs(value - other) for value, other in zip(values, others, strict=True)), default=0.0)


def _print_medians(plain: Sequence[_Run], ours: Sequence[_Run], count: int) -> None:
    """Print the medians of both ways, and their ratio."""
    print(f"{len(plain[0].outcomes)} pictures, {core_count()} cores, median of {len(plain)}; pictures a second")
    print(f"{'':<20}{'plain loop':>12}{f'{count} processes':>14}{'ratio':>8}")
    rates: dict[str, Callable[[_Run], float]] = {
        "once running": lambda run: (len(run.outcomes) - 1) / run.rest,
        "with the start": lambda run: len(run.outcomes) / (run.start + run.rest),
    }
    for name, rate in rates.items():
        before, after = median(map(rate, plain)), median(map(rate, ours))
        print(f"{name:<20}{before:>12.2f}{after:>14.2f}{after / before:>8.2f}")
