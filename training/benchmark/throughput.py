"""Images a second in training, including loading: the original's way against the recipe `best`."""

import itertools
import math
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from slimnet import ATTRIBUTES, transform
from training.benchmark.original import OriginalTraining
from training.data.cache import LabelledPictures, decoded
from training.data.celeba import DataError, Split, read_celeba
from training.data.draws import Draws
from training.data.folders import RunData
from training.data.loader import CropSpec, EpochBatches, Loader
from training.fit.config import RECIPES, TrainConfig
from training.fit.runtime.distributed import Process
from training.fit.runtime.memory import keep_freed_memory
from training.fit.schedule import crop_size
from training.fit.trainer import Trainer

_PICTURES = 1024  # to train on, at most
_BATCHES_PER_EPOCH = 100  # at least
_ROUNDS = 3  # turns of each way; the median counts


@dataclass(frozen=True)
class Throughput:
    """Training throughput, in images a second.

    Attributes:
        original: The original's way.
        early: The recipe `best` at the early size, with which it begins.
        full: The recipe `best` at full size.
        best: The recipe `best` over a whole run, worked out from `early` and `full`.
        times_faster: `best` as a multiple of `original`.
    """

    original: float
    early: float
    full: float
    best: float
    times_faster: float


def measure_throughput(data_dir: str | None, device: torch.device, steps: int) -> Throughput:
    """Let each way train for some steps in turn; the median counts.

    Each turn runs in a separate process, since our way changes how the process keeps memory.

    Args:
        data_dir: CelebA, or None for generated pictures.
        device: Where to train.
        steps: Timed training steps in each turn.

    Returns:
        The rates.

    Raises:
        DataError: CelebA cannot be used.
    """
    with tempfile.TemporaryDirectory() as folder:
        split = with_pictures(data_dir, "train") if data_dir else generated(Path(folder), _PICTURES)
        split = split.only(np.arange(min(_PICTURES, len(split))))
        ways: dict[str, Callable[[], float]] = {
            "original": partial(original, split, device, steps),
            "early": partial(best, split, device, steps, folder, early=True),
            "full": partial(best, split, device, steps, folder, early=False),
        }
        rates: dict[str, list[float]] = {name: [] for name in ways}
        for _, (name, way) in itertools.product(range(_ROUNDS), ways.items()):
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as alone:
                rates[name].append(alone.submit(way).result())
    plain, early, full = (statistics.median(rates[name]) for name in ways)
    share = RECIPES["best"]["early_share"]
    whole = 1 / (share / early + (1 - share) / full)
    return Throughput(plain, early, full, whole, whole / plain)


def original(split: Split, device: torch.device, steps: int) -> float:
    """Time the original's way of training.

    Args:
        split: Pictures and labels to train on.
        device: Where to train.
        steps: Timed training steps.

    Returns:
        Images a second.
    """
    training = OriginalTraining(split, TrainConfig(), device)
    return rate(itertools.chain.from_iterable(itertools.repeat(training.loader)), training.step, steps)


def best(split: Split, device: torch.device, steps: int, folder: str, early: bool) -> float:
    """Time the recipe `best`, with its own loader and training step.

    Args:
        split: Pictures and labels to train on.
        device: Where to train.
        steps: Timed training steps.
        folder: Folder for the decoded pictures and the run's files.
        early: Whether crops have the recipe's early size rather than the full one.

    Returns:
        Images a second.
    """
    config = TrainConfig(**RECIPES["best"], num_classes=len(split.attributes), save_dir=folder)
    trainer = ready(config, split, device, folder)
    return rate(batches(trainer, trainer.open_loader(), early), step_of(trainer), steps)


