"""What training waits for: its loader or its network."""

import itertools
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from training.benchmark.facts import cores
from training.benchmark.throughput import batches, generated, rate, ready, step_of, with_pictures
from training.data.celeba import Split
from training.data.loader import PREFETCH, HostLoader
from training.fit.config import RECIPES, TrainConfig

_MAX_WORKERS = 16  # each keeps some batches in shared memory


@dataclass(frozen=True)
class Bottleneck:
    """Speeds of the recipe `best` at full size, in images a second.

    Attributes:
        pictures_on: Where pictures are kept and augmented: "device" or "host".
        batch_size: Pictures in a batch.
        channels_last: Memory layout.
        workers: Processes that prepare batches; no effect on the device.
        loader: The loader alone.
        step: The training step alone, on the same batch again and again.
        both: Training, with both.
    """

    pictures_on: str
    batch_size: int
    channels_last: bool
    workers: int
    loader: float
    step: float
    both: float

    @property
    def bound_by(self) -> str:
        """What training waits for: "loader" or "network", whichever alone is slower."""
        return "loader" if self.loader < self.step else "network"

    def __str__(self) -> str:
        layout = "channels last" if self.channels_last else "channels first"
        return (
            f"{self.pictures_on:6} {self.batch_size:5} {layout:14} {self.loader:9.1f} {self.step:9.1f} "
            f"{self.both:9.1f}  {self.bound_by}"
        )


HEAD = f"{'on':6} {'batch':>5} {'layout':14} {'loader':>9} {'step':>9} {'both':>9}  bound by"


def bottlenecks(
    data_dir: str | None, settings: Sequence[TrainConfig], device: torch.device, steps: int, pictures: int = 1024
) -> Iterator[Bottleneck]:
    """Measure what training waits for, with several settings.

    Args:
        data_dir: CelebA, or None for generated pictures.
        settings: Settings to try, from `setting`.
        device: Where to train.
        steps: Timed steps.
        pictures: How many to train on, at most.

    Yields:
        The speeds with each setting; leaves out those whose step does not fit into memory.

    Raises:
        DataError: CelebA cannot be used.
    """
    with tempfile.TemporaryDirectory() as folder:
        split = with_pictures(data_dir, "train") if data_dir else generated(Path(folder), pictures)
        split = split.only(np.arange(min(pictures, len(split))))
        for config in settings:
            try:
                yield bottleneck(config, split, device, steps, folder)
            except torch.OutOfMemoryError:  # noqa: PERF203 (each takes seconds)
                torch.cuda.empty_cache()


def setting(pictures_on: str, batch_size: int, channels_last: bool = True) -> TrainConfig:
    """Return the recipe `best` with the given settings, which decide its speed.

    Batches are prepared by one process for each core except two, which are left to training, and by 16 at most.

    Args:
        pictures_on: "device" or "host".
        batch_size: Pictures in a batch.
        channels_last: Memory layout.
    """
    mine = {"batch_size": batch_size, "pictures_on": pictures_on, "num_workers": min(_MAX_WORKERS, max(1, cores() - 2))}
    return TrainConfig(**{**RECIPES["best"], **mine, "channels_last": channels_last})


def bottleneck(config: TrainConfig, split: Split, device: torch.device, steps: int, folder: str) -> Bottleneck:
    """Time the loader, the training step, and both together.

    Args:
        config: Settings of the run.
        split: Pictures and labels to train on.
        device: Where to train.
        steps: Timed steps of each.
        folder: Folder for the decoded pictures.

    Returns:
        The speeds.

    Raises:
        torch.OutOfMemoryError: A step does not fit into the device's memory.
    """
    trainer = ready(replace(config, num_classes=len(split.attributes)), split, device, folder)
    loader = trainer.open_loader()
    host = isinstance(loader, HostLoader)
    # Otherwise, what workers have prepared ahead would count as the loader's speed.
    untimed = 1 + PREFETCH * config.num_workers * host
    alone = rate(batches(trainer, loader), _leave, steps, untimed)
    crops, labels = (tensor.to(device) for tensor in next(batches(trainer, loader)))
    step = rate(itertools.repeat((crops, labels)), step_of(trainer), steps, untimed=3)
    both = rate(batches(trainer, loader), step_of(trainer), steps, untimed)
    where = "host" if host else "device"
    return Bottleneck(where, len(crops), config.channels_last, config.num_workers, alone, step, both)


def _leave(_crops: Tensor, _labels: Tensor) -> None:
    """Do nothing with a batch."""
