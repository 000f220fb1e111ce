"""Pictures that stay on the training device, which also gathers and augments batches."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from training.data import device_augment
from training.data.augment import draws_at
from training.data.cache import JoinedPictures, Pictures
from training.data.device_augment import send
from training.data.loader import EpochBatches, Sample, TrainingSet

_CHUNK = 1024  # pictures to copy to the device at a time


class DevicePictures:
    """A split's decoded pictures, held on a device.

    Args:
        pictures: Decoded pictures.
        device: Where to hold them; they take as many bytes as their file.

    Attributes:
        device: As given.
    """

    def __init__(self, pictures: Pictures | JoinedPictures, device: torch.device) -> None:
        self.device = device
        size = pictures.take(np.arange(1)).shape[1:]
        self._all = torch.empty((len(pictures), *size), dtype=torch.uint8, device=device)
        for indices in np.array_split(np.arange(len(pictures)), 1 + len(pictures) // _CHUNK):
            self._all[indices[0] : indices[-1] + 1] = torch.from_numpy(pictures.take(indices))

    def take(self, indices: np.ndarray) -> Tensor:
        """Gather pictures.

        Args:
            indices: Which, int64 (n,).

        Returns:
            uint8 RGB (n, height, width, 3), a copy on the device.
        """
        return self._all[send(indices, self.device)]


class DeviceLoader:
    """Prepares batches on the training device: the same as HostLoader's, except for rounding.

    Args:
        data: Pictures and targets.
        device: Where to hold them.
    """

    def __init__(self, data: TrainingSet, device: torch.device) -> None:
        self._data = data
        self._pictures = DevicePictures(data.pictures, device)
        self._targets = torch.from_numpy(data.targets.astype(np.float32)).to(device)

    def epoch(self, batches: EpochBatches) -> Iterator[tuple[Tensor, Tensor]]:
        """Prepare the batches of an epoch, each on demand.

        Args:
            batches: Which pictures are in each.

        Yields:
            Crops, uint8 RGB (n, height, width, 3), and targets, float32 (n, attributes), on the device.
        """
        for batch in batches:
            indices = np.array([sample.index for sample in batch])
            yield self._crops(batch, indices), self._targets[send(indices, self._pictures.device)]

    def _crops(self, batch: list[Sample], indices: np.ndarray) -> Tensor:
        """Gather a batch's pictures, and augment or resize them."""
        crops, spec = self._pictures.take(indices), batch[0].spec
        if not spec.augment:
            return device_augment.resize(crops, spec.height, spec.width)
        draws = np.stack([draws_at(self._data.seed, sample.epoch, sample.place) for sample in batch])
        return device_augment.augment(crops, self._data.augmentation.changes(draws), spec.height, spec.width)