def ready(config: TrainConfig, split: Split, device: torch.device, folder: str) -> Trainer:
    """Set up training for timed steps.

    Args:
        config: Settings of the run.
        split: Pictures and labels to train on.
        device: Where to train.
        folder: Folder for the decoded pictures.
    """
    keep_freed_memory()
    data = LabelledPictures(decoded(split, folder, transform, max(1, config.num_workers)), split)
    trainer = Trainer(config, RunData.of(data, data), Process(0, 1, device))
    trainer.wrapped.train()
    return trainer


def batches(trainer: Trainer, loader: Loader, early: bool = False) -> Iterator[tuple[Tensor, Tensor]]:
    """Prepare augmented batches endlessly.

    Args:
        trainer: Trainer that they are for.
        loader: From the trainer's open_loader.
        early: Whether crops have the recipe's early size rather than the full one.

    Yields:
        Crops and targets, from the loader.
    """
    config = trainer.config
    spec = CropSpec(*crop_size(config, transform.height, transform.width, early), augment=True)
    # Workers prepare nothing ahead at an epoch's end, so the few pictures are repeated until an epoch is long enough.
    folders = trainer.data.draws.folders
    passes = math.ceil(_BATCHES_PER_EPOCH * config.batch_size / len(trainer.data.draws))
    draws = Draws(tuple((count, passes * often) for count, often in folders))
    for epoch in itertools.count():
        plan = EpochBatches(draws, config.batch_size, config.seed, epoch, 0, 0, 1, lambda _: spec)
        yield from loader.epoch(plan)


def step_of(trainer: Trainer) -> Callable[[Tensor, Tensor], None]:
    """Return a function that takes a step and, as often as training does, reads the losses.

    Args:
        trainer: Trainer that takes the step.
    """

    def step(crops: Tensor, labels: Tensor) -> None:
        trainer.step(crops, labels)
        if len(trainer.losses) >= trainer.steps_between_reads:
            trainer.read_losses()

    return step


def rate(
    batches: Iterable[tuple[Tensor, Tensor]], step: Callable[[Tensor, Tensor], object], steps: int, untimed: int = 1
) -> float:
    """Measure images a second.

    Args:
        batches: At least steps + untimed batches.
        step: Takes each batch.
        steps: Timed steps.
        untimed: Steps before them, while the loader starts.

    Returns:
        Images a second.
    """
    images = 0
    start = time.perf_counter()
    for number, (crops, labels) in enumerate(batches, 1):
        step(crops, labels)
        images += len(crops)
        if number == untimed:
            wait_for_gpu()
            images, start = 0, time.perf_counter()
        if number == untimed + steps:
            break
    wait_for_gpu()
    return images / (time.perf_counter() - start)


def wait_for_gpu() -> None:
    """Wait until every GPU has finished its work; return at once if there is none."""
    if torch.accelerator.is_available():
        for number in range(torch.accelerator.device_count()):
            torch.accelerator.synchronize(number)


def with_pictures(data_dir: str, name: str) -> Split:
    """Read a split of CelebA.

    Args:
        data_dir: Its folder.
        name: "train" or "valid".

    Raises:
        DataError: The folder cannot be read, or the split has no pictures.
    """
    split = read_celeba(data_dir, wanted=ATTRIBUTES)[name]
    if not len(split):
        raise DataError(f"{data_dir} has no pictures in its {name} split")
    return split


def generated(folder: Path, pictures: int) -> Split:
    """Generate pictures of CelebA's size with about as much detail, from smooth noise, and random labels.

    Args:
        folder: Folder for the JPEG files.
        pictures: How many.

    Returns:
        The pictures, each of a different person; a fifth of the labels are on.
    """
    rng = np.random.default_rng(0)
    paths = tuple(folder / f"{number:06d}.jpg" for number in range(pictures))
    for path in paths:
        noise = cv2.resize(rng.integers(0, 256, (28, 23, 3), np.uint8), (178, 218), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(path), noise)
    return Split(paths, rng.random((pictures, len(ATTRIBUTES))) < 0.2, ATTRIBUTES, np.arange(pictures))
