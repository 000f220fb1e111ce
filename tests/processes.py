"""Other processes: what they print first, and which there are, by Linux's /proc. Waiting, and a limit for this one."""

import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

_END_SECONDS = 60
_LINE_SECONDS = 120  # a slow machine takes a while to import torch


def first_line(process: "subprocess.Popen[str]") -> str:
    """The first line that a process prints; empty if it ends before, or is killed because it prints none for long."""
    assert process.stdout is not None
    limit = threading.Timer(_LINE_SECONDS, process.kill)
    limit.start()
    try:
        return process.stdout.readline()
    finally:
        limit.cancel()


def children_of(pid: int) -> list[int]:
    """The processes that a process has started."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for found in lists for child in found.read_text(encoding="ascii").split()]


def wait_until_ended(pids: Iterable[int]) -> None:
    for pid in pids:
        eventually(lambda pid=pid: not _runs(pid))  # type: ignore[misc]


def eventually(holds: Callable[[], object], seconds: float = _END_SECONDS) -> None:
    """Wait until something is true; fail if it does not become so."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"still not so after {seconds:g} s"
        time.sleep(0.01)


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Stand in for a full disk: while this holds, no file that this process writes can become larger."""
    import resource  # POSIX only

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
