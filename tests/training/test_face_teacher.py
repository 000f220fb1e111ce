import json
from pathlib import Path

import pytest
import torch

from tests.fakes import celeba, face_network
from training import face_teacher, train
from training.networks.mobilenet import MobileNet

FLAGS = "--num_classes 3 --batch_size 4 --num_workers 0 --device cpu --learning_rate 1e-2".split()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return celeba.write(tmp_path / "data")


@pytest.fixture
def beginning(tmp_path: Path, data: Path) -> Path:
    """Weights that the command made from a face network."""
    path = tmp_path / "begin.safetensors"
    model = face_network.write(tmp_path)
    assert face_teacher.main(["--model", str(model), "--data_dir", str(data), "--out", str(path), "--images", "8"]) == 0
    return path


def flags(data: Path, beginning: Path, save: Path, *more: str) -> list[str]:
    folders = ["--data_dir", str(data), "--cache_dir", str(data.parent / "cache"), "--save_dir", str(save)]
    return [*FLAGS, *folders, "--init_from", str(beginning), *more]


def trained(data: Path, beginning: Path, save: Path, *more: str) -> dict[str, torch.Tensor]:
    assert train.main(flags(data, beginning, save, *more)) == 0
    return MobileNet.load(save / "last.safetensors").state_dict()


def test_a_face_network_learns_attributes_and_teaches_them(tmp_path: Path, data: Path, beginning: Path) -> None:
    options = "--num_epochs 3 --average 0.5 --augment --precision auto".split()
    trained(data, beginning, tmp_path / "teacher", *options)
    losses = [
        json.loads(line)["train/loss"] for line in (tmp_path / "teacher" / "metrics.jsonl").open(encoding="utf-8")
    ]
    assert losses[-1] < losses[0]
    best = tmp_path / "teacher" / "best.safetensors"
    assert MobileNet.load(best).attributes == celeba.ATTRIBUTES
    student = f"--filter_counts 4 8 --conv_filters 8 --num_epochs 1 --teachers {best}".split()
    folders = ["--data_dir", str(data), "--cache_dir", str(tmp_path / "cache"), "--save_dir", str(tmp_path / "student")]
    assert train.main([*FLAGS, *folders, *student]) == 0


def test_a_teachers_run_goes_on_exactly_where_it_was_stopped(tmp_path: Path, data: Path, beginning: Path) -> None:
    whole = trained(data, beginning, tmp_path / "whole", "--num_epochs", "2")
    trained(data, beginning, tmp_path / "parts", "--num_epochs", "1")
    parts = trained(data, beginning, tmp_path / "parts", "--num_epochs", "2", "--resume")
    assert all(parts[name].equal(value) for name, value in whole.items())


def test_flags_for_slimnets_shape_are_refused(
    tmp_path: Path, data: Path, beginning: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train.main(flags(data, beginning, tmp_path / "run", "--filter_counts", "4", "8")) == 1
    assert "begin.safetensors is a MobileNet, and --filter_counts is for SlimNet alone" in capsys.readouterr().err


def test_a_model_that_cannot_be_used_is_named(tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = str(tmp_path / "none.json")
    assert face_teacher.main(["--model", model, "--data_dir", str(data), "--out", str(tmp_path / "a.safetensors")]) == 1
    assert "none.json" in capsys.readouterr().err
    assert not (tmp_path / "a.safetensors").exists()


def test_a_folder_without_training_pictures_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, out = celeba.write(tmp_path / "empty", sizes={1: 3}), tmp_path / "a.safetensors"
    model = face_network.write(tmp_path)
    assert face_teacher.main(["--model", str(model), "--data_dir", str(data), "--out", str(out)]) == 1
    assert "train split has no pictures" in capsys.readouterr().err


def test_a_teachers_run_goes_on_without_the_weights_that_it_began_with(
    tmp_path: Path, data: Path, beginning: Path
) -> None:
    trained(data, beginning, tmp_path / "run", "--num_epochs", "1")
    beginning.unlink()
    trained(data, beginning, tmp_path / "run", "--num_epochs", "2", "--resume")
