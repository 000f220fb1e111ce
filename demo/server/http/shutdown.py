"""How the server ends: in order and soon, whoever asks for it and whatever is going on."""

import io
import logging
import multiprocessing
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    import gradio as gr

# Together they stay below the 5 seconds for which those who end a program mostly wait.
_ANSWERS_SECONDS = 1
_CLOSE_SECONDS = 3


def end_by_signals() -> None:
    """Make each of the signals that end a program a KeyboardInterrupt, but not the one that nohup has ignored.

    Those that follow at once, as of a second Ctrl+C, change nothing, so that they cannot interrupt the tidying up.
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

    An import of torch or MediaPipe that is interrupted ends in a traceback or an abort.
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
    """Set the handler of all signals that are heeded. Gives those before it."""
    heeded = [signal.SIGINT, signal.SIGTERM]  # the first even where a script starts the program with &
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        heeded.append(signal.SIGHUP)
    return {number: signal.signal(number, end) for number in heeded}


def close(page: "gr.Blocks") -> None:
    """Stop serving a page: requests get a moment to be answered, then their connections are cut."""
    from gradio.tunneling import CURRENT_TUNNELS

    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # where each request that is cut would be an error
    if getattr(page, "server", None) is not None:
        page.server.config.timeout_graceful_shutdown = _ANSWERS_SECONDS
    closing = threading.Thread(target=page.close, kwargs={"verbose": False}, daemon=True)
    with redirect_stderr(io.StringIO()):  # where Gradio prints a traceback of each
        closing.start()
        closing.join(_CLOSE_SECONDS)
    for tunnel in CURRENT_TUNNELS:
        tunnel.kill()


def leave(status: int) -> NoReturn:
    """End the program, without waiting for a photo that is still analysed, or for libraries that take their time."""
    for child in multiprocessing.active_children():  # as ZeroGPU starts
        child.terminate()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # nobody is there to read any more
            stream.flush()
    os._exit(status)
