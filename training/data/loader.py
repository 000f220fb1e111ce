"""Batches for training.

A batch depends only on the seed, the epoch and its place there, never on what was drawn before, so that a resumed run
sees the same batches as an unbroken one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from training.data.augment import Augmentation, resize
from training.data.cache import Pictures
from training.data.worker_signals import leave_to_main_process


@dataclass(frozen=True)
class CropSpec:
    """Size and augmentation of the crops in a batch.

    Args:
        height: Height in pixels.
        width: Width in pixels.
        augment: Whether they are augmented.
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
    """

    index: int
    epoch: int
    spec: CropSpec


@dataclass(frozen=True)
class TrainingSet(Dataset[tuple[Tensor, Tensor]]):
    """Training pictures and targets.

    Args:
        pictures: Decoded pictures.
        targets: (N, attributes), bool or from 0 to 1, nan where not known.
        augmentation: Used where a sample asks for it.
        seed: With epoch and index, decides how a picture is augmented.
    """

    pictures: Pictures
    targets: np.ndarray
    augmentation: Augmentation
    seed: int

    def __getitem__(self, sample: Sample) -> tuple[Tensor, Tensor]:
        """Prepare one picture.

        Args:
            sample: Which picture, and how.

        Returns:
            Its crop, uint8 RGB (height, width, 3), and its targets, float32 (attributes,) from 0 to 1, nan where not
            known.
        """
        crop, spec = np.array(self.pictures.array[sample.index]), sample.spec
        if spec.augment:
            rng = np.random.default_rng((self.seed, sample.epoch, sample.index))
            crop = self.augmentation(crop, rng, spec.height, spec.width)
        else:
            crop = resize(crop, spec.height, spec.width)
        return torch.from_numpy(crop), torch.from_numpy(self.targets[sample.index].astype(np.float32))


@dataclass(frozen=True)
class EpochBatches:
    """The shuffled batches of one epoch, for one of several processes.

    An incomplete last batch is left out, since batch norm would give its few images the weight of a full batch.

    Args:
        count: Pictures in the split.
        batch_size: Pictures in a batch, over all processes.
        seed: With the epoch, decides the order.
        epoch: Number of the epoch, from 0.
        first: Batches to skip.
        rank: Rank of this process.
        processes: Number of processes.
        spec_of_batch: Returns size and augmentation of the crops by the batch's number in the epoch. Called as late as
            possible, since a run with a time budget changes their size by the clock.
    """

    count: int
    batch_size: int
    seed: int
    epoch: int
    first: int
    rank: int
    processes: int
    spec_of_batch: Callable[[int], CropSpec]

    def __len__(self) -> int:
        return batches_per_epoch(self.count, self.batch_size) - self.first

    def __iter__(self) -> Iterator[list[Sample]]:
        order = np.random.default_rng((self.seed, self.epoch)).permutation(self.count)
        for batch in range(self.first, self.first + len(self)):
            mine = order[batch * self.batch_size : (batch + 1) * self.batch_size][self.rank :: self.processes]
            spec = self.spec_of_batch(batch)
            yield [Sample(int(index), self.epoch, spec) for index in mine]


def batches_per_epoch(count: int, batch_size: int) -> int:
    """Return the number of steps in an epoch: whole batches, but at least one.

    Args:
        count: Pictures in the split.
        batch_size: Pictures in a batch, over all processes.
    """
    return max(1, count // batch_size)


def load(pictures: TrainingSet, batches: EpochBatches, workers: int) -> DataLoader[tuple[Tensor, Tensor]]:
    """Prepare batches in worker processes, ahead of the training step.

    Args:
        pictures: Pictures and targets.
        batches: Which pictures are in each batch.
        workers: Number of worker processes; 0 to prepare them in this one.

    Returns:
        Batches of crops, uint8 RGB (n, height, width, 3), and targets, float32 (n, attributes).
    """
    return DataLoader(
        pictures,
        batch_sampler=batches,
        num_workers=workers,
        worker_init_fn=_begin_work,
        pin_memory=torch.cuda.is_available(),
    )


def _begin_work(_worker: int) -> None:
    """Set up a worker: a single OpenCV thread, since more would compete with other workers and the training step."""
    cv2.setNumThreads(0)
    leave_to_main_process()
