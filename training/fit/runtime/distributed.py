"""Distributed training (DDP with torchrun), or a single process: ranks, devices, and sums over all processes."""

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import torch
from torch import distributed

from slimnet import choose_device

_FIRST_TELLS_SECONDS = 3.0
# The others wait while a machine's first process decodes all pictures and asks the teachers. On a slow disk or CPU that
# takes hours, and torch would give up after 10 minutes (NCCL) or 30 (gloo).
_MOST_WAIT = timedelta(hours=12)
_ANOTHER_ENDED = "another process has ended; what it said tells why"


@dataclass(frozen=True)
class Process:
    """This process in a group; the process of rank 0 writes the files.

    Args:
        rank: Its rank among all processes.
        count: Number of processes.
        device: Device that it computes on.
        local_rank: Its rank among the processes of its machine.
    """

    rank: int
    count: int
    device: torch.device
    local_rank: int = 0

    @property
    def writes(self) -> bool:
        """Whether this process writes the files (rank 0)."""
        return self.rank == 0

    def total(self, values: torch.Tensor) -> torch.Tensor:
        """Sum a tensor over all processes; every process must call this.

        Args:
            values: Values of this process; a tensor on its device may be overwritten by the sum.

        Returns:
            The sum, on this process's device; the values themselves if there is only one process.

        Raises:
            ConnectionError: Another process has ended.
        """
        if self.count > 1:
            values = values.to(self.device)
            with _others_needed():
                distributed.all_reduce(values)
        return values

    def wait(self) -> None:
        """Return once every process has called this.

        Raises:
            ConnectionError: Another process has ended.
        """
        self.total(torch.zeros(1)).item()  # NCCL returns before the others arrive; reading the value waits

    def take_from_writer(self, tensors: Iterable[torch.Tensor]) -> None:
        """Overwrite every process's tensors with those of rank 0; every process must call this.

        Args:
            tensors: Tensors on this process's device, in the same order in every process.

        Raises:
            ConnectionError: Another process has ended.
        """
        if self.count > 1:
            with _others_needed():
                for tensor in tensors:
                    distributed.broadcast(tensor, src=0)

    def from_writer(self, value: float) -> float:
        """Return rank 0's value in every process, since clocks differ but decisions must not.

        Args:
            value: This process's value; only rank 0's counts.

        Raises:
            ConnectionError: Another process has ended.
        """
        return float(self.total(torch.tensor(value if self.writes else 0.0, dtype=torch.float64)))

    @contextmanager
    def exchanging_gradients(self) -> Iterator[None]:
        """Call the network as DDP wraps it, and its backward pass, within this.

        Raises:
            ConnectionError: Another process has ended.
        """
        try:
            yield
        except RuntimeError as error:  # or the step itself has failed
            if self.count > 1 and (isinstance(error, distributed.DistBackendError) or "gloo" in str(error)):
                raise ConnectionError(_ANOTHER_ENDED) from error
            raise


@contextmanager
def _others_needed() -> Iterator[None]:
    """Raise ConnectionError if another process has ended."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        raise ConnectionError(_ANOTHER_ENDED) from error


@contextmanager
def joined(device: str) -> Iterator[Process]:
    """Join torchrun's process group, with NCCL on GPUs and gloo on CPUs; without torchrun, run alone.

    Args:
        device: Name of a device, as for choose_device; several processes on GPUs get one each, by local rank.

    Yields:
        This process.

    Raises:
        ValueError: The device is unknown, the machine has fewer GPUs than processes, or torchrun's variables are
            missing.
        ConnectionError: Another process has ended before this one was done.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Process(0, 1, choose_device(device))
        return
    if "LOCAL_RANK" not in os.environ:  # as where a job scheduler sets only WORLD_SIZE and RANK
        raise ValueError(
            f"WORLD_SIZE asks for {count} processes, but LOCAL_RANK is not set: start it with torchrun, which sets it"
        )
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
    distributed.init_process_group("nccl" if chosen.type == "cuda" else "gloo", timeout=_MOST_WAIT)
    process = Process(distributed.get_rank(), count, chosen, local_rank)
    try:
        yield process
        process.wait()  # leave together: the first to leave closes the connection, which others may still need
    finally:
        distributed.destroy_process_group()


def leave(status: int) -> NoReturn:
    """End the program; under torchrun at once, without Python's own teardown.

    DDP leaves gloo's threads behind. One that wants Python's lock during the teardown would abort the process, although
    all its work is done (https://github.com/pytorch/pytorch/issues/190489).

    Args:
        status: The exit status.
    """
    if "LOCAL_RANK" in os.environ:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


def report_failure(text: str) -> None:
    """Report once why the run ends: under torchrun at the end of its long report, else on the standard error stream.

    What one process can't use, none can, so the others fail, too. They leave the report to each machine's first
    process, and torchrun ends them meanwhile.

    Args:
        text: Message to show.
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
