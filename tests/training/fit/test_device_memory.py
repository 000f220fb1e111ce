from collections.abc import Callable
from typing import Any

import pytest
import torch

from slimnet import SlimNet
from training.fit import device_memory
from training.fit.config import parse_config
from training.fit.errors import TrainingError
from training.fit.runtime.distributed import Process

# Takes how many pictures fit into memory, and a function from the size last tried to the free share.
SetUp = Callable[[int, Callable[[int], int]], None]
CUDA = torch.device("cuda")


class OnGpu(SlimNet):
    """A small network that claims to be wherever it was sent."""

    def to(self, *_: Any, **__: Any) -> "OnGpu":
        return self


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> SetUp:
    """A function that sets how many pictures fit into a GPU's memory, and its free share for each size."""
    monkeypatch.setattr(device_memory, "build_network", lambda *_: OnGpu((4,), (4, 7, 2), 2))
    monkeypatch.setattr(device_memory, "compute_type", lambda *_: torch.bfloat16)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)

    def set_up(most: int, free: Callable[[int], int]) -> None:
        tried: list[int] = []

        def try_step(_network: SlimNet, batch_size: int, _dtype: torch.dtype) -> None:
            tried.append(batch_size)
            if batch_size > most:
                raise torch.OutOfMemoryError

        monkeypatch.setattr(device_memory, "try_step", try_step)
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _device: (free(tried[-1]), 1000))

    return set_up


def batch_size(pictures: int = 100_000) -> int:
    return device_memory.batch_size_for(parse_config(["--batch_size", "0"]), ("A", "B"), Process(0, 1, CUDA), pictures)


@pytest.mark.parametrize(
    ("most", "free", "expected"),
    [
        (5000, lambda _: 900, 1024),  # not more, since the learning rate would no longer fit
        (700, lambda _: 900, 512),
        (700, lambda size: 900 if size < 200 else 50, 128),  # 512 and 256 leave too little free
    ],
)
def test_the_batch_is_the_largest_that_fits_with_some_memory_to_spare(
    gpu: SetUp, most: int, free: Callable[[int], int], expected: int
) -> None:
    gpu(most, free)
    assert batch_size() == expected


@pytest.mark.parametrize(("pictures", "expected"), [(20 * 1024, 1024), (20 * 1024 - 1, 512), (900, 32), (3, 32)])
def test_few_pictures_get_smaller_batches(gpu: SetUp, pictures: int, expected: int) -> None:
    gpu(5000, lambda _: 900)
    assert batch_size(pictures) == expected


def test_too_little_memory_for_any_batch_is_said(gpu: SetUp) -> None:
    gpu(0, lambda _: 0)
    with pytest.raises(TrainingError, match="too little memory to train"):
        batch_size()


def test_trying_a_step_leaves_the_network_as_it_is() -> None:
    network = SlimNet((4,), (4, 7, 2), 2)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    device_memory.try_step(network, 2, torch.float32)
    assert all(value.equal(before[name]) for name, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())


def test_a_gpu_holds_pictures_that_take_half_of_its_free_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _device: (1000, 2000))
    assert device_memory.holds(CUDA, 500)
    assert not device_memory.holds(CUDA, 501)
    assert not device_memory.holds(torch.device("cpu"), 1)
