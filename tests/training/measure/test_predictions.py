import numpy as np
import pytest
import torch

from slimnet import Calibration, Predictor, Reliability, SlimNet
from tests.fakes import celeba
from training.data.celeba import read_celeba, read_pictures
from training.measure.predictions import evenly, probabilities, raw_logits


@pytest.fixture(scope="module")
def split(tmp_path_factory):
    return read_celeba(celeba.write(tmp_path_factory.mktemp("celeba") / "data"))["train"]


@pytest.fixture(scope="module")
def predictor(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "w.safetensors"
    model = SlimNet((4,), (4, 7, 2), 3, attributes=celeba.ATTRIBUTES)
    with torch.no_grad():
        model.fc.bias += torch.tensor([9.0, -9.0, 0.0])
    model.calibration = Calibration((0.7, 1.0, 3.0), (Reliability(0.5, 0.4, 0.6),) * 3)
    model.save(path)
    return Predictor(path, "cpu")


def test_every_picture_is_answered_in_the_splits_order_whatever_the_batches(predictor, split):
    crops = np.concatenate(list(read_pictures(split, predictor.preprocessing)))
    expected = predictor(crops)
    assert expected.shape == (16, 3)
    for batch_size in (3, 100):
        np.testing.assert_allclose(probabilities(predictor, split, batch_size), expected, atol=1e-5)


def test_a_change_gets_each_crop_with_its_number(predictor, split):
    seen = []

    def mirror_odd_ones(crop, number):
        seen.append(number)
        return crop[:, ::-1] if number % 2 else crop

    crops = np.concatenate(list(read_pictures(split, predictor.preprocessing)))
    crops[1::2] = crops[1::2, :, ::-1]
    found = probabilities(predictor, split, 3, mirror_odd_ones)
    assert seen == list(range(16))
    np.testing.assert_allclose(found, predictor(crops), atol=1e-5)


def test_raw_logits_are_the_networks_own(predictor):
    logits = np.array([[9.0, -9.0, 0.4], [-30.0, 2.0, 0.0]])
    calibration = predictor.calibration
    served = (1 / (1 + np.exp(-logits / calibration.temperatures))).astype(np.float32)
    np.testing.assert_allclose(raw_logits(served, calibration), logits, rtol=1e-2, atol=1e-6)
    np.testing.assert_allclose(raw_logits(np.float32([[0.5, 0.75]]), None), [[0, np.log(3)]], rtol=1e-6)
    assert np.isfinite(raw_logits(np.float32([[0, 1]]), None)).all()


def test_fewer_pictures_are_taken_from_the_whole_of_a_split(split):
    few = evenly(split, 4)
    assert [split.paths.index(path) for path in few.paths] == [0, 5, 10, 15]
    assert np.array_equal(few.labels, split.labels[[0, 5, 10, 15]])
    assert evenly(split, 99).paths == split.paths
