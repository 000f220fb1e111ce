import multiprocessing
from pathlib import Path

import numpy as np
import pytest

from slimnet import transform
from tests.fakes import celeba
from training.data.augment import Augmentation
from training.data.cache import Pictures, decoded
from training.data.celeba import read_celeba
from training.data.draws import Draws
from training.data.loader import CropSpec, EpochBatches, HostLoader, Sample, TrainingSet


def batches(
    count: int = 22,
    batch_size: int = 4,
    epoch: int = 0,
    first: int = 0,
    rank: int = 0,
    processes: int = 1,
    seed: int = 0,
) -> EpochBatches:
    return EpochBatches(
        Draws.once(count),
        batch_size,
        seed,
        epoch,
        first,
        rank,
        processes,
        lambda batch: CropSpec(163 + batch, 133, augment=True),
    )


def indices(epoch_batches: EpochBatches) -> list[list[int]]:
    return [[sample.index for sample in batch] for batch in epoch_batches]


def test_an_epoch_holds_whole_batches_of_different_pictures() -> None:
    drawn = indices(batches())
    assert [len(batch) for batch in drawn] == [4] * 5 == [4] * len(batches())
    assert len({index for batch in drawn for index in batch}) == 20


def test_order_depends_on_seed_and_epoch_alone() -> None:
    assert indices(batches()) == indices(batches())
    assert indices(batches()) != indices(batches(epoch=1))
    assert indices(batches()) != indices(batches(seed=1))


def test_going_on_in_mid_epoch_draws_what_is_left() -> None:
    assert list(batches(first=3)) == list(batches())[3:]
    assert len(batches(first=3)) == 2


def test_processes_share_every_batch() -> None:
    shares = [indices(batches(rank=rank, processes=2)) for rank in (0, 1)]
    for whole, first, second in zip(indices(batches()), *shares, strict=True):
        assert sorted(first + second) == sorted(whole)
        assert len(first) == len(second) == 2


def test_fewer_pictures_than_a_batch_make_one() -> None:
    assert [len(batch) for batch in batches(count=3)] == [3]


def test_the_crop_spec_is_that_of_the_batch() -> None:
    assert [batch[0].spec.height for batch in batches(first=2)] == [165, 166, 167]


@pytest.fixture
def pictures(tmp_path: Path) -> tuple[Pictures, np.ndarray]:
    split = read_celeba(celeba.write(tmp_path / "data"))["train"]
    return decoded(split, tmp_path / "cache", transform, workers=1), split.labels


def test_workers_give_the_same_batches_as_none(pictures: tuple[Pictures, np.ndarray]) -> None:
    data = TrainingSet(*pictures, Augmentation(), seed=3)
    plan = EpochBatches(Draws.once(16), 4, 3, 0, 0, 0, 1, lambda _batch: CropSpec(163, 133, augment=True))
    for (crops, labels), (same_crops, same_labels) in zip(
        HostLoader(data, 0).epoch(plan), HostLoader(data, 2).epoch(plan), strict=True
    ):
        assert crops.shape == (4, 163, 133, 3)
        assert crops.equal(same_crops)
        assert labels.equal(same_labels)


def test_workers_live_on_from_epoch_to_epoch(pictures: tuple[Pictures, np.ndarray]) -> None:
    data = TrainingSet(*pictures, Augmentation(), seed=3)
    kept, processes = HostLoader(data, 1), []
    others = set(multiprocessing.active_children())  # such as those that demo.pictures.decoders keeps
    for epoch in (0, 1):
        plan = EpochBatches(Draws.once(16), 8, 3, epoch, 0, 0, 1, lambda _batch: CropSpec(163, 133, augment=True))
        for (crops, _), (same_crops, _) in zip(kept.epoch(plan), HostLoader(data, 0).epoch(plan), strict=True):
            assert crops.equal(same_crops)
        processes.append(set(multiprocessing.active_children()) - others)
    assert len(processes[0]) == 1
    assert processes[0] == processes[1]


def test_the_same_picture_twice_in_an_epoch_is_changed_otherwise(pictures: tuple[Pictures, np.ndarray]) -> None:
    data = TrainingSet(*pictures, Augmentation(), seed=3)
    first, second = (data[Sample(5, 0, CropSpec(218, 178, augment=True), place)][0] for place in (7, 2000))
    assert not first.equal(second)


def test_each_epoch_changes_a_picture_otherwise(pictures: tuple[Pictures, np.ndarray]) -> None:
    data = TrainingSet(*pictures, Augmentation(), seed=3)
    first, again, later = (data[Sample(5, epoch, CropSpec(218, 178, augment=True), 7)][0] for epoch in (0, 0, 1))
    assert first.equal(again)
    assert not first.equal(later)


def test_without_augmentation_crops_leave_pictures_as_they_are(pictures: tuple[Pictures, np.ndarray]) -> None:
    array, labels = pictures
    crop, label = TrainingSet(array, labels, Augmentation(), seed=0)[Sample(2, 0, CropSpec(218, 178, augment=False), 7)]
    assert np.array_equal(crop, array.array[2])
    assert label.tolist() == labels[2].astype(float).tolist()
