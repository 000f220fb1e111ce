"""What a run reports as it goes: lines for a log if there is no terminal, and values for TensorBoard."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch

from training.data.counting import SECONDS_BETWEEN_LINES, in_words
from training.data.folders import RunData
from training.fit.config import TrainConfig
from training.fit.record.run_state import Progress
from training.fit.runtime.distributed import Process


def describe_run(config: TrainConfig, data: RunData, process: Process, dtype: torch.dtype, steps_per_epoch: int) -> str:
    """Describe in one line what a run does, and on what.

    Args:
        config: Its settings.
        data: Its pictures and labels.
        process: This process.
        dtype: Number format of the forward and backward pass.
        steps_per_epoch: Optimiser steps in an epoch.
    """
    gpu = f" ({torch.cuda.get_device_name(process.device)})" if process.device.type == "cuda" else ""
    shared = f", in {process.count} processes" if process.count > 1 else ""
    drawn = f", {len(data.draws):,} drawn each epoch" if len(data.draws) != len(data.train.split) else ""
    end = f"{config.minutes:g} minutes" if config.minutes else f"{config.num_epochs:,} epochs"
    return (
        f"training on {process.device}{gpu} in {str(dtype).removeprefix('torch.')}{shared}: "
        f"{len(data.train.split):,} pictures{drawn}, batch size {config.batch_size:,}, "
        f"{steps_per_epoch:,} steps an epoch, {end}"
    )


class ProgressLog:
    """Writes a line each minute to the standard error stream, unless it is a terminal, which has progress bars.

    Args:
        writes: Whether this process reports.
        steps_per_epoch: Optimiser steps in an epoch.
    """

    def __init__(self, writes: bool, steps_per_epoch: int) -> None:
        self._active = writes and not sys.stderr.isatty()
        self._steps = steps_per_epoch
        self._last, self._last_fraction = Progress(), 0.0

    def begin(self, text: str, progress: Progress, fraction: float) -> None:
        """Write the first line.

        Args:
            text: What the run does.
            progress: Where it continues.
            fraction: Fraction of the run that is over, from 0 to 1.
        """
        self._write(f"{text}{f'; going on after step {progress.step:,}' if progress.step else ''}", progress, fraction)

    def step(self, progress: Progress, fraction: float) -> None:
        """Write a line if the last one is a minute old.

        Args:
            progress: How far the run is.
            fraction: Fraction of the run that is over, from 0 to 1.
        """
        seconds = progress.seconds - self._last.seconds
        if seconds < SECONDS_BETWEEN_LINES or not progress.batch:
            return
        before = self._last if self._last.epoch == progress.epoch else Progress()
        loss = (progress.loss_sum - before.loss_sum) / max(1, progress.batch - before.batch)
        rate = (progress.images - self._last.images) / seconds
        done = fraction - self._last_fraction
        left = f", {in_words((1 - fraction) * seconds / done)} left" if done > 0 else ""
        self._write(
            f"epoch {progress.epoch + 1}, step {progress.batch:,} of {self._steps:,}: loss {loss:.4f}, "
            f"{rate:,.0f} images/s{left}",
            progress,
            fraction,
        )

    def leave_out(self, seconds: float, fraction: float) -> None:
        """Leave time that was no training, such as validation, out of the next line's figures.

        Args:
            seconds: How long it took.
            fraction: Fraction of the run that it took, from 0 to 1.
        """
        self._last.seconds += seconds
        self._last_fraction += fraction

    def _write(self, line: str, progress: Progress, fraction: float) -> None:
        self._last, self._last_fraction = replace(progress), fraction
        if self._active:
            print(line, file=sys.stderr, flush=True)


def scalars(metrics: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """Give each value of an epoch's metrics a name for TensorBoard.

    Args:
        metrics: Numbers by name; those of attributes are nested, and undefined ones are None.

    Yields:
        Names and values. Those of attributes are in their own group, such as "valid attributes/Male/f1".
    """
    for name, value in metrics.items():
        if isinstance(value, dict):
            group = name.replace("/", " ")
            for attribute, figures in value.items():
                yield from (
                    (f"{group}/{attribute}/{key}", number) for key, number in figures.items() if number is not None
                )
        elif value is not None:
            yield name, value
