"""Batches for training.

A batch depends only on the seed, the epoch and its place in it, never on earlier draws, so that a resumed run sees the
same batches as an unbroken one.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from training.data.augment import Augmentation, draws_at, resize
from training.data.cache import JoinedPictures, Pictures
from training.data.draws import Draws
from training.data.worker_signals import leave_to_main_process

PREFETCH = 4  # batches that each worker prepares ahead


@dataclass(frozen=True)
class CropSpec:
    """Size and augmentation of the crops in a batch.

    Args:
        height: Height in pixels.
        width: Width in pixels.
        augment: Whether to augment them.
    """

    height: int
    width: int
    augment: bool


@dataclass(frozen=True)
class Sample:
    """One picture to prepare.

    Args:
        index: Its index in the split.
        epoch: Number of the epoch, from 0.
        spec: Size and augmentation of its crop.
        place: Its place in the epoch's order, from 0.
    """

    index: int
    epoch: int
    spec: CropSpec
    place: int


@dataclass(frozen=True)
class TrainingSet(Dataset[tuple[Tensor, Tensor]]):
    """Training pictures and targets.

    Args:
        pictures: Decoded pictures.
        targets: (N, attributes), bool or from 0 to 1, nan if unknown.
        augmentation: Used if a sample asks for it.
        seed: Together with a sample's epoch and place, decides how it is augmented.
    """

    pictures: Pictures | JoinedPictures
    targets: np.ndarray
    augmentation: Augmentation
    seed: int

    def __getitem__(self, sample: Sample) -> tuple[Tensor, Tensor]:
        """Prepare one picture.

        Args:
            sample: Which picture, and how.

        Returns:
            Its crop, uint8 RGB (height, width, 3), and its targets, float32 (attributes,) from 0 to 1, nan if not
            known.
        """
        crop, spec = self.pictures.take(np.array([sample.index]))[0], sample.spec
        if spec.augment:
            draws = draws_at(self.seed, sample.epoch, sample.place)
            crop = self.augmentation(crop, draws, spec.height, spec.width)
        else:
            crop = resize(crop, spec.height, spec.width)
        return torch.from_numpy(crop), torch.from_numpy(self.targets[sample.index].astype(np.float32))


@dataclass(frozen=True)
class EpochBatches:
    """The shuffled batches of one epoch, for one of several processes.

    Leaves out an incomplete last batch, since batch norm would give its few images the weight of a full batch.

    Args:
        draws: How often each picture is drawn.
        batch_size: Pictures in a batch, over all processes.
        seed: Together with the epoch, decides which pictures are drawn, and their order.
        epoch: Number of the epoch, from 0.
        first: Batches to skip.
        rank: Rank of this process.
        processes: Number of processes.
        spec_of_batch: Returns size and augmentation of the crops, given the batch's number in the epoch. Called as late
            as possible, since a run with a time budget changes their size by the clock.
    """

    draws: Draws
    batch_size: int
    seed: int
    epoch: int
    first: int
    rank: int
    processes: int
    spec_of_batch: Callable[[int], CropSpec]

    def __len__(self) -> int:
        return batches_per_epoch(len(self.draws), self.batch_size) - self.first

    def __iter__(self) -> Iterator[list[Sample]]:
        order = self.draws.of_epoch(self.seed, self.epoch)
        for batch in range(self.first, self.first + len(self)):
            places = range(len(order))[batch * self.batch_size :][: self.batch_size][self.rank :: self.processes]
            spec = self.spec_of_batch(batch)
            yield [Sample(int(order[place]), self.epoch, spec, place) for place in places]


def batches_per_epoch(count: int, batch_size: int) -> int:
    """Return the number of steps in an epoch: whole batches, but at least one.

    Args:
        count: Pictures that an epoch draws.
        batch_size: Pictures in a batch, over all processes.
    """
    return max(1, count // batch_size)


class Loader(Protocol):
    """Yields the batches of one epoch after another."""

    def epoch(self, batches: EpochBatches) -> Iterable[tuple[Tensor, Tensor]]:
        """Prepare the batches of an epoch.

        Args:
            batches: Which pictures are in each.

        Returns:
            Batches of crops, uint8 RGB (n, height, width, 3), and targets, float32 (n, attributes), on any device.
        """


class HostLoader:
    """Prepares batches ahead of the training step, in worker processes that are kept from epoch to epoch.

    Args:
        pictures: Pictures and targets.
        workers: Number of worker processes; 0 to prepare batches in this one.
        pin: Whether to put batches into pinned memory, so that copying them to a GPU need not wait.
    """

    def __init__(self, pictures: TrainingSet, workers: int, pin: bool = False) -> None:
        self._plan = _Plan()
        self._loader: DataLoader[tuple[Tensor, Tensor]] = DataLoader(
            pictures,
            batch_sampler=self._plan,
            num_workers=workers,
            worker_init_fn=_begin_work,
            pin_memory=pin,
            persistent_workers=workers > 0,
            prefetch_factor=PREFETCH if workers else None,
        )

    def epoch(self, batches: EpochBatches) -> DataLoader[tuple[Tensor, Tensor]]:
        """Prepare the batches of an epoch.

        Args:
            batches: Which pictures are in each.

        Returns:
            Batches of crops, uint8 RGB (n, height, width, 3), and targets, float32 (n, attributes), on the CPU.
        """
        self._plan.batches = batches
        return self._loader


class _Plan(Sampler[list[Sample]]):
    """The batch sampler of a loader that outlives epochs: yields the current epoch's batches."""

    batches: EpochBatches

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[list[Sample]]:
        return iter(self.batches)


def _begin_work(_worker: int) -> None:
    """Set up a worker: a single OpenCV thread, since more would compete with other workers and the training step."""
    cv2.setNumThreads(0)
    leave_to_main_process()
