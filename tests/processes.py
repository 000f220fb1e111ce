"""Other processes of this machine, found in Linux's /proc."""

import time
from collections.abc import Iterable
from pathlib import Path

_END_SECONDS = 60


def children_of(pid: int) -> list[int]:
    """The processes that a process has started."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for found in lists for child in found.read_text(encoding="ascii").split()]


def wait_until_ended(pids: Iterable[int]) -> None:
    deadline = time.monotonic() + _END_SECONDS
    left = list(pids)
    while left := [pid for pid in left if _runs(pid)]:
        assert time.monotonic() < deadline, f"left: {left}"
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
