"""Small runs on made-up pictures, which tests start, cut off and read."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from training.fit import trainer as engine

SMALL = "--filter_counts 4 8 --conv_filters 8 --num_classes 3 --batch_size 4 --num_workers 0 --device cpu".split()


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


def seen(monkeypatch: pytest.MonkeyPatch, name: str) -> list[Any]:
    """All arguments of a trainer's method, collected as the run goes on."""
    calls = []
    method = getattr(engine.Trainer, name)

    def noted(self: engine.Trainer, *given: Any) -> Any:
        calls.append(given)
        return method(self, *given)

    monkeypatch.setattr(engine.Trainer, name, noted)
    return calls


def steps_take(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Give the trainer a clock on which only steps take time."""
    clock = [1000.0]
    step = engine.Trainer.step

    def slow_step(self: engine.Trainer, crops: torch.Tensor, labels: torch.Tensor) -> None:
        clock[0] += seconds
        step(self, crops, labels)

    monkeypatch.setattr(engine.Trainer, "step", slow_step)
    monkeypatch.setattr(engine, "time", SimpleNamespace(monotonic=lambda: clock[0]))


def interrupted(monkeypatch: pytest.MonkeyPatch, name: str, at_step: int) -> None:
    """Have the trainer's method stop the run once, as Ctrl-C does, after this many steps."""
    method = getattr(engine.Trainer, name)

    def stop(self: engine.Trainer, *arguments: Any) -> Any:
        if self.progress.step == at_step:
            monkeypatch.undo()
            raise KeyboardInterrupt
        return method(self, *arguments)

    monkeypatch.setattr(engine.Trainer, name, stop)


def losses_read_after(monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    """Have the trainer read losses only after several steps, as on a GPU."""
    open_loader = engine.Trainer.open_loader

    def with_steps(self: engine.Trainer) -> Any:
        self.steps_between_reads = steps
        return open_loader(self)

    monkeypatch.setattr(engine.Trainer, "open_loader", with_steps)
