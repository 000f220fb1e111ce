"""Start a process that works for this one and ends with it."""

import multiprocessing
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from demo.held_signals import held_back

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext, SpawnContext  # the former isn't there on Windows

# Held while a process is started. Reentrant, since a signal's handler may want it in a thread that holds it.
_starting = threading.RLock()


def wait_for_starts(seconds: float) -> None:
    """Wait until no process is half started: when this program ends, such a process would print a traceback.

    Args:
        seconds: how long to wait at most.
    """
    if _starting.acquire(timeout=seconds):
        _starting.release()


class ChildProcess:
    """A process that runs one function, and a connection to it.

    However this program ends, the connection breaks, and the function then has to return. Ctrl+C does not reach the
    process: this program decides what it means.

    Args:
        function: called in the process with the arguments and then the other end of the connection. It and the
            arguments have to be picklable.
        arguments: its first arguments.
        preload: a module without side effects that the function needs; empty for none. On Linux, one process imports it
            and is then copied, which takes milliseconds; elsewhere each process imports it.

    Attributes:
        connection: this program's end.

    Raises:
        OSError: no process can be started.
    """

    def __init__(self, function: Callable[..., None], *arguments: Any, preload: str = "") -> None:
        if hasattr(signal, "pthread_sigmask"):
            resource_tracker.ensure_running()  # or else the first process starts it, which lets Ctrl+C through again
        self.connection: Connection
        with _starting, held_back(signal.SIGINT):  # Ctrl+C reaches all processes of a terminal
            if preload and sys.platform == "linux":
                copier = multiprocessing.get_context("forkserver")
                copier.set_forkserver_preload([preload])
                # Unless the process that is copied has just ended, or its socket was deleted, or can't be made because
                # the temporary folder's path is too long.
                with suppress(EOFError, OSError):
                    self._start(copier, function, arguments)
                    return
            # Not a fork of this process, which would copy locks that its threads hold, such as MediaPipe's.
            self._start(multiprocessing.get_context("spawn"), function, arguments)

    def _start(
        self, context: "ForkServerContext | SpawnContext", function: Callable[..., None], arguments: tuple[Any, ...]
    ) -> None:
        self.connection, there = context.Pipe()
        self._process = context.Process(target=function, args=(*arguments, there), daemon=True)
        self._process.start()
        there.close()  # so that the connection breaks when the process ends

    @property
    def pid(self) -> int:
        """The process's number."""
        assert self._process.pid is not None  # it has been started
        return self._process.pid

    @property
    def status(self) -> int | None:
        """The exit status, or minus a signal's number; None while the process runs."""
        return self._process.exitcode

    def wait(self, seconds: float) -> None:
        """Wait for the process to end by itself.

        Args:
            seconds: how long to wait at most.
        """
        self._process.join(seconds)

    def end(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.join()
        self.connection.close()
