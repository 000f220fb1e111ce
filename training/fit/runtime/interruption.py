"""Ctrl-C and the signals that end a program: held back until a training step is done, so that no work is lost."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")  # SIGHUP: the terminal closes; Windows lacks it
_REPEAT_SECONDS = 5.0  # torchrun forwards within this time a signal that came from the terminal, too


class Interrupted(KeyboardInterrupt):
    """A signal asked the program to end.

    Args:
        number: Number of the signal.

    Attributes:
        number: As given.
    """

    def __init__(self, number: int = signal.SIGINT) -> None:
        super().__init__(number)
        self.number = number

    @property
    def status(self) -> int:
        """The exit status by the shells' convention: 130 after Ctrl-C, 143 after SIGTERM."""
        return 128 + self.number


class Interruption:
    """Whether this program has been asked to end; raises Interrupted at once, except inside `held`.

    A second signal ends the program at once, except a repeat within seconds under torchrun.

    Attributes:
        number: Number of the last signal; None before the first.
        first: When that signal came, in seconds by time.monotonic.
        waits: Whether a first signal is only noted, for the code to check.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self.first = 0.0
        self.waits = False

    @property
    def asked(self) -> bool:
        """Whether a signal has come."""
        return self.number is not None

    @property
    def reason(self) -> Interrupted:
        """The exception to raise; for SIGTERM if the signal went to another process."""
        return Interrupted(signal.SIGTERM if self.number is None else self.number)

    @contextmanager
    def watched(self) -> "Iterator[Interruption]":
        """Handle the signals, except those that the program was started to ignore, as with nohup.

        Does nothing outside the main thread, where handlers can't be set.

        Yields:
            This object.
        """
        numbers = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
        if threading.current_thread() is not threading.main_thread():
            numbers = []  # handlers can be set in the main thread only
        before = {number: signal.getsignal(number) for number in numbers}
        owner = os.getpid()

        def take(number: int, _frame: FrameType | None) -> None:
            if os.getpid() == owner:  # not in a worker forked from this process
                self.take(number)

        for number, handler in before.items():
            if handler != signal.SIG_IGN:
                signal.signal(number, take)
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def take(self, number: int) -> None:
        """Handle a signal; under torchrun a repeat within a few seconds is ignored.

        Args:
            number: Number of the signal.

        Raises:
            Interrupted: This is a second signal, or signals are not held.
        """
        if self.asked and "LOCAL_RANK" in os.environ and time.monotonic() - self.first < _REPEAT_SECONDS:
            return
        again = self.asked
        self.number, self.first = number, time.monotonic()
        if again or not self.waits:
            raise self.reason
        if os.environ.get("RANK", "0") == "0":
            _tell(b"\nstopping after this step; once more to stop at once, without what was not saved\n")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Inside the block, only note a first signal; the block checks for it with `asked`."""
        self.waits = True
        try:
            yield
        finally:
            self.waits = False

    @contextmanager
    def released(self) -> Iterator[None]:
        """Inside `held`: raise at once for a signal noted before, or one that comes in the block.

        Raises:
            Interrupted: A signal has come.
        """
        if self.asked:
            raise self.reason
        waited, self.waits = self.waits, False
        try:
            yield
        finally:
            self.waits = waited


def _tell(text: bytes) -> None:
    """Write to the standard error stream; not with print, since a signal may come in the middle of printing.

    If that was a terminal that is closed now, nothing can be told any more, which must not keep the run from saving.
    """
    try:
        os.write(2, text)
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)  # whatever is printed later would fail, too
        os.close(nowhere)
