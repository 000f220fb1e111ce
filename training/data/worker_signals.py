"""Signals in the worker processes that prepare batches."""

import signal


def leave_to_main_process() -> None:
    """For a worker process: its parent tells it when to end. A terminal and a service manager send the signal to all
    processes, and a worker that followed it would end the parent's step with an error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The second ends it: torch's own last resort.
    signal.signal(signal.SIGTERM, lambda *_: signal.signal(signal.SIGTERM, signal.SIG_DFL))
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
