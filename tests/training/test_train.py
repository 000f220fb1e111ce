import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from slimnet import Calibration, Reliability, SlimNet, transform
from tests.fakes import celeba
from tests.paths import ROOT
from training import train
from training.data.augment import Augmentation
from training.data.cache import LabelledPictures, decoded
from training.data.celeba import read_celeba
from training.data.draws import Draws
from training.data.folders import RunData
from training.data.loader import CropSpec, EpochBatches, Loader, Sample, TrainingSet
from training.fit import trainer as engine
from training.fit.build import build_network, build_optimizer
from training.fit.config import parse_config
from training.fit.errors import TrainingError
from training.fit.runtime.distributed import Process
from training.fit.validation import Validation

SMALL = "--filter_counts 4 8 --conv_filters 8 --num_classes 3 --batch_size 4 --num_workers 0 --device cpu".split()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return celeba.write(tmp_path / "data")


def flags(data: Path, save_dir: Path, *more: str) -> list[str]:
    return [
        *SMALL,
        "--data_dir",
        str(data),
        "--cache_dir",
        str(data.parent / "cache"),
        "--save_dir",
        str(save_dir),
        *more,
    ]


def metrics(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def position(folder: Path) -> dict[str, Any]:
    return torch.load(folder / "last.pt", weights_only=True)["position"]


def test_a_run_learns_and_leaves_what_it_says(tmp_path: Path, data: Path) -> None:
    save = tmp_path / "run"
    options = "--num_epochs 12 --learning_rate 1e-2 --save_every 6".split()
    assert train.main(flags(data, save, *options)) == 0
    found = metrics(save)
    assert [row["epoch"] for row in found] == list(range(1, 13))
    assert found[-1]["train/loss"] < 0.7 * found[0]["train/loss"]
    assert {path.name for path in save.iterdir()} == {
        "best.safetensors", "last.safetensors", "last.pt", "epoch_006.safetensors", "epoch_012.safetensors",
        "metrics.jsonl", "tensorboard", "config.json",
    }  # fmt: skip
    assert any((save / "tensorboard").iterdir())
    assert SlimNet.load_pretrained(save / "best.safetensors").attributes == celeba.ATTRIBUTES
    assert max(row["valid/accuracy"] for row in found) == position(save)["best"]


def test_the_best_recipe_runs_at_both_sizes(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heights = []
    step = engine.Trainer.step

    def noted(self: engine.Trainer, crops: torch.Tensor, labels: torch.Tensor) -> None:
        heights.append(crops.shape[1])
        step(self, crops, labels)

    monkeypatch.setattr(engine.Trainer, "step", noted)
    options = "--recipe best --batch_size 4 --num_epochs 4 --early_share 0.5".split()
    assert train.main(flags(data, tmp_path / "run", *options)) == 0
    assert heights == [163] * 8 + [218] * 8
    rates = [row["learning_rate"] for row in metrics(tmp_path / "run")]
    assert rates[0] > rates[1] > rates[2] > rates[3] == pytest.approx(0, abs=1e-9)


def seen(monkeypatch: pytest.MonkeyPatch, name: str) -> list[Any]:
    """All arguments of a trainer's method, collected as the run goes on."""
    calls = []
    method = getattr(engine.Trainer, name)

    def noted(self: engine.Trainer, *given: Any) -> Any:
        calls.append(given)
        return method(self, *given)

    monkeypatch.setattr(engine.Trainer, name, noted)
    return calls


def test_the_end_of_a_run_may_have_crops_as_they_are(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = seen(monkeypatch, "step")
    options = "--augment --augmentation flip=0 turn=0 brightness=0.9 --plain_share 0.5 --num_epochs 2".split()
    assert train.main(flags(data, tmp_path / "run", *options)) == 0
    known = decoded(read_celeba(data)["train"], tmp_path / "cache", transform, 1).array
    as_they_are = [all((known == crop.numpy()).all(axis=(1, 2, 3)).any() for crop in crops) for crops, _ in steps]
    assert as_they_are == [False] * 4 + [True] * 4


def test_a_run_minimises_the_cross_entropy(tmp_path: Path, data: Path) -> None:
    options = "--num_epochs 6 --learning_rate 1e-2".split()
    assert train.main(flags(data, tmp_path / "run", *options)) == 0
    losses = [row["train/loss"] for row in metrics(tmp_path / "run")]
    assert losses[-1] < losses[0]
    assert losses[0] == pytest.approx(np.log(2), rel=0.4)


def test_the_rate_falls_every_so_many_epochs(tmp_path: Path, data: Path) -> None:
    options = "--num_epochs 5 --learning_rate 1e-3 --decay_lr_every 2 --lr_decay 0.5".split()
    assert train.main(flags(data, tmp_path / "run", *options)) == 0
    rates = [row["learning_rate"] for row in metrics(tmp_path / "run")]
    assert rates == pytest.approx([1e-3, 1e-3, 5e-4, 5e-4, 2.5e-4])


def steps_take(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Give the trainer a clock on which only steps take time."""
    clock = [1000.0]
    step = engine.Trainer.step

    def slow_step(self: engine.Trainer, crops: torch.Tensor, labels: torch.Tensor) -> None:
        clock[0] += seconds
        step(self, crops, labels)

    monkeypatch.setattr(engine.Trainer, "step", slow_step)
    monkeypatch.setattr(engine, "time", SimpleNamespace(monotonic=lambda: clock[0]))


def test_a_time_budget_ends_the_run_and_its_schedule(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps_take(monkeypatch, 10)
    options = "--minutes 1 --num_epochs 1000 --schedule cosine".split()
    assert train.main(flags(data, tmp_path / "run", *options)) == 0
    found = metrics(tmp_path / "run")
    assert [row["images"] for row in found] == [16, 24]  # six steps, the last two in the second epoch
    assert [row["learning_rate"] for row in found] == pytest.approx([0.25e-4, 0])
    assert position(tmp_path / "run")["seconds"] == 60


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
    options = "--recipe best --precision float32 --batch_size 4 --num_epochs 3 --num_workers 1 --save_minutes 0".split()
    command = [sys.executable, "-m", "training.train"]
    assert train.main(flags(data, tmp_path / "whole", *options)) == 0
    save = tmp_path / "killed"
    before = killed_in_mid_epoch([*command, *flags(data, save, *options)], save)
    assert before["epoch"] == 1
    assert train.main([*flags(data, save, *options), "--resume"]) == 0
    whole, resumed = metrics(tmp_path / "whole"), metrics(save)
    assert [row["epoch"] for row in resumed] == [1, 2, 3]
    for name in ("train/loss", "valid/loss", "valid/accuracy", "learning_rate", "images"):
        assert [row[name] for row in resumed] == pytest.approx([row[name] for row in whole], abs=1e-6)


def interrupted(monkeypatch: pytest.MonkeyPatch, name: str, at_step: int) -> None:
    """Have the trainer's method stop the run once, as Ctrl-C does, after this many steps."""
    method = getattr(engine.Trainer, name)

    def stop(self: engine.Trainer, *arguments: Any) -> Any:
        if self.progress.step == at_step:
            monkeypatch.undo()
            raise KeyboardInterrupt
        return method(self, *arguments)

    monkeypatch.setattr(engine.Trainer, name, stop)


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


def test_a_torn_line_of_metrics_is_written_again(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save = tmp_path / "run"
    interrupted(monkeypatch, "step", at_step=6)
    assert train.main(flags(data, save, "--num_epochs", "2")) == 130
    with (save / "metrics.jsonl").open("a") as file:
        file.write('{"epoch": 2, "tra')
    assert train.main(flags(data, save, "--num_epochs", "2", "--resume")) == 0
    assert [row["epoch"] for row in metrics(save)] == [1, 2]


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of processes")
@pytest.mark.parametrize("room", [2_000, 50_000], ids=["for nothing", "for weights alone"])
def test_a_full_disk_is_said_and_keeps_what_was_saved(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], room: int
) -> None:
    import resource

    save = tmp_path / "run"
    interrupted(monkeypatch, "step", at_step=4)
    assert train.main(flags(data, save, "--num_epochs", "2")) == 130
    before = position(save)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
    try:
        assert train.main(flags(data, save, "--num_epochs", "2", "--resume")) == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert str(save) in capsys.readouterr().err
    assert position(save) == before
    assert not list(save.glob("*part"))
    assert train.main(flags(data, save, "--num_epochs", "2", "--resume")) == 0
    assert [row["epoch"] for row in metrics(save)] == [1, 2]


def test_a_run_is_never_written_over(tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save = tmp_path / "run"
    assert train.main(flags(data, save, "--num_epochs", "1")) == 0
    assert train.main(flags(data, save, "--num_epochs", "1")) == 1
    assert "--resume" in capsys.readouterr().err


def test_resuming_with_other_settings_is_refused(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save = tmp_path / "run"
    assert train.main(flags(data, save, "--num_epochs", "1")) == 0
    assert train.main(flags(data, save, "--num_epochs", "2", "--seed", "5", "--resume")) == 1
    assert "--seed was 0, is 5" in capsys.readouterr().err
    assert train.main(flags(data, tmp_path / "none", "--resume")) == 1
    assert "last.pt is missing" in capsys.readouterr().err


def test_a_run_from_before_a_flag_was_added_goes_on(tmp_path: Path, data: Path) -> None:
    save = tmp_path / "run"
    assert train.main(flags(data, save, "--num_epochs", "1")) == 0
    state = torch.load(save / "last.pt", weights_only=True)
    del state["config"]["teachers"]
    torch.save(state, save / "last.pt")
    assert train.main(flags(data, save, "--num_epochs", "1", "--resume")) == 0


def test_a_run_by_a_flag_that_is_gone_does_not_go_on_without_it(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save = tmp_path / "run"
    assert train.main(flags(data, save, "--num_epochs", "1")) == 0
    state = torch.load(save / "last.pt", weights_only=True)
    for loss, status in (("focal", 1), ("cross_entropy", 0)):
        torch.save({**state, "config": {**state["config"], "loss": loss}}, save / "last.pt")
        assert train.main(flags(data, save, "--num_epochs", "1", "--resume")) == status
    assert "other settings: --loss was focal, is gone" in capsys.readouterr().err


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


def losses_read_after(monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    """Have the trainer read losses only after several steps, as on a GPU."""
    open_loader = engine.Trainer.open_loader

    def with_steps(self: engine.Trainer) -> Any:
        self.steps_between_reads = steps
        return open_loader(self)

    monkeypatch.setattr(engine.Trainer, "open_loader", with_steps)


def test_reading_losses_later_changes_nothing(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = "--num_epochs 2 --learning_rate 1e-2".split()
    assert train.main(flags(data, tmp_path / "each", *options)) == 0
    losses_read_after(monkeypatch, 3)
    assert train.main(flags(data, tmp_path / "later", *options)) == 0
    for row, later in zip(metrics(tmp_path / "each"), metrics(tmp_path / "later"), strict=True):
        assert {**row, "minutes": 0} == {**later, "minutes": 0}


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


def test_too_little_memory_is_said_with_what_to_do(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(engine.Trainer, "step", fail)
    assert train.main(flags(data, tmp_path / "run")) == 1
    said = capsys.readouterr().err
    assert "cpu has too little memory for --batch_size 4: try 2, or --pictures_on host" in said
    assert "Traceback" not in said


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


def test_a_command_for_windows_is_quoted_for_its_shell(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: Any) -> None:
        monkeypatch.setattr(sys, "platform", "win32")
        raise KeyboardInterrupt

    monkeypatch.setattr(train, "prepare", stop)
    save = tmp_path / "with a space"
    assert train.main(flags(data, save)) == 130
    assert f'--save_dir "{save}"' in capsys.readouterr().err


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


def test_weights_to_begin_with(tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = SlimNet((4, 8), (8, 7, 2), 3, attributes=celeba.ATTRIBUTES)
    first.calibration = Calibration((2.0,) * 3, (Reliability(0.8, 0.7, 0.9),) * 3)
    first.save(tmp_path / "first.safetensors")
    options = ["--init_from", str(tmp_path / "first.safetensors"), "--learning_rate", "0", "--num_epochs", "1"]
    assert train.main(flags(data, tmp_path / "run", *options)) == 0
    trained = SlimNet.load_pretrained(tmp_path / "run" / "last.safetensors")
    assert trained.fc.weight.equal(first.fc.weight)
    assert trained.calibration is None  # figures measured on the first weights do not hold for others
    assert train.main(flags(data, tmp_path / "other", *options, "--filter_counts", "4")) == 1
    assert "another shape" in capsys.readouterr().err


def test_frozen_modules_stay_as_they_were_and_the_others_learn(tmp_path: Path, data: Path) -> None:
    first = SlimNet((4, 8), (8, 7, 2), 3, attributes=celeba.ATTRIBUTES)
    first.save(tmp_path / "first.safetensors")
    options = ["--init_from", str(tmp_path / "first.safetensors"), "--frozen_modules", "1", "--learning_rate", "0.01"]
    for more in (["--num_epochs", "1"], ["--num_epochs", "2", "--optimizer", "adamw"]):
        run = tmp_path / more[-1]
        assert train.main(flags(data, run, *options, *more)) == 0
        before, after = first.state_dict(), SlimNet.load_pretrained(run / "last.safetensors").state_dict()
        changed = {name.split(".")[0] for name, value in before.items() if not value.equal(after[name])}
        assert changed == {"slim2", "fc"}  # batch norm's statistics included


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--num_classes", "40"], "--num_classes is 40, and"),
        (["--data_dir", "nowhere"], "list_attr_celeba"),
        (["--init_from", "none.pth"], "none.pth"),
        (["--teachers", "none.pth"], "none.pth"),
        ("--filter_counts 4 4 4 4 4".split(), "needs 259 on each side: shorten --filter_counts"),
        ("--early_share 0.5 --early_height 40".split(), "40 high and 33 wide"),
    ],
)
def test_faults_are_said_before_the_first_step(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    cache = tmp_path / "cache"
    assert train.main([*flags(data, tmp_path / "run", *options), "--cache_dir", str(cache)]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run" / "last.pt").exists()
    if "none.pth" in options:
        assert not cache.exists()  # also before minutes of decoding


def test_damaged_pictures_of_both_splits_are_named_at_once(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    splits = read_celeba(data)
    bad = [splits["train"].paths[2], splits["valid"].paths[1]]
    for path in bad:
        path.write_bytes(b"no picture")
    assert train.main(flags(data, tmp_path / "run")) == 1
    message = capsys.readouterr().err
    assert all(path.name in message for path in bad)


def expected_after_one_step(data: Path, save: Path, processes: int) -> tuple[float, SlimNet]:
    """Loss and weights after one step on a batch of 8 shared by this many processes, computed without them."""
    config = parse_config(flags(data, save, "--batch_size", "8", "--learning_rate", "0.01", "--num_epochs", "1"))
    split = read_celeba(data)["train"]
    network = build_network(config, split.attributes)
    pictures = decoded(split, config.cache_dir, network.preprocessing, 1)
    dataset = TrainingSet(pictures, split.targets, Augmentation(), 0)
    optimizer = build_optimizer(config, network)
    losses, counts = [], []
    spec = CropSpec(218, 178, augment=False)
    for rank in range(processes):
        batch: list[Sample] = next(iter(EpochBatches(Draws.once(8), 8, 0, 0, 0, rank, processes, lambda _batch: spec)))
        crops, labels = (torch.stack(part) for part in zip(*(dataset[sample] for sample in batch), strict=True))
        network.train()
        logits = network(network.preprocessing.normalise(crops))
        known = ~labels.isnan()
        losses.append(
            torch.nn.functional.binary_cross_entropy_with_logits(logits[known], labels[known], reduction="sum")
        )
        counts.append(known.sum())
    loss = torch.stack(losses).sum() / torch.stack(counts).sum()
    loss.backward()
    optimizer.step()
    assert isinstance(network, SlimNet)
    return loss.item(), network


def valid_loss(network: SlimNet, data: Path, cache: Path) -> float:
    split = read_celeba(data)["valid"]
    pictures = decoded(split, cache, network.preprocessing, 1)
    with torch.no_grad():
        logits = network.eval()(network.preprocessing.normalise(torch.from_numpy(np.array(pictures.array))))
    return torch.nn.functional.binary_cross_entropy_with_logits(logits, torch.from_numpy(split.labels).float()).item()


def test_two_processes_make_one_step_of_the_whole_batch(tmp_path: Path) -> None:
    data = celeba.write(tmp_path / "data", sizes={0: 8, 1: 6, 2: 2})
    save = tmp_path / "run"
    options = "--batch_size 8 --learning_rate 0.01 --num_epochs 1".split()
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run(
        [*command, "-m", "training.train", *flags(data, save, *options)], cwd=ROOT, check=True, env=environment
    )
    loss, network = expected_after_one_step(data, save, processes=2)
    (found,) = metrics(save)  # one line, since only one process writes
    assert found["train/loss"] == pytest.approx(loss, abs=1e-5)
    assert found["images"] == 8
    weights = SlimNet.load_pretrained(save / "last.safetensors")
    # Both processes judge exactly the saved weights, although each saw other images.
    assert found["valid/loss"] == pytest.approx(valid_loss(weights, data, tmp_path / "cache"), abs=1e-6)
    np.testing.assert_allclose(weights.fc.weight.detach(), network.fc.weight.detach(), atol=1e-4)


@pytest.mark.parametrize(("local_rank", "decodes_first"), [(0, True), (1, False)])
def test_the_first_process_of_each_machine_decodes(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, local_rank: int, decodes_first: bool
) -> None:
    found_at_wait = []
    cache = tmp_path / "cache"
    monkeypatch.setattr(Process, "wait", lambda _self: found_at_wait.append(len(list(cache.glob("*.rgb")))))
    splits = read_celeba(data)
    second_machines = Process(2 + local_rank, 4, torch.device("cpu"), local_rank)
    train.prepare([splits["train"], splits["valid"]], parse_config(flags(data, tmp_path / "run")), second_machines)
    assert found_at_wait == [2 if decodes_first else 0]


def test_one_processs_fault_is_said_once_and_ends_all(tmp_path: Path, data: Path) -> None:
    read_celeba(data)["train"].paths[0].write_bytes(b"no picture")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    ended = subprocess.run(
        [*command, "-m", "training.train", *flags(data, tmp_path / "run")],
        cwd=ROOT, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert ended.returncode != 0
    assert ended.stderr.count("1 pictures that are damaged") == 1
    assert "[rank1]: Traceback" not in ended.stderr


@pytest.mark.parametrize(("size", "why"), [("5", "evenly by 2 processes"), ("0", "give a size that 2 can share")])
def test_a_batch_that_cannot_be_shared_is_refused_before_the_work(
    tmp_path: Path, data: Path, size: str, why: str
) -> None:
    config = parse_config(flags(data, tmp_path / "run", "--batch_size", size))
    with pytest.raises(TrainingError, match=why):
        train.train(config, Process(0, 2, torch.device("cpu")))
    assert not (tmp_path / "cache").exists()


def test_resuming_on_other_labels_is_refused(tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save = tmp_path / "run"
    assert train.main(flags(data, save, "--num_epochs", "1")) == 0
    table = data / "list_attr_celeba.csv"
    head, first, *rows = table.read_text().splitlines()
    flipped = first.replace("-1", "x").replace("1", "-1").replace("x", "1") if ",1" in first else first[:-2] + "1"
    table.write_text("\n".join([head, f"{first.split(',')[0]},{flipped.split(',', 1)[1]}", *rows]) + "\n")
    assert train.main(flags(data, save, "--num_epochs", "1", "--resume")) == 1
    assert "other pictures or labels" in capsys.readouterr().err


def test_resuming_with_another_validation_split_is_refused(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save = tmp_path / "run"
    assert train.main(flags(data, save, "--num_epochs", "1")) == 0
    table = data / "list_eval_partition.csv"
    table.write_text(table.read_text().replace(",1\n", ",2\n", 1))
    assert train.main(flags(data, save, "--num_epochs", "1", "--resume")) == 1
    assert "chosen on other validation pictures" in capsys.readouterr().err


def test_best_weights_of_an_earlier_run_are_not_replaced(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save = tmp_path / "run"
    save.mkdir()
    (save / "best.safetensors").write_bytes(b"of an earlier run")
    assert train.main(flags(data, save, "--num_epochs", "1")) == 1
    assert "best.safetensors of an earlier run" in capsys.readouterr().err
    assert (save / "best.safetensors").read_bytes() == b"of an earlier run"


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


def test_images_are_counted_as_they_are_seen(tmp_path: Path, data: Path) -> None:
    assert train.main([*flags(data, tmp_path / "run"), "--num_epochs", "2", "--batch_size", "64"]) == 0
    assert [row["images"] for row in metrics(tmp_path / "run")] == [16, 32]


def test_damage_inside_one_picture_is_named_before_the_first_step(
    tmp_path: Path, data: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = read_celeba(data)["train"].paths[4]
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2] + bytes(200) + raw[len(raw) // 2 + 200 :])
    assert train.main(flags(data, tmp_path / "run")) == 1
    said = capfd.readouterr().err
    assert f"1 pictures that are damaged or not 178 wide and 218 high: {path.name}" in said
    assert "Corrupt JPEG data" not in said
    assert not (tmp_path / "run" / "last.pt").exists()


def test_what_is_not_known_is_neither_learnt_nor_judged(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two runs that differ only in unknown labels are the same."""
    celeba.with_gaps(data)
    assert train.main(flags(data, tmp_path / "run", "--num_epochs", "1")) == 0
    assert "unknown labels (empty, or 0 in a table with -1)" in capsys.readouterr().err
    splits = read_celeba(data)
    weights = SlimNet.load_pretrained(tmp_path / "run" / "last.safetensors").eval()
    pictures = decoded(splits["valid"], tmp_path / "cache", transform, 1)
    with torch.no_grad():
        logits = weights(weights.preprocessing.normalise(torch.from_numpy(np.array(pictures.array)))).numpy()
    right, known = (logits > 0) == splits["valid"].labels, splits["valid"].known
    (found,) = metrics(tmp_path / "run")
    assert found["valid/accuracy"] == pytest.approx(np.mean([right[known[:, n], n].mean() for n in range(3)]))
    costs = np.logaddexp(0, np.where(splits["valid"].labels, -logits, logits))
    assert found["valid/loss"] == pytest.approx(np.mean([costs[known[:, n], n].mean() for n in range(3)]), abs=1e-5)
    assert np.isfinite(found["train/loss"])


def test_an_attribute_that_neither_labels_nor_teachers_know_is_refused(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = data / "list_attr_celeba.csv"
    head, *rows = table.read_text().splitlines()
    table.write_text("\n".join([head, *(",".join([*row.split(",")[:2], "0", row.split(",")[3]]) for row in rows)]))
    assert train.main(flags(data, tmp_path / "run")) == 1
    assert "no picture of the train split has a known label of Second" in capsys.readouterr().err
    taught = tmp_path / "answers.csv"
    taught.write_text("file,Second\n" + "".join(f"{path.name},0.9\n" for path in read_celeba(data)["train"].paths))
    assert train.main(flags(data, tmp_path / "run", "--num_epochs", "1", "--teachers", str(taught))) == 0


def test_processes_share_a_step_by_their_known_labels(tmp_path: Path) -> None:
    """The mean is over all known labels of the batch, however the processes share them."""
    data = celeba.with_gaps(celeba.write(tmp_path / "data", sizes={0: 8, 1: 6, 2: 2}), share=0.5)
    save = tmp_path / "run"
    options = "--batch_size 8 --learning_rate 0.01 --num_epochs 1".split()
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run(
        [*command, "-m", "training.train", *flags(data, save, *options)], cwd=ROOT, check=True, env=environment
    )
    loss, network = expected_after_one_step(data, save, processes=2)
    assert metrics(save)[0]["train/loss"] == pytest.approx(loss, abs=1e-5)
    weights = SlimNet.load_pretrained(save / "last.safetensors")
    np.testing.assert_allclose(weights.fc.weight.detach(), network.fc.weight.detach(), atol=1e-4)


@pytest.mark.parametrize("size", [0, 100, 5000])
def test_a_cut_checkpoint_is_said_to_be_so(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str], size: int
) -> None:
    save = tmp_path / "run"
    assert train.main(flags(data, save, "--num_epochs", "1")) == 0
    os.truncate(save / "last.pt", size)
    assert train.main(flags(data, save, "--num_epochs", "1", "--resume")) == 1
    (said,) = [line for line in capsys.readouterr().err.splitlines() if "last.pt" in line]
    assert f"last.pt is cut off, at {size:,} bytes" in said
    assert f"--init_from {save / 'last.safetensors'}" in said


def test_a_fault_is_the_last_that_torchrun_says(tmp_path: Path, data: Path) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    ended = subprocess.run(
        [*command, "-m", "training.train", *flags(data, tmp_path / "run", "--data_dir", str(tmp_path / "none"))],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert ended.returncode != 0
    *_, last, frame = ended.stderr.splitlines()
    assert "training.train: there is no list_attr_celeba.csv" in last
    assert set(frame) == {"="}
    assert ended.stderr.count("there is no list_attr_celeba.csv") == 1


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


def test_some_of_the_columns_are_learnt(tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [word for word in flags(data, tmp_path / "run") if word not in ("--num_classes", "3")]
    assert train.main([*arguments, "--num_epochs", "1", "--attributes", "Third", "First"]) == 0
    assert SlimNet.load_pretrained(tmp_path / "run" / "best.safetensors").attributes == ("Third", "First")
    assert train.main([*arguments, "--save_dir", str(tmp_path / "other"), "--attributes", "Fourth"]) == 1
    assert "labelled are First, Second, Third (3)" in capsys.readouterr().err


def test_a_run_says_beside_its_weights_and_in_them_how_they_were_made(tmp_path: Path, data: Path) -> None:
    first = SlimNet((4, 8), (8, 7, 2), 3, attributes=celeba.ATTRIBUTES)
    first.save(tmp_path / "first.safetensors")
    save = tmp_path / "run"
    options = ["--num_epochs", "1", "--seed", "4", "--init_from", str(tmp_path / "first.safetensors")]
    assert train.main(flags(data, save, *options)) == 0
    written = json.loads((save / "config.json").read_text())
    assert written["settings"]["data_dir"] == [str(data)]
    assert written["settings"]["seed"] == 4
    assert written["data"]["fingerprint"] == read_celeba(data)["train"].fingerprint()
    assert (written["data"]["pictures"], written["data"]["validation_pictures"]) == (16, {"data": 6})
    for name in ("best", "last"):
        found = SlimNet.load_pretrained(save / f"{name}.safetensors").provenance
        assert found is not None
        assert found["settings"] == {
            "num_epochs": 1, "seed": 4, "init_from": "first.safetensors", "batch_size": 4, "num_classes": 3,
            "filter_counts": [4, 8], "conv_filters": 8,
        }  # fmt: skip
        assert found["data"] == written["data"]["fingerprint"]
        assert found.get("commit") == written.get("commit")
        assert str(tmp_path) not in json.dumps(found)


def test_a_run_knows_its_teachers_and_initial_weights_by_what_they_hold(tmp_path: Path, data: Path) -> None:
    teacher, first, save = tmp_path / "deep" / "teacher.csv", tmp_path / "first.safetensors", tmp_path / "run"
    write_answers(teacher, data, 0.7)
    SlimNet((4, 8), (8, 7, 2), 3, attributes=celeba.ATTRIBUTES).save(first)
    expected = {
        "teachers": [{"file": "teacher.csv", "sha256": hashlib.sha256(teacher.read_bytes()).hexdigest()}],
        "init_from": {"file": "first.safetensors", "sha256": hashlib.sha256(first.read_bytes()).hexdigest()},
    }
    options = flags(data, save, "--teachers", str(teacher), "--init_from", str(first))
    assert train.main([*options, "--num_epochs", "1"]) == 0
    first.unlink()  # going on does not need it
    assert train.main([*options, "--num_epochs", "2", "--resume"]) == 0
    assert json.loads((save / "config.json").read_text())["files"] == expected
    assert torch.load(save / "last.pt", weights_only=True)["files"] == expected
    made = SlimNet.load_pretrained(save / "last.safetensors").provenance
    assert made is not None
    assert made["files"] == expected


def test_a_run_does_not_go_on_with_a_teacher_that_was_written_again(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    teacher, save = tmp_path / "teacher.csv", tmp_path / "run"
    write_answers(teacher, data, 0.7)
    former = teacher.read_bytes()
    options = flags(data, save, "--teachers", str(teacher))
    assert train.main([*options, "--num_epochs", "1"]) == 0
    write_answers(teacher, data, 0.2)
    with monkeypatch.context() as patched:
        patched.setattr(train, "prepare", lambda *_: pytest.fail("the minutes of work began"))
        assert train.main([*options, "--num_epochs", "2", "--resume"]) == 1
    said = capsys.readouterr().err
    assert f"the teacher {teacher} is no longer the file that the run in {save} learns from" in said
    assert f"--init_from {save / 'last.safetensors'}" in said
    teacher.write_bytes(former)
    assert train.main([*options, "--num_epochs", "2", "--resume"]) == 0


def test_a_run_from_before_teachers_were_known_by_what_they_hold_goes_on(tmp_path: Path, data: Path) -> None:
    teacher, save = tmp_path / "teacher.csv", tmp_path / "run"
    write_answers(teacher, data, 0.7)
    options = flags(data, save, "--teachers", str(teacher))
    assert train.main([*options, "--num_epochs", "1"]) == 0
    state = torch.load(save / "last.pt", weights_only=True)
    del state["files"]
    torch.save(state, save / "last.pt")
    write_answers(teacher, data, 0.2)
    assert train.main([*options, "--num_epochs", "2", "--resume"]) == 0
    (known,) = torch.load(save / "last.pt", weights_only=True)["files"]["teachers"]
    assert known["sha256"] == hashlib.sha256(teacher.read_bytes()).hexdigest()  # recorded from now on


def write_answers(teacher: Path, data: Path, probability: float) -> None:
    """Write a teacher's table that says the same about every training picture."""
    names = [path.name for path in read_celeba(data)["train"].paths]
    teacher.parent.mkdir(exist_ok=True)
    teacher.write_text("file,Second\n" + "".join(f"{name},{probability}\n" for name in names))


def test_the_best_epoch_is_that_of_the_chosen_figure(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save = tmp_path / "run"
    scores = iter([(0.9, 0.6, 0.2), (0.8, 0.7, 0.3), (0.95, 0.65, 0.1)])
    saved = []
    keep = engine.Trainer.write_epoch

    def noted(self: engine.Trainer, found: Any, better: bool) -> None:
        saved.append(better)
        keep(self, found, better)

    monkeypatch.setattr(engine.Trainer, "write_epoch", noted)

    def measured(*_: Any) -> Validation:
        names = ("accuracy", "balanced_accuracy", "f1", "average_precision")
        figures = dict(zip(names, (*next(scores), 0.5), strict=True))
        return Validation(celeba.ATTRIBUTES, np.ones(3), {name: np.full(3, value) for name, value in figures.items()})

    monkeypatch.setattr(engine, "validate", measured)
    options = ["--num_epochs", "2", "--keep_best", "balanced"]
    assert train.main(flags(data, save, *options)) == 0
    assert position(save)["best"] == pytest.approx(0.7)
    assert "mean balanced accuracy 70.00 % (best 70.00 %)" in capsys.readouterr().out
    assert train.main(flags(data, save, "--num_epochs", "3", "--resume")) == 1
    assert "--keep_best was balanced, is accuracy" in capsys.readouterr().err
    assert train.main(flags(data, save, "--num_epochs", "3", "--keep_best", "balanced", "--resume")) == 0
    assert saved == [True, True, False]
    assert position(save)["best"] == pytest.approx(0.7)


def test_figures_are_reported_for_every_attribute(tmp_path: Path, data: Path) -> None:
    save = tmp_path / "run"
    assert train.main(flags(data, save, "--num_epochs", "1")) == 0
    (found,) = metrics(save)
    by_attribute = found["valid/attributes"]
    assert list(by_attribute) == list(celeba.ATTRIBUTES)
    for figure in ("accuracy", "balanced_accuracy", "f1", "average_precision"):
        known = [row[figure] for row in by_attribute.values() if row[figure] is not None]
        assert found[f"valid/{figure}"] == pytest.approx(np.mean(known), abs=1e-6)
    events = EventAccumulator(str(save / "tensorboard")).Reload()
    tags = events.Tags()["scalars"]
    assert {"valid/f1", "valid/balanced_accuracy", "valid/average_precision"} <= set(tags)
    assert events.Scalars("valid attributes/First/accuracy")[0].value == pytest.approx(
        by_attribute["First"]["accuracy"]
    )


def test_without_a_terminal_a_run_says_in_lines_how_far_it_is(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    steps_take(monkeypatch, 25)
    assert train.main(flags(data, tmp_path / "run", "--num_epochs", "2")) == 0
    _no_identities, first, *others = capsys.readouterr().err.splitlines()
    assert first == "training on cpu in float32: 16 pictures, batch size 4, 4 steps an epoch, 2 epochs"
    assert [line.partition(": loss ")[0] for line in others] == ["epoch 1, step 3 of 4", "epoch 2, step 2 of 4"]
    assert others[0].endswith("0 images/s, 2 min left")
    assert others[1].endswith("0 images/s, 1 min left")
