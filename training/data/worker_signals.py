"""Signals in the worker processes that prepare batches."""

import signal


def leave_to_main_process() -> None:
    """Make a worker process ignore signals to end, which are for its parent to handle.

    A terminal and a service manager send the signal to all processes, and a worker that ended on it would make the
    parent's step fail. A second SIGTERM does end the worker.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The second ends it: torch's own last resort.
    signal.signal(signal.SIGTERM, lambda *_: signal.signal(signal.SIGTERM, signal.SIG_DFL))
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
