from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from slimnet import SlimNet, transform
from tests.fakes import celeba
from tests.training.train.runs import flags, losses_read_after, metrics, position, seen, steps_take
from training import train
from training.data.cache import decoded
from training.data.celeba import read_celeba
from training.fit import trainer as engine
from training.fit.validation import Validation


def test_a_run_learns_and_leaves_what_it_says(tmp_path: Path, data: Path) -> None:
    save = tmp_path / "run"
    options = "--num_epochs 12 --learning_rate 1e-2 --save_every 6 --decay_lr_every 5 --lr_decay 0.5".split()
    assert train.main(flags(data, save, *options)) == 0
    found = metrics(save)
    assert [row["epoch"] for row in found] == list(range(1, 13))
    assert [row["learning_rate"] for row in found] == pytest.approx([1e-2] * 5 + [5e-3] * 5 + [2.5e-3] * 2)
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


def test_the_end_of_a_run_may_have_crops_as_they_are(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = seen(monkeypatch, "step")
    options = "--augment --augmentation flip=0 turn=0 brightness=0.9 --plain_share 0.5 --num_epochs 2".split()
    assert train.main(flags(data, tmp_path / "run", *options)) == 0
    known = decoded(read_celeba(data)["train"], tmp_path / "cache", transform, 1).array
    as_they_are = [all((known == crop.numpy()).all(axis=(1, 2, 3)).any() for crop in crops) for crops, _ in steps]
    assert as_they_are == [False] * 4 + [True] * 4


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


def test_reading_losses_later_changes_nothing(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = "--num_epochs 2 --learning_rate 1e-2".split()
    assert train.main(flags(data, tmp_path / "each", *options)) == 0
    losses_read_after(monkeypatch, 3)
    assert train.main(flags(data, tmp_path / "later", *options)) == 0
    for row, later in zip(metrics(tmp_path / "each"), metrics(tmp_path / "later"), strict=True):
        assert {**row, "minutes": 0} == {**later, "minutes": 0}


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
