from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.train.runs import flags, interrupted, metrics, position
from training import train
from training.data.loader import Loader
from training.fit import trainer as engine


def test_a_run_with_pictures_on_the_device_goes_on_exactly(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = "--recipe best --precision float32 --batch_size 4 --num_epochs 3 --pictures_on device".split()
    assert train.main(flags(data, tmp_path / "whole", *options)) == 0
    save = tmp_path / "cut"
    interrupted(monkeypatch, "step", at_step=6)
    assert train.main(flags(data, save, *options, "--save_minutes", "0")) == 130
    assert position(save)["batch"] == 2
    assert train.main(flags(data, save, *options, "--resume")) == 0
    for row, resumed in zip(metrics(tmp_path / "whole"), metrics(save), strict=True):
        assert {**row, "minutes": 0} == {**resumed, "minutes": 0}


def test_pictures_on_the_device_train_and_judge_as_on_the_host(tmp_path: Path, data: Path) -> None:
    # The learning rate is 0: the two round pixels differently, and Adam would amplify that, as batch norm does when it
    # trains on four pictures.
    options = "--recipe best --precision float32 --batch_size 4 --num_epochs 2 --early_share 0.5 --learning_rate 0"
    for where in ("host", "device"):
        assert train.main(flags(data, tmp_path / where, *options.split(), "--pictures_on", where)) == 0
    for row, same in zip(metrics(tmp_path / "host"), metrics(tmp_path / "device"), strict=True):
        assert row["train/loss"] == pytest.approx(same["train/loss"], rel=0.03)
        assert row["valid/loss"] == pytest.approx(same["valid/loss"], rel=1e-3)


def test_a_batch_size_left_to_memory_is_kept_when_a_run_goes_on(tmp_path: Path, data: Path) -> None:
    save = tmp_path / "run"
    given = [*flags(data, save), "--batch_size", "0"]
    assert train.main([*given, "--num_epochs", "1"]) == 0
    state = torch.load(save / "last.pt", weights_only=True)
    assert state["config"]["batch_size"] == 128  # without a GPU
    torch.save({**state, "config": {**state["config"], "batch_size": 8}}, save / "last.pt")
    assert train.main([*given, "--num_epochs", "2", "--resume"]) == 0
    assert metrics(save)[-1]["images"] == 16 + 16


def run_out(*_: Any) -> None:
    raise torch.OutOfMemoryError("CUDA out of memory")


def test_too_little_memory_is_said_with_what_to_do(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(engine.Trainer, "open_loader", run_out)
    assert train.main(flags(data, tmp_path / "run")) == 1
    said = capsys.readouterr().err
    assert "cpu has too little memory for --batch_size 4: try --batch_size 2, or --pictures_on host" in said
    assert "Traceback" not in said


def test_a_saved_run_is_not_told_to_change_its_batch_size(
    data: Path, finished: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(engine.Trainer, "step", run_out)
    assert train.main(flags(data, finished, "--num_epochs", "2", "--resume", "--pictures_on", "host")) == 1
    said = capsys.readouterr().err
    assert f"begin another run by --init_from {finished / 'last.safetensors'}" in said
    assert "--pictures_on" not in said


def test_a_smaller_batch_may_follow_in_the_same_folder_if_memory_runs_out_at_first(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_loader = engine.Trainer.open_loader

    def holds_two(self: engine.Trainer) -> Loader:
        if self.config.batch_size > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return open_loader(self)

    monkeypatch.setattr(engine.Trainer, "open_loader", holds_two)
    save = tmp_path / "run"
    assert train.main(flags(data, save, "--num_epochs", "1")) == 1
    assert train.main(flags(data, save, "--num_epochs", "1", "--batch_size", "2")) == 0
    assert position(save)["step"] == 8
