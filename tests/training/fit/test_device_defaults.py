from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from tests.fakes import celeba
from training import train
from training.fit.config import TrainConfig
from training.fit.runtime.distributed import Process

CUDA, CPU, MPS = torch.device("cuda"), torch.device("cpu"), torch.device("mps")


def settings(monkeypatch: pytest.MonkeyPatch, device: torch.device, *flags: str, processes: int = 1) -> tuple[str, int]:
    """Precision and batch size with which the command would train on a device."""
    found: list[TrainConfig] = []

    @contextmanager
    def joined(_device: str) -> Iterator[Process]:
        yield Process(0, processes, device)

    with monkeypatch.context() as patch:
        patch.setattr(train, "joined", joined)
        patch.setattr(train, "train", lambda config, *_: found.append(config))
        assert train.main(flags) == 0
    return found[0].precision, found[0].batch_size


def test_a_gpu_computes_in_few_bits_with_a_batch_by_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings(monkeypatch, CUDA) == ("auto", 0)
    assert settings(monkeypatch, CUDA, processes=2) == ("auto", 64)  # which a batch by memory could not be shared by
    for device in (CPU, MPS):
        assert settings(monkeypatch, device) == ("float32", 64)


def test_what_flags_or_the_recipe_give_is_kept_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings(monkeypatch, CUDA, "--precision", "float32") == ("float32", 0)
    assert settings(monkeypatch, CUDA, "--batch_size=64") == ("auto", 64)
    assert settings(monkeypatch, CUDA, "--recipe", "best") == ("auto", 128)


def test_a_run_goes_on_with_what_it_began_with_on_any_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data, save = celeba.write(tmp_path / "data"), tmp_path / "run"
    flags = ["--filter_counts", "4", "--conv_filters", "8", "--num_classes", "3", "--num_workers", "0"]
    flags += ["--data_dir", str(data), "--cache_dir", str(tmp_path / "cache"), "--save_dir", str(save)]
    assert train.main([*flags, "--device", "cpu", "--num_epochs", "1"]) == 0
    assert settings(monkeypatch, CUDA, *flags, "--resume") == ("float32", 64)
    state = torch.load(save / "last.pt", weights_only=True)
    begun = {**state["config"], "precision": "auto", "batch_size": 8}  # as on a GPU whose memory holds so many
    torch.save({**state, "config": begun}, save / "last.pt")
    assert settings(monkeypatch, CUDA, *flags, "--resume") == ("auto", 8)
    assert train.main([*flags, "--device", "cpu", "--num_epochs", "2", "--resume"]) == 0
    assert torch.load(save / "last.pt", weights_only=True)["config"]["batch_size"] == 8
