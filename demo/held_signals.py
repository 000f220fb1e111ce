"""Make signals wait for the end of a step that must not stop halfway."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def held_back(*signals: signal.Signals) -> Iterator[None]:
    """Hold back signals to this thread and the processes that it starts, except on Windows, which can't.

    Args:
        signals: the ones to hold back.

    Yields:
        Nothing; signals that come meanwhile are delivered afterwards.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
