"""Let signals wait until a step is done that must not be left half way."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def held_back(*signals: signal.Signals) -> Iterator[None]:
    """Hold back signals to this thread, and to the processes that it starts; Windows cannot.

    Args:
        signals: which.

    Yields:
        Nothing; those that came meanwhile are delivered afterwards.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
