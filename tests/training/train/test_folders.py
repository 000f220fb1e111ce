from pathlib import Path

import numpy as np
import pytest
import torch

from slimnet import SlimNet, transform
from tests.fakes import celeba
from tests.training.train.runs import flags, interrupted, metrics, seen
from training import train
from training.data.cache import decoded
from training.data.celeba import read_celeba


def test_several_folders_make_one_run(tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each folder's pictures are drawn by its weight, and each validation split is reported."""
    more = celeba.with_columns(celeba.write(tmp_path / "more", sizes={0: 8, 1: 3}), "Second", "Extra", "First")
    options = ["--num_epochs", "2", "--data_dir", str(data), f"{more}=0.5"]
    assert train.main([*flags(data, tmp_path / "run"), *options]) == 0
    found = metrics(tmp_path / "run")
    assert [row["images"] for row in found] == [20, 40]  # 16, and half of 8
    assert "more: does not label Third (1)" in capsys.readouterr().err
    weights = SlimNet.load_pretrained(tmp_path / "run" / "last.safetensors").eval()
    split = read_celeba(more)["valid"].with_attributes(celeba.ATTRIBUTES)
    crops = torch.from_numpy(np.array(decoded(split, tmp_path / "cache", transform, 1).array))
    with torch.no_grad():
        right = (weights(weights.preprocessing.normalise(crops)).numpy() > 0) == split.labels
    assert found[-1]["valid/more/accuracy"] == pytest.approx(right[:, :2].mean())
    assert found[-1]["valid/accuracy"] != found[-1]["valid/more/accuracy"]


def test_a_run_on_several_folders_goes_on_exactly(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    more = celeba.write(tmp_path / "more", sizes={0: 9})
    options = ["--num_epochs", "3", "--augment", "--data_dir", str(data), f"{more}=1.7"]
    assert train.main([*flags(data, tmp_path / "whole"), *options]) == 0
    save = tmp_path / "cut"
    interrupted(monkeypatch, "step", at_step=9)
    assert train.main([*flags(data, save), *options]) == 130
    assert train.main([*flags(data, save), *options, "--resume"]) == 0
    for row, whole in zip(metrics(save), metrics(tmp_path / "whole"), strict=True):
        assert row["train/loss"] == pytest.approx(whole["train/loss"], abs=1e-6)
        assert row["valid/loss"] == pytest.approx(whole["valid/loss"], abs=1e-6)


def test_resuming_with_other_weights_of_folders_is_refused(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = celeba.write(tmp_path / "more", sizes={0: 8})
    options = [*flags(data, tmp_path / "run"), "--num_epochs", "1", "--data_dir", str(data)]
    assert train.main([*options, f"{more}=0.5"]) == 0
    assert train.main([*options, f"{more}=2", "--resume"]) == 1
    assert "or with other weights of these folders" in capsys.readouterr().err


def test_a_picture_drawn_twice_in_an_epoch_is_augmented_twice(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = seen(monkeypatch, "step")
    options = ["--num_epochs", "1", "--augment", "--data_dir", f"{data}=2"]
    assert train.main([*flags(data, tmp_path / "run"), *options]) == 0
    crops = torch.cat([crops for crops, _ in steps])
    assert len({crop.numpy().tobytes() for crop in crops}) == len(crops) == 32
