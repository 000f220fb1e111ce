"""Which of several weights are better, on the same pictures: `python -m training.compare --weights A B … --data_dir D`.

Prints a Markdown table that compares each with the first, with 95 % bootstrap intervals of the differences. Since all
answer the same pictures, these are much narrower than the intervals of the figures themselves.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from slimnet import CheckpointError, Predictor
from training.data.celeba import SPLITS, DataError, Split
from training.fit.arguments import (
    BATCH_SIZE,
    RESAMPLES,
    add_batch_size,
    add_data_dirs,
    add_device,
    add_resamples,
    check_numbers,
    given,
)
from training.measure import bootstrap, metrics
from training.measure.calibration_error import log_losses
from training.measure.predictions import probabilities, raw_logits, read_splits
from training.report import tables as report


@dataclass(frozen=True)
class Means:
    """Means over the attributes, each (1 + resamples,): for all pictures, then for every bootstrap sample.

    Attributes:
        accuracy: Of the ticks, 0 to 1.
        balanced_accuracy: Of the ticks, 0 to 1.
        log_loss: Of the probabilities, with the weights' temperatures.
    """

    accuracy: np.ndarray
    balanced_accuracy: np.ndarray
    log_loss: np.ndarray


def means(predictor: Predictor, split: Split, batch_size: int, draws: np.ndarray) -> Means:
    """Measure weights on a split.

    Args:
        predictor: The weights.
        split: Pictures and labels.
        batch_size: Pictures at a time.
        draws: (resamples, N), from bootstrap.draw.

    Returns:
        The figures on the split and on every bootstrap sample of it.

    Raises:
        DataError: Pictures are damaged.
    """
    found = probabilities(predictor, split, batch_size)
    weights = np.vstack([np.ones(len(split), draws.dtype), draws])
    ticks = bootstrap.resampled_ticks(split.labels, found, split.known, weights)
    losses = log_losses(raw_logits(found, None), split.labels)
    return Means(
        metrics.mean(ticks["accuracy"]),
        metrics.mean(ticks["balanced_accuracy"]),
        metrics.mean(metrics.known_means(losses, split.known, weights)),
    )


def table(names: Sequence[str], found: Sequence[Means]) -> str:
    """Format a comparison as a Markdown table: accuracies in per cent, their differences in points.

    Args:
        names: A name for each of `found`.
        found: The figures of each; the others are compared with the first.

    Returns:
        The table, with the 95 % bootstrap interval of every difference.
    """
    header = ("weights", "accuracy", "difference", "balanced accuracy", "difference", "log loss", "difference")
    rows = []
    for name, each in zip(names, found, strict=True):
        row = [name]
        for figure, factor, digits in (("accuracy", 100, 2), ("balanced_accuracy", 100, 2), ("log_loss", 1, 4)):
            values, first = getattr(each, figure), getattr(found[0], figure)
            mean = "–" if np.isnan(values[0]) else f"{factor * values[0]:.{digits}f}"
            row += [mean, _difference(factor * (values - first), digits)]
        rows.append(row)
    return report.table(header, rows)


def _difference(values: np.ndarray, digits: int) -> str:
    """Format a difference with its interval; values: (1 + resamples,), nan where one is undefined."""
    if np.isnan(values[0]) or not np.nan_to_num(values).any():
        return "–"
    low, high = bootstrap.interval(values[1:])
    return f"{values[0]:+.{digits}f} ({low:+.{digits}f} to {high:+.{digits}f})"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: Without the program's name; None for the program's own.

    Returns:
        The exit status: 0, or 1 if something went wrong.
    """
    parser = argparse.ArgumentParser("python -m training.compare", description="Compare weights on the same pictures.")
    parser.add_argument(
        "--weights", type=given, nargs="+", required=True, help="the first is what the others are compared with"
    )
    add_data_dirs(parser)
    parser.add_argument(
        "--split", default="valid", choices=tuple(SPLITS), help="never choose by test (default: %(default)s)"
    )
    add_batch_size(parser)
    add_resamples(parser)
    add_device(parser)
    options = parser.parse_args(arguments)
    check_numbers(parser, options, batch_size=BATCH_SIZE, resamples=RESAMPLES)
    try:
        predictors = [Predictor(path, options.device) for path in options.weights]
        attributes = predictors[0].attributes
        for path, predictor in zip(options.weights, predictors, strict=True):
            if set(predictor.attributes) != set(attributes):
                raise DataError(f"{path} has other attributes than {options.weights[0]}: their means say nothing")
        split = read_splits(attributes, options.weights[0], options.data_dir)[options.split]
        if not len(split):
            raise DataError(f"{' and '.join(options.data_dir)} has no pictures in its {options.split} split")
        if not split.known.any():
            raise DataError(f"no label of the {options.split} split is known: nothing can be compared")
        draws = bootstrap.draw(split.identities, options.resamples)
        found = [
            means(predictor, split.with_attributes(predictor.attributes), options.batch_size, draws)
            for predictor in predictors
        ]
    except (CheckpointError, DataError, OSError, ValueError) as error:
        print(f"training.compare: {error}", file=sys.stderr)
        return 1
    print(table([Path(path).as_posix() for path in options.weights], found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
