"""Probabilities that weights give the pictures of a split."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
from scipy.special import logit
from tqdm import tqdm

from slimnet import Calibration, Predictor
from training.data.celeba import DataError, Split, read_celeba, read_pictures, unknown_labels

Change = Callable[[np.ndarray, int], np.ndarray]


def load(weights: str, data_dir: str, device: str | None) -> tuple[Predictor, dict[str, Split]]:
    """Weights, and CelebA's splits with the labels that they know; says how many of these are not known.

    Raises CheckpointError, or DataError: also when the labels are other ones, or in another order.
    """
    predictor, splits = Predictor(weights, device), read_celeba(data_dir)
    if splits["train"].attributes != predictor.attributes:
        raise DataError(f"{data_dir} labels other attributes, or in another order, than {weights} was trained on")
    gaps = unknown_labels(splits)
    if gaps:
        print(gaps, file=sys.stderr)
    return predictor, splits


def probabilities(
    predictor: Predictor, split: Split, batch_size: int, change: Change | None = None, title: str = ""
) -> np.ndarray:
    """Float32 (N, attributes) for every picture of a split. Raises DataError that names damaged pictures.

    change: turns a crop, uint8 (H, W, 3), and its number in the split into the crop that the network sees instead.
    """
    with tqdm(total=len(split), desc=title, unit="", disable=None, leave=False) as bar:
        found = np.zeros((len(split), len(predictor.attributes)), np.float32)
        done = 0
        for crops in read_pictures(split, predictor.preprocessing, batch_size):
            if change:
                crops = np.stack([change(crop, number) for number, crop in enumerate(crops, start=done)])
            found[done : done + len(crops)] = predictor(crops)
            done += len(crops)
            bar.update(len(crops))
    return found


def raw_logits(probabilities: np.ndarray, calibration: Calibration | None) -> np.ndarray:
    """The network's logits, float64 (N, attributes), from probabilities that Predictor gave with this calibration.

    Float32 cannot tell a probability beyond 1 - 6e-8 from 1: larger logits come back as that one.
    """
    inner = np.clip(probabilities.astype(np.float64), 1e-30, 1 - 2.0**-24)
    return logit(inner) * np.array(calibration.temperatures if calibration else 1.0)


def evenly(split: Split, images: int) -> Split:
    """At most `images` pictures of a split, spread over the whole of it."""
    kept = np.unique(np.linspace(0, len(split) - 1, min(images, len(split))).round().astype(int))
    return split.only(kept)
