"""What changes during a run: the learning rate, and the size and augmentation of the crops."""

import math
from dataclasses import dataclass

from training.data.loader import CropSpec
from training.fit.config import TrainConfig
from training.fit.errors import TrainingError
from training.networks.network import Network

# Share of the run by which a warm-up is ahead, since its first step would otherwise have a rate of 0. With a cosine it
# still ends on time, with steps this much early; both stay as they are, so that earlier runs can be repeated.
_HEAD_START = 1e-3


@dataclass(frozen=True)
class Schedule:
    """A run's schedule.

    Args:
        config: Settings of the run.
        steps_per_epoch: Optimiser steps in an epoch.
        height: Height in pixels of the network's crops.
        width: Width in pixels of the network's crops.
    """

    config: TrainConfig
    steps_per_epoch: int
    height: int
    width: int

    def fraction_at(self, step: int) -> float:
        """Return the fraction of the run that is over, from 0 to 1, for a run without a time budget.

        Args:
            step: Optimiser steps done.
        """
        return step / (self.steps_per_epoch * self.config.num_epochs)

    def learning_rate(self, fraction: float, epoch: int) -> float:
        """Return the learning rate.

        Args:
            fraction: Fraction of the run that is over, from 0 to 1.
            epoch: Number of the epoch, from 0.
        """
        config = self.config
        if config.schedule == "step":
            rate = config.learning_rate
            if config.decay_lr_every:
                rate *= config.lr_decay ** (epoch // config.decay_lr_every)
            return rate * min(1.0, (fraction + _HEAD_START) / config.warmup) if config.warmup else rate
        if fraction < config.warmup:
            return config.learning_rate * (fraction + _HEAD_START) / (config.warmup + _HEAD_START)
        return config.learning_rate * (1 + math.cos(math.pi * (fraction - config.warmup) / (1 - config.warmup))) / 2

    def crop_spec(self, fraction: float) -> CropSpec:
        """Return the size of the crops, and whether they are augmented.

        Args:
            fraction: Fraction of the run that is over, from 0 to 1.
        """
        height, width = crop_size(self.config, self.height, self.width, early=fraction < self.config.early_share)
        return CropSpec(height, width, augment=self.config.augment and fraction < 1 - self.config.plain_share)


def crop_size(config: TrainConfig, height: int, width: int, early: bool) -> tuple[int, int]:
    """Return height and width of training crops, in pixels.

    Args:
        config: Settings of the run.
        height: Full height in pixels.
        width: Full width in pixels.
        early: Whether the run is in its early share, at --early_height.
    """
    if not early:
        return height, width
    return config.early_height, round(width * config.early_height / height)


def check_crops(config: TrainConfig, network: Network) -> None:
    """Check that a network can read crops of all sizes in the run.

    Args:
        config: Settings of the run.
        network: Network to train.

    Raises:
        TrainingError: Crops are too small for it.
    """
    least, full = network.least_side, network.preprocessing
    for early in (True, False) if config.early_share else (False,):
        height, width = crop_size(config, full.height, full.width, early)
        if min(height, width) < least:
            raise TrainingError(
                f"crops {height} high and {width} wide are too small for this network, which needs {least} on each "
                f"side: {'use a larger --early_height' if early else 'shorten --filter_counts'}"
            )
