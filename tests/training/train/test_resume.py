import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from slimnet import transform
from tests.fakes import celeba
from tests.paths import ROOT
from tests.training.train.runs import flags, interrupted, metrics, position
from training import train
from training.data.cache import LabelledPictures, decoded
from training.data.celeba import read_celeba
from training.data.folders import RunData
from training.fit import trainer as engine
from training.fit.config import parse_config
from training.fit.runtime.distributed import Process


def killed_in_mid_epoch(command: list[str], save: Path) -> dict[str, Any]:
    """Start a run that saves after every step and kill it, workers and all, in its second epoch."""
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
    deadline = time.monotonic() + 120
    try:
        while time.monotonic() < deadline and process.poll() is None:
            if (save / "last.pt").exists():
                now = position(save)
                if now["epoch"] == 1 and 0 < now["batch"] < 10:
                    return now
            time.sleep(0.01)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    pytest.fail("the run was never seen in the middle of its second epoch")


def test_a_killed_run_goes_on_exactly(tmp_path: Path) -> None:
    data = celeba.write(tmp_path / "data", sizes={0: 64, 1: 6, 2: 2})
    options = "--recipe best --precision float32 --batch_size 4 --num_epochs 3 --num_workers 1".split()
    command = [sys.executable, "-m", "training.train"]
    assert train.main(flags(data, tmp_path / "whole", *options)) == 0
    save = tmp_path / "killed"
    before = killed_in_mid_epoch([*command, *flags(data, save, *options, "--save_minutes", "0")], save)
    assert before["epoch"] == 1
    assert train.main([*flags(data, save, *options), "--resume"]) == 0
    whole, resumed = metrics(tmp_path / "whole"), metrics(save)
    assert [row["epoch"] for row in resumed] == [1, 2, 3]
    for name in ("train/loss", "valid/loss", "valid/accuracy", "learning_rate", "images"):
        assert [row[name] for row in resumed] == pytest.approx([row[name] for row in whole], abs=1e-6)


def test_a_run_that_is_cut_off_before_its_first_save_goes_on(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert train.main(flags(data, tmp_path / "whole", "--num_epochs", "1")) == 0
    save = tmp_path / "cut"
    interrupted(monkeypatch, "step", at_step=2)
    assert train.main(flags(data, save, "--num_epochs", "1")) == 130
    assert train.main(flags(data, save, "--num_epochs", "1", "--resume")) == 0
    assert metrics(save)[0]["train/loss"] == pytest.approx(metrics(tmp_path / "whole")[0]["train/loss"], abs=1e-6)


def test_the_last_epoch_is_judged_even_when_that_is_cut_off(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = tmp_path / "run"
    interrupted(monkeypatch, "validate", at_step=8)
    options = "--num_epochs 2 --save_minutes 0".split()
    assert train.main(flags(data, save, *options)) == 130
    assert len(metrics(save)) == 1
    assert train.main(flags(data, save, *options, "--resume")) == 0
    assert [row["epoch"] for row in metrics(save)] == [1, 2]
    assert position(save)["epoch"] == 2


def test_a_run_from_before_a_flag_was_added_goes_on(data: Path, finished: Path) -> None:
    state = torch.load(finished / "last.pt", weights_only=True)
    del state["config"]["teachers"]
    torch.save(state, finished / "last.pt")
    assert train.main(flags(data, finished, "--num_epochs", "1", "--resume")) == 0


def test_a_finished_run_says_so_and_goes_on_when_its_end_is_put_off(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save = tmp_path / "run"
    assert train.main(flags(data, save, "--num_epochs", "2")) == 0
    before = (save / "last.pt").read_bytes()
    capsys.readouterr()
    assert train.main(flags(data, save, "--num_epochs", "2", "--resume")) == 0
    assert "this run is finished: 2 epochs" in (said := capsys.readouterr().out)
    assert "raise --num_epochs to go on" in said
    assert (save / "last.pt").read_bytes() == before
    assert train.main(flags(data, save, "--num_epochs", "1", "--resume")) == 1
    assert train.main(flags(data, save, "--num_epochs", "3", "--resume")) == 0
    assert [row["epoch"] for row in metrics(save)] == [1, 2, 3]


def test_a_run_that_is_not_finished_keeps_its_end(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    interrupted(monkeypatch, "step", at_step=6)
    assert train.main(flags(data, tmp_path / "run", "--num_epochs", "2")) == 130
    assert train.main(flags(data, tmp_path / "run", "--num_epochs", "3", "--resume")) == 1
    assert "--num_epochs was 2, is 3" in capsys.readouterr().err


def test_a_run_goes_on_where_gradients_must_be_scaled(tmp_path: Path, data: Path) -> None:
    """From a CPU, which does not scale them, to a GPU without bfloat16, which must."""
    save = tmp_path / "run"
    assert train.main(flags(data, save, "--num_epochs", "2")) == 0
    assert torch.load(save / "last.pt", weights_only=True)["scaler"] == {}
    config = parse_config(flags(data, save, "--num_epochs", "2", "--resume"))
    splits = read_celeba(data)
    train_data, valid = (
        LabelledPictures(decoded(splits[name], config.cache_dir, transform, 1), splits[name])
        for name in ("train", "valid")
    )
    trainer = engine.Trainer(config, RunData.of(train_data, valid), Process(0, 1, torch.device("cpu")))
    trainer.scaler = torch.amp.GradScaler("cpu", enabled=True)
    trainer.restore()
    assert trainer.progress.epoch == 2
