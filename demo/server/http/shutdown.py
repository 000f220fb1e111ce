"""Graceful shutdown within seconds: on signals, during start-up, and with requests still open."""

import multiprocessing
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

from demo.child_process import wait_for_starts

if TYPE_CHECKING:
    import gradio as gr

# Together less than 5 seconds, after which a supervisor often kills a program.
_ANSWERS_SECONDS = 1
_CLOSE_SECONDS = 3
_START_SECONDS = 0.5


def end_by_signals() -> None:
    """Turn SIGINT, SIGTERM and SIGHUP into KeyboardInterrupt, but leave SIGHUP alone under nohup.

    Signals that follow at once, such as a second Ctrl+C, are ignored, so that they can't interrupt the clean-up.
    """
    last = -float("inf")

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal last
        if time.monotonic() - last > _ANSWERS_SECONDS + _CLOSE_SECONDS:
            last = time.monotonic()
            raise KeyboardInterrupt

    _handle_by(interrupt)


@contextmanager
def ended_at_once(folder: Path) -> Iterator[None]:
    """While the program starts, let these signals end it on the spot, and remove its temporary folder.

    Interrupting the import of torch or MediaPipe would end in a traceback or an abort.

    Args:
        folder: the temporary folder.

    Yields:
        Nothing; the earlier signal handlers are back afterwards.
    """

    def end(_number: int, _frame: FrameType | None) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        leave(0)

    before = _handle_by(end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _handle_by(end: Callable[[int, FrameType | None], None]) -> dict[int, Any]:
    """Set the handler for the signals that end the program. Returns the earlier handlers, by signal."""
    heeded = [signal.SIGINT, signal.SIGTERM]  # SIGINT even if a script starts the program with &
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        heeded.append(signal.SIGHUP)
    return {number: signal.signal(number, end) for number in heeded}


def close(page: "gr.Blocks") -> None:
    """Stop serving a page: requests get a moment to be answered, then their connections are cut.

    Args:
        page: may already be closed, or never have been served.
    """
    from demo.server import gradio_internals  # here, so that wrong options of app.py needn't wait for Gradio

    gradio_internals.close(page, _ANSWERS_SECONDS, _CLOSE_SECONDS)


def leave(status: int) -> NoReturn:
    """End the program without waiting for a photo that is still being analysed, or for slow libraries.

    Args:
        status: the exit status.
    """
    wait_for_starts(_START_SECONDS)
    for child in multiprocessing.active_children():  # ZeroGPU starts some
        child.terminate()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # nobody reads it any more
            stream.flush()
    os._exit(status)
