from contextlib import suppress
from datetime import timedelta

import pytest
import torch

from training.fit.runtime import distributed as processes


@pytest.fixture
def group(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Set what torchrun would set for the second of two processes; returns the backends that are asked for."""
    for name, value in {"WORLD_SIZE": "2", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    backends: list[str] = []

    def init_process_group(backend: str, *, timeout: timedelta) -> None:
        assert timeout > timedelta(hours=1)  # others wait that long for the first decoding
        backends.append(backend)

    monkeypatch.setattr(processes.distributed, "init_process_group", init_process_group)
    monkeypatch.setattr(processes.distributed, "get_rank", lambda: 1)
    monkeypatch.setattr(processes.distributed, "all_reduce", lambda _values: None)
    monkeypatch.setattr(processes.distributed, "destroy_process_group", lambda: None)
    return backends


def test_several_processes_on_a_mac_use_the_cpu(monkeypatch: pytest.MonkeyPatch, group: list[str]) -> None:
    monkeypatch.setattr(processes, "choose_device", lambda _requested: torch.device("mps"))
    with processes.joined("auto") as process:
        assert process == processes.Process(rank=1, count=2, device=torch.device("cpu"), local_rank=1)
    assert group == ["gloo"]


def test_processes_that_torchrun_has_not_started_are_refused(monkeypatch: pytest.MonkeyPatch, group: list[str]) -> None:
    monkeypatch.delenv("LOCAL_RANK")
    with pytest.raises(ValueError, match="LOCAL_RANK is not set: start it with torchrun"), processes.joined("cpu"):
        pass
    assert group == []


def test_more_processes_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch, group: list[str]) -> None:
    monkeypatch.setattr(processes, "choose_device", lambda _requested: torch.device("cuda"))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(ValueError, match="1 GPUs here for 2 processes"), processes.joined("auto"):
        pass
    assert group == []


@pytest.mark.usefixtures("group")
@pytest.mark.parametrize(("error", "steps"), [(None, ["all_reduce", "destroy"]), (OSError("no space"), ["destroy"])])
def test_processes_leave_together_unless_one_fails(
    monkeypatch: pytest.MonkeyPatch, error: Exception | None, steps: list[str]
) -> None:
    found = []
    monkeypatch.setattr(processes, "choose_device", lambda _requested: torch.device("cpu"))
    monkeypatch.setattr(processes.distributed, "all_reduce", lambda _values: found.append("all_reduce"))
    monkeypatch.setattr(processes.distributed, "destroy_process_group", lambda: found.append("destroy"))
    with suppress(OSError), processes.joined("auto"):
        if error:
            raise error
    assert found == steps
