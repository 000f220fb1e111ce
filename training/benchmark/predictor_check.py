"""Checks that Predictor keeps its promises on a GPU: the CPU's answers, faster, and the CPU when memory runs out."""

import time
import warnings
from pathlib import Path

import numpy as np
import torch

from slimnet import Predictor
from slimnet.predictor import PROBABILITY_TOLERANCE

_CROPS = 256  # in the batch that does not fit
_BLOCK = 256 * 2**20  # bytes to allocate at a time, to fill a GPU's memory


def largest_difference(weights: Path, device: torch.device, crops: np.ndarray) -> float:
    """Return the largest difference in probability between a device and the CPU.

    Args:
        weights: The weights' file.
        device: Device to compare with the CPU.
        crops: uint8 RGB (N, height, width, 3).

    Raises:
        RuntimeError: The device failed, and Predictor switched to the CPU.
    """
    predictor = Predictor(weights, str(device))
    found, expected = predictor(crops), Predictor(weights, "cpu")(crops)
    if predictor.device.type != device.type:
        raise RuntimeError(f"Predictor left {device} for {predictor.device}")
    return float(np.abs(found - expected).max())


def crops_per_second(weights: Path, device: torch.device, batch: int, seconds: float) -> float:
    """Measure how many crops a second Predictor reads, from the CPU's memory and back to it.

    Args:
        weights: The weights' file.
        device: Where to compute.
        batch: Random crops in a batch.
        seconds: How long to measure.
    """
    predictor = Predictor(weights, str(device))
    crops = np.random.default_rng(0).integers(0, 256, (batch, predictor.height, predictor.width, 3), np.uint8)
    for _ in range(3):
        predictor(crops)
    runs, start = 0, time.perf_counter()
    while runs == 0 or time.perf_counter() - start < seconds:
        predictor(crops)
        runs += 1
    return runs * batch / (time.perf_counter() - start)


def falls_back(weights: Path, device: torch.device) -> bool:
    """Return whether Predictor answers on the CPU, with a warning, while the GPU's memory is full, and then on the GPU.

    Args:
        weights: The weights' file.
        device: A CUDA GPU.
    """
    predictor = Predictor(weights, str(device))
    crops = np.random.default_rng(0).integers(0, 256, (_CROPS, predictor.height, predictor.width, 3), np.uint8)
    torch.cuda.empty_cache()
    taken = []
    try:
        while True:
            taken.append(torch.empty(_BLOCK, dtype=torch.uint8, device=device))
    except torch.OutOfMemoryError:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            found = predictor(crops)
    finally:
        taken.clear()
        torch.cuda.empty_cache()
    same = np.allclose(found, Predictor(weights, "cpu")(crops), atol=PROBABILITY_TOLERANCE)
    back = predictor.device == device and np.allclose(predictor(crops), found, atol=PROBABILITY_TOLERANCE)
    return same and back and any("the CPU does this call" in str(one.message) for one in said)
