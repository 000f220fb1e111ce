from typing import Any

import cv2
import numpy as np
import pytest
import torch

from tests.paths import PORTRAIT
from training.data import augment, device_augment
from training.data.augment import DRAWS, Augmentation


@pytest.fixture(scope="module")
def crops() -> np.ndarray:
    """Two crops of a photo, with a photo's detail."""
    picture = cv2.imread(str(PORTRAIT), cv2.IMREAD_COLOR_RGB)
    assert picture is not None
    return np.stack([picture[:218, :178], picture[100:318, 150:328]])


def differences(host: Any, device: torch.Tensor) -> np.ndarray:
    return np.abs(np.stack(host).astype(int) - device.numpy())


@pytest.mark.parametrize("size", [(218, 178), (163, 133)])
@pytest.mark.parametrize(
    "changes",
    [
        "flip=0", "flip=1", "turn=20 scale=0.5 shift=0.3", "brightness=1", "contrast=1", "saturation=1",
        "soften=0", "soften=1 softest=0.1", "soften=1 softest=0.99 turn=0 scale=0 shift=0",
    ],
)  # fmt: skip
def test_each_change_is_that_of_opencv_on_the_same_draws(
    crops: np.ndarray, changes: str, size: tuple[int, int]
) -> None:
    augmentation = Augmentation.with_changes(changes.split())
    many = np.concatenate([crops] * 8)
    draws = np.random.default_rng(0).random((len(many), DRAWS))
    host = [augmentation(crop, row, *size) for crop, row in zip(many, draws, strict=True)]
    found = differences(host, device_augment.augment(torch.from_numpy(many), augmentation.changes(draws), *size))
    assert found.mean() < 0.5
    assert found.max() <= 3


def test_no_change_leaves_the_crops(crops: np.ndarray) -> None:
    still = Augmentation.with_changes("flip=0 turn=0 scale=0 shift=0 brightness=0 contrast=0 soften=0".split())
    changes = still.changes(np.random.default_rng(0).random((2, DRAWS)))
    grey = np.repeat(crops[..., :1], 3, axis=-1)  # saturation does not change grey
    assert differences(grey, device_augment.augment(torch.from_numpy(grey), changes, 218, 178)).max() <= 1


def test_resizing_averages_areas_as_opencv_does(crops: np.ndarray) -> None:
    host = [augment.resize(crop, 163, 133) for crop in crops]
    assert differences(host, device_augment.resize(torch.from_numpy(crops), 163, 133)).max() <= 1
    whole = torch.from_numpy(crops)
    assert device_augment.resize(whole, 218, 178) is whole
