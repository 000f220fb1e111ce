"""A door through which strangers' input comes: counts it, and checks the answer to a good input after each batch."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_BATCH = 25
DOORS: list["Door"] = []


class Door:
    """Counts the inputs of a test.

    Args:
        name: of the door.
        check_good_input: asserts that a good input still gets the right answer.
    """

    def __init__(self, name: str, check_good_input: Callable[[], None]) -> None:
        self._name = name
        self._check = check_good_input
        self.inputs = self.refused = 0
        self._slowest = 0.0
        self._check()
        self._before = self._after = _resident_megabytes()
        DOORS.append(self)

    @contextmanager
    def input(self, *refusals: type[Exception]) -> Iterator[None]:
        """Try an input in the block, which may raise one of these exceptions."""
        began = time.process_time()
        why: Exception | None = None
        try:
            yield
        except refusals as error:
            why = error
            self.refused += 1
        assert why is None or str(why).strip(), f"{why!r} says nothing"
        self._slowest = max(self._slowest, time.process_time() - began)
        self.inputs += 1
        if self.inputs % _BATCH == 0:
            self._check()
            self._after = _resident_megabytes()
            if self.inputs == _BATCH:  # by then everything is loaded
                self._before = self._after

    def __str__(self) -> str:
        return (
            f"{self._name}: {self.inputs:,} inputs, {self.refused:,} refused, slowest {self._slowest:.2f} s of CPU, "
            f"memory {self._before} → {self._after} MB"
        )


def _resident_megabytes() -> int:
    """This process's memory; 0 if the system does not say."""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="utf-8").splitlines() if status.exists() else []
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS")), 0)
