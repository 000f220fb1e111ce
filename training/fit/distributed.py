"""Distributed training (DDP by torchrun), or one process alone: ranks, devices, and sums over all processes."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import distributed

from slimnet import choose_device

_FIRST_TELLS_SECONDS = 3.0


@dataclass(frozen=True)
class Process:
    """This process among `count`; rank 0 is the one that writes. local_rank: among those of its machine."""

    rank: int
    count: int
    device: torch.device
    local_rank: int = 0

    @property
    def writes(self) -> bool:
        return self.rank == 0

    def total(self, values: torch.Tensor) -> torch.Tensor:
        """The sum of every process's values, on all of them. Raises ConnectionError when another one has ended."""
        if self.count > 1:
            values = values.to(self.device)
            with _others_needed():
                distributed.all_reduce(values)
        return values

    def wait(self) -> None:
        """Return when every process has called this."""
        self.total(torch.zeros(1)).item()  # NCCL returns before the others have come; reading the value waits

    def take_from_writer(self, tensors: Iterable[torch.Tensor]) -> None:
        """Overwrite the tensors of every process by the writer's. Raises ConnectionError as total does."""
        if self.count > 1:
            with _others_needed():
                for tensor in tensors:
                    distributed.broadcast(tensor, src=0)

    def from_writer(self, value: float) -> float:
        """The writer's value, on all of them: clocks differ, decisions must not."""
        return float(self.total(torch.tensor(value if self.writes else 0.0, dtype=torch.float64)))


@contextmanager
def _others_needed() -> Iterator[None]:
    """Raise ConnectionError when another process has ended."""
    try:
        yield
    except RuntimeError as error:
        raise ConnectionError("another process has ended; what it said tells why") from error


@contextmanager
def joined(device: str) -> Iterator[Process]:
    """Join the group that torchrun started, with NCCL on GPUs and gloo on CPUs; alone without torchrun.

    Raises ValueError for an unknown device, and when a machine has fewer GPUs than processes.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Process(0, 1, choose_device(device))
        return
    chosen = choose_device(device)
    local_rank = int(os.environ["LOCAL_RANK"])
    if chosen.type == "cuda":
        chosen = torch.device("cuda", local_rank)
        if torch.cuda.device_count() <= local_rank:
            raise ValueError(
                f"there are {torch.cuda.device_count()} GPUs here for {os.environ['LOCAL_WORLD_SIZE']} processes: "
                "start fewer by --nproc_per_node, or use --device cpu"
            )
        torch.cuda.set_device(chosen)
    else:
        chosen = torch.device("cpu")  # gloo knows no MPS
    distributed.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    process = Process(distributed.get_rank(), count, chosen, local_rank)
    try:
        yield process
        process.wait()  # to leave together: who goes first takes the connection down while the others may still use it
    finally:
        distributed.destroy_process_group()


def report_failure(text: str) -> None:
    """Say once why the run ends: by torchrun where that has started it, at the end of its long report.

    What one process cannot use, none can, and the others fail for want of it: they leave the first of each machine to
    tell, and are ended by torchrun meanwhile.
    """
    told_by_torchrun = os.environ.get("TORCHELASTIC_ERROR_FILE")
    if int(os.environ.get("LOCAL_RANK", "0")) > 0:
        time.sleep(_FIRST_TELLS_SECONDS)
    if not told_by_torchrun:
        print(text, file=sys.stderr)
        return
    details = {"py_callstack": text, "timestamp": str(int(time.time()))}
    with Path(told_by_torchrun).open("w", encoding="utf-8") as file:
        json.dump({"message": {"message": text, "extraInfo": details}}, file)
