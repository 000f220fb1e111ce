"""How often each folder's pictures are drawn in an epoch, and which ones."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Draws:
    """The pictures of an epoch, given how often each folder's are drawn.

    A folder's pictures come in shuffled passes, one after another, of which each epoch takes the next part: at 0.5
    every picture is seen once in two epochs, at 2 twice in every epoch.

    Args:
        folders: For each folder, in the order of the joined pictures, the number of its training pictures and how often
            each is drawn in an epoch, over 0.
    """

    folders: tuple[tuple[int, float], ...]

    @classmethod
    def once(cls, count: int) -> "Draws":
        """Return the draws of one folder, with each picture drawn once in an epoch.

        Args:
            count: Number of its pictures.
        """
        return cls(((count, 1.0),))

    def __len__(self) -> int:
        """Number of pictures in an epoch."""
        return sum(_drawn(count, often) for count, often in self.folders)

    @property
    def even(self) -> bool:
        """Whether every picture is drawn once in an epoch."""
        return all(often == 1 for _, often in self.folders)

    def of_epoch(self, seed: int, epoch: int) -> np.ndarray:
        """Return the pictures of an epoch in order, which depends only on seed and epoch.

        Args:
            seed: The run's seed.
            epoch: Number of the epoch, from 0.

        Returns:
            int64 (n,): indices of the joined pictures.
        """
        chosen, start = [], 0
        for number, (count, often) in enumerate(self.folders):
            chosen.append(start + _next_of_passes(count, _drawn(count, often), (seed, number), epoch))
            start += count
        return np.random.default_rng((seed, epoch)).permutation(np.sort(np.concatenate(chosen)))


def _drawn(count: int, often: float) -> int:
    """Number of pictures that an epoch draws from a folder."""
    return max(1, round(count * often)) if count else 0


def _next_of_passes(count: int, drawn: int, key: tuple[int, int], epoch: int) -> np.ndarray:
    """Return the part of a folder's shuffled passes that an epoch takes.

    Args:
        count: Pictures in the folder.
        drawn: Pictures that each epoch takes.
        key: Together with a pass's number, decides its order.
        epoch: Number of the epoch, from 0.
    """
    if drawn == count:
        return np.arange(count)
    start = epoch * drawn
    first, last = start // count, (start + drawn - 1) // count
    passes = [np.random.default_rng((*key, number)).permutation(count) for number in range(first, last + 1)]
    return np.concatenate(passes)[start - first * count :][:drawn]
