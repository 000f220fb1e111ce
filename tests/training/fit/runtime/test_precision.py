from pathlib import Path
from typing import Any

import pytest
import torch

from tests.fakes import celeba
from training import train
from training.fit import trainer as engine
from training.fit.runtime.precision import compute_type

CUDA, CPU, MPS = torch.device("cuda"), torch.device("cpu"), torch.device("mps")


@pytest.mark.parametrize(("has_bfloat16", "expected"), [(True, torch.bfloat16), (False, torch.float16)])
def test_a_gpu_takes_bfloat16_or_else_float16(
    monkeypatch: pytest.MonkeyPatch, has_bfloat16: bool, expected: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: has_bfloat16)  # noqa: ARG005
    assert compute_type("auto", CUDA) == expected


@pytest.mark.parametrize(
    ("machine", "onednn_takes_it", "has_instructions", "expected"),
    [
        ("x86_64", True, True, torch.bfloat16),
        ("x86_64", True, False, torch.float32),  # AVX-512 alone, on which it would be emulated
        ("x86_64", False, False, torch.float32),
        ("aarch64", True, False, torch.bfloat16),
        ("aarch64", False, False, torch.float32),
    ],
)
def test_a_processor_without_bfloat16_stays_with_float32(
    monkeypatch: pytest.MonkeyPatch, machine: str, onednn_takes_it: bool, has_instructions: bool, expected: torch.dtype
) -> None:
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: onednn_takes_it)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: has_instructions)
    assert compute_type("auto", CPU) == expected


@pytest.mark.parametrize("device", [CUDA, CPU, MPS])
def test_float32_is_kept_when_asked_for(device: torch.device) -> None:
    assert compute_type("float32", device) == torch.float32
    assert compute_type("auto", MPS) == torch.float32


def test_float16_trains_with_scaled_gradients_and_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "compute_type", lambda _precision, _device: torch.float16)
    # A step takes two seconds, and resuming here means not to train on, so one is enough.
    data = celeba.write(tmp_path / "data", sizes={0: 4, 1: 2, 2: 2})
    options = "--filter_counts 4 8 --conv_filters 8 --num_classes 3 --batch_size 4 --num_workers 0 --device cpu".split()
    options += ["--data_dir", str(data), "--cache_dir", str(tmp_path / "cache"), "--save_dir", str(tmp_path / "run")]
    loaded: list[dict[str, Any]] = []
    load = torch.amp.GradScaler.load_state_dict

    def noted(self: torch.amp.GradScaler, state: dict[str, Any]) -> None:
        loaded.append(dict(state))
        load(self, state)

    monkeypatch.setattr(torch.amp.GradScaler, "load_state_dict", noted)
    assert train.main([*options, "--num_epochs", "1"]) == 0
    state = torch.load(tmp_path / "run" / "last.pt", weights_only=True)
    assert state["scaler"] != torch.amp.GradScaler("cpu").state_dict()  # the step counts, or has halved the scale
    assert train.main([*options, "--num_epochs", "1", "--resume"]) == 0
    assert loaded == [state["scaler"]]
