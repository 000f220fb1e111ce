import os
import signal
import sys
from pathlib import Path

import pytest
import torch

from slimnet import SlimNet
from tests.processes import largest_file
from tests.training.train.runs import flags, interrupted, losses_read_after, metrics, position
from training import train
from training.data import loader
from training.fit import trainer as engine


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of processes")
@pytest.mark.parametrize("room", [2_000, 50_000], ids=["for nothing", "for weights alone"])
def test_a_full_disk_is_said_and_keeps_what_was_saved(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], room: int
) -> None:
    save = tmp_path / "run"
    interrupted(monkeypatch, "step", at_step=4)
    assert train.main(flags(data, save, "--num_epochs", "2")) == 130
    before = position(save)
    with largest_file(room):
        assert train.main(flags(data, save, "--num_epochs", "2", "--resume")) == 1
    assert str(save) in capsys.readouterr().err
    assert position(save) == before
    assert not list(save.glob("*part"))
    assert train.main(flags(data, save, "--num_epochs", "2", "--resume")) == 0
    assert [row["epoch"] for row in metrics(save)] == [1, 2]


@pytest.mark.skipif(sys.platform != "linux", reason="needs workers that are forked")
def test_a_killed_worker_is_said_with_what_helps(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(loader, "_begin_work", lambda _: os.kill(os.getpid(), signal.SIGKILL))
    run = flags(data, tmp_path / "run", "--num_epochs", "1", "--num_workers", "1")
    assert train.main(run) == 1
    said = capsys.readouterr().err
    assert "a process that prepares batches has ended" in said
    assert "Go on by --resume with fewer --num_workers" in said
    assert train.main([*run, "--resume", "--num_workers", "0"]) == 0


@pytest.mark.parametrize(
    ("broken", "message"),
    [("fc.weight", "the loss is nan in epoch 2, step 7"), ("conv1.1.running_var", "weights are no longer finite")],
)
def test_values_that_are_not_finite_keep_the_last_good_weights(
    tmp_path: Path,
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    broken: str,
    message: str,
) -> None:
    step = engine.Trainer.step

    def burst(self: engine.Trainer, crops: torch.Tensor, labels: torch.Tensor) -> None:
        if self.progress.step == 6:
            with torch.no_grad():
                self.network.state_dict()[broken].fill_(float("inf"))
        step(self, crops, labels)

    monkeypatch.setattr(engine.Trainer, "step", burst)
    save = tmp_path / "run"
    assert train.main(flags(data, save, "--save_minutes", "0")) == 1
    assert message in capsys.readouterr().err
    assert position(save)["step"] == 6
    for name in ("best", "last"):
        assert all(p.isfinite().all() for p in SlimNet.load_pretrained(save / f"{name}.safetensors").parameters())


def test_a_loss_that_is_not_finite_is_found_before_anything_is_saved(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    losses_read_after(monkeypatch, 3)
    step = engine.Trainer.step

    def burst(self: engine.Trainer, crops: torch.Tensor, labels: torch.Tensor) -> None:
        if self.progress.step == 5:
            with torch.no_grad():
                self.network.fc.weight.fill_(float("inf"))
        step(self, crops, labels)

    monkeypatch.setattr(engine.Trainer, "step", burst)
    save = tmp_path / "run"
    assert train.main(flags(data, save, "--save_minutes", "0")) == 1
    assert "the loss is nan in epoch 2, step 6" in capsys.readouterr().err
    assert position(save)["step"] == 4
