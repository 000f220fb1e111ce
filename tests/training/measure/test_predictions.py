import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from slimnet import Calibration, Predictor, Reliability, SlimNet
from tests.fakes import celeba
from training.data.celeba import DataError, Split, read_celeba, read_pictures
from training.measure.predictions import evenly, load, probabilities, raw_logits


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Split:
    return read_celeba(celeba.write(tmp_path_factory.mktemp("celeba") / "data"))["train"]


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    path = tmp_path_factory.mktemp("weights") / "w.safetensors"
    model = SlimNet((4,), (4, 7, 2), 3, attributes=celeba.ATTRIBUTES)
    with torch.no_grad():
        model.fc.bias.add_(torch.tensor([9.0, -9.0, 0.0]))
    model.calibration = Calibration((0.7, 1.0, 3.0), (Reliability(0.5, 0.4, 0.6),) * 3)
    model.save(path)
    return Predictor(path, "cpu")


def test_every_picture_is_answered_in_the_splits_order_whatever_the_batches(predictor: Predictor, split: Split) -> None:
    crops = np.concatenate(list(read_pictures(split, predictor.preprocessing)))
    expected = predictor(crops)
    assert expected.shape == (16, 3)
    for batch_size in (3, 100):
        np.testing.assert_allclose(probabilities(predictor, split, batch_size), expected, atol=1e-5)


def test_a_change_gets_each_crop_with_its_number(predictor: Predictor, split: Split) -> None:
    seen = []

    def mirror_odd_ones(crop: np.ndarray, number: int) -> np.ndarray:
        seen.append(number)
        return crop[:, ::-1] if number % 2 else crop

    crops = np.concatenate(list(read_pictures(split, predictor.preprocessing)))
    crops[1::2] = crops[1::2, :, ::-1]
    found = probabilities(predictor, split, 3, mirror_odd_ones)
    assert seen == list(range(16))
    np.testing.assert_allclose(found, predictor(crops), atol=1e-5)


def test_raw_logits_are_the_networks_own(predictor: Predictor) -> None:
    logits = np.array([[9.0, -9.0, 0.4], [-30.0, 2.0, 0.0]])
    calibration = predictor.calibration
    assert calibration
    served = (1 / (1 + np.exp(-logits / calibration.temperatures))).astype(np.float32)
    np.testing.assert_allclose(raw_logits(served, calibration), logits, rtol=1e-2, atol=1e-6)
    np.testing.assert_allclose(raw_logits(np.array([[0.5, 0.75]], np.float32), None), [[0, np.log(3)]], rtol=1e-6)
    assert np.isfinite(raw_logits(np.array([[0, 1]], np.float32), None)).all()


def test_fewer_pictures_are_taken_from_the_whole_of_a_split(split: Split) -> None:
    few = evenly(split, 4)
    assert [split.paths.index(path) for path in few.paths] == [0, 5, 10, 15]
    assert np.array_equal(few.labels, split.labels[[0, 5, 10, 15]])
    assert evenly(split, 99).paths == split.paths


def test_labels_are_joined_to_the_weights_attributes_by_name(tmp_path: Path) -> None:
    data = celeba.write(tmp_path / "data")
    path = tmp_path / "w.safetensors"
    SlimNet((4,), (4, 7, 2), 2, attributes=("Third", "First")).save(path)
    aged = celeba.with_ages(celeba.write(tmp_path / "aged"))  # the weights need not know this column
    _, splits = load(str(path), [str(aged)], "cpu")
    assert splits["valid"].attributes == ("Third", "First")
    assert np.array_equal(splits["valid"].labels, read_celeba(data)["valid"].labels[:, [2, 0]])


def keep_columns(folder: Path, *names: str) -> None:
    """Leave only these labels in the folder's table."""
    table = folder / "list_attr_celeba.csv"
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["image_id", *names], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def test_folders_that_label_different_attributes_are_judged_together(tmp_path: Path) -> None:
    """Weights that were trained on several folders need this."""
    folders = [celeba.write(tmp_path / name) for name in ("one", "two")]
    keep_columns(folders[0], "First", "Second")
    keep_columns(folders[1], "Second", "Third")
    path = tmp_path / "w.safetensors"
    SlimNet((4,), (4, 7, 2), 3, attributes=celeba.ATTRIBUTES).save(path)
    _, splits = load(str(path), list(map(str, folders)), "cpu")
    valid, (one, two) = splits["valid"], [read_celeba(folder)["valid"] for folder in folders]
    assert valid.paths == one.paths + two.paths
    assert valid.known.tolist() == [[True, True, False]] * len(one) + [[False, True, True]] * len(two)
    assert np.array_equal(valid.labels[: len(one), :2], one.labels)
    assert np.array_equal(valid.labels[len(one) :, 1:], two.labels)
    assert not set(valid.identities[: len(one)]) & set(valid.identities[len(one) :])


def test_each_folder_that_does_not_tell_people_apart_is_named_once(
    tmp_path: Path, predictor: Predictor, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [celeba.write(tmp_path / name) for name in ("one", "two", "three")]
    names = [path.name for path in (folders[1] / "img_align_celeba").iterdir()]
    (folders[1] / "identity_CelebA.txt").write_text("".join(f"{name} 1\n" for name in names))
    load(str(predictor.path), list(map(str, folders)), "cpu")
    said = capsys.readouterr().err.splitlines()
    assert [line.partition(": ")[0] for line in said] == [str(folders[0]), str(folders[2])]
    assert all("every picture counts as another person" in line for line in said)


def test_folders_that_lack_an_attribute_or_are_named_twice_are_refused(tmp_path: Path) -> None:
    folder = celeba.write(tmp_path / "one")
    keep_columns(folder, "First", "Second")
    path = tmp_path / "w.safetensors"
    SlimNet((4,), (4, 7, 2), 3, attributes=celeba.ATTRIBUTES).save(path)
    with pytest.raises(DataError, match="it lacks Third"):
        load(str(path), [str(folder)], "cpu")
    with pytest.raises(DataError, match=r"names \S+one/? twice, whose"):
        load(str(path), [str(folder), f"{folder}/"], "cpu")
