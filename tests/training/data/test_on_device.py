from pathlib import Path

import numpy as np
import pytest
import torch

from slimnet import transform
from tests.fakes import celeba
from training.data.augment import Augmentation
from training.data.cache import decoded
from training.data.celeba import read_celeba
from training.data.draws import Draws
from training.data.loader import CropSpec, EpochBatches, HostLoader, TrainingSet
from training.data.on_device import DeviceLoader, DevicePictures

CPU = torch.device("cpu")


@pytest.fixture
def data(tmp_path: Path) -> TrainingSet:
    split = read_celeba(celeba.with_gaps(celeba.write(tmp_path / "data")))["train"]
    return TrainingSet(decoded(split, tmp_path / "cache", transform, workers=1), split.targets, Augmentation(), seed=3)


@pytest.mark.parametrize("spec", [CropSpec(218, 178, True), CropSpec(163, 133, True), CropSpec(163, 133, False)])
def test_batches_are_those_of_the_host(data: TrainingSet, spec: CropSpec) -> None:
    plan = EpochBatches(Draws.once(16), 4, 3, 1, 1, 0, 1, lambda _batch: spec)
    batches = list(zip(HostLoader(data, 0).epoch(plan), DeviceLoader(data, CPU).epoch(plan), strict=True))
    assert len(batches) == 3
    for (crops, targets), (same_crops, same_targets) in batches:
        difference = (crops.int() - same_crops.int()).abs()
        assert crops.shape == same_crops.shape == (4, spec.height, spec.width, 3)
        assert difference.float().mean() < 0.5
        assert difference.max() <= 3
        torch.testing.assert_close(targets, same_targets, equal_nan=True)


def test_pictures_are_taken_as_they_are(data: TrainingSet) -> None:
    chosen = np.array([5, 2, 5])
    assert np.array_equal(DevicePictures(data.pictures, CPU).take(chosen).numpy(), data.pictures.take(chosen))
