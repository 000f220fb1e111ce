"""Signals in the worker processes that prepare batches."""

import signal


def leave_to_main_process() -> None:
    """Make a worker process ignore signals to end, which its parent handles.

    Terminals and service managers send signals to all processes, and if a worker ended, its parent's step would fail.
    A second SIGTERM does end the worker.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The second one ends it, since torch uses that as a last resort.
    signal.signal(signal.SIGTERM, lambda *_: signal.signal(signal.SIGTERM, signal.SIG_DFL))
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
