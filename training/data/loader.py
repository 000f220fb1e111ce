"""Batches for training. What a batch holds depends on the seed, the epoch and its place alone, never on what was drawn
before, so that a resumed run sees the very batches that an unbroken one would have seen."""

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
from training.fit.interruption import leave_to_main_process


@dataclass(frozen=True)
class Look:
    """What the crops of a batch are like: their size in pixels, and whether they are changed at random."""

    height: int
    width: int
    changed: bool


@dataclass(frozen=True)
class Draw:
    """One picture to prepare: which, in which epoch, and how."""

    index: int
    epoch: int
    look: Look


@dataclass(frozen=True)
class TrainingSet(Dataset[tuple[Tensor, Tensor]]):
    """Pictures, changed at random where a draw asks for it, with targets: (N, attributes), bool or
    in [0, 1], nan where not known."""

    pictures: Pictures
    targets: np.ndarray
    augmentation: Augmentation
    seed: int

    def __getitem__(self, draw: Draw) -> tuple[Tensor, Tensor]:
        """uint8 RGB (height, width, 3) and float32 (attributes,) from 0 to 1, nan where not known."""
        crop, look = np.array(self.pictures.array[draw.index]), draw.look
        if look.changed:
            rng = np.random.default_rng((self.seed, draw.epoch, draw.index))
            crop = self.augmentation(crop, rng, look.height, look.width)
        else:
            crop = resize(crop, look.height, look.width)
        return torch.from_numpy(crop), torch.from_numpy(self.targets[draw.index].astype(np.float32))


@dataclass(frozen=True)
class EpochBatches:
    """The batches of one epoch for one of several processes, shuffled.

    An incomplete last batch is left out, since batch norm would weigh its few images like many.

    count: pictures; batch_size: over all processes; first: batches to skip; look: of the crops in a given batch.
    """

    count: int
    batch_size: int
    seed: int
    epoch: int
    first: int
    rank: int
    processes: int
    look: Callable[[int], Look]

    def __len__(self) -> int:
        return batches_per_epoch(self.count, self.batch_size) - self.first

    def __iter__(self) -> Iterator[list[Draw]]:
        order = np.random.default_rng((self.seed, self.epoch)).permutation(self.count)
        for batch in range(self.first, self.first + len(self)):
            mine = order[batch * self.batch_size : (batch + 1) * self.batch_size][self.rank :: self.processes]
            look = self.look(batch)
            yield [Draw(int(index), self.epoch, look) for index in mine]


def batches_per_epoch(count: int, batch_size: int) -> int:
    """How many steps an epoch has: whole batches, and one where there are fewer pictures than that."""
    return max(1, count // batch_size)


def load(pictures: TrainingSet, batches: EpochBatches, workers: int) -> DataLoader[tuple[Tensor, Tensor]]:
    """Prepare batches in worker processes, ahead of the training step."""
    return DataLoader(
        pictures,
        batch_sampler=batches,
        num_workers=workers,
        worker_init_fn=begin_work,
        pin_memory=torch.cuda.is_available(),
    )


def begin_work(_worker: int) -> None:
    """One thread: OpenCV's own would fight with the other workers' and the training step's."""
    cv2.setNumThreads(0)
    leave_to_main_process()
