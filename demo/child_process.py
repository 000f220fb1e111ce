"""Start a process that works for this one and ends with it."""

import multiprocessing
import signal
import sys
from collections.abc import Callable
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from demo.held_signals import held_back

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext, SpawnContext  # the former isn't there on Windows


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
        EOFError: on Linux with `preload`, the process that is copied has just ended, for example since the system
            lacked memory or processes. The next attempt starts another one.
        OSError: no process can be started.
    """

    def __init__(self, function: Callable[..., None], *arguments: Any, preload: str = "") -> None:
        # Not a fork of this process, which would copy locks that its threads hold, such as MediaPipe's.
        context: ForkServerContext | SpawnContext = multiprocessing.get_context("spawn")
        if preload and sys.platform == "linux":
            context = multiprocessing.get_context("forkserver")
            context.set_forkserver_preload([preload])
        self.connection: Connection
        self.connection, there = context.Pipe()
        self._process = context.Process(target=function, args=(*arguments, there), daemon=True)
        if hasattr(signal, "pthread_sigmask"):
            resource_tracker.ensure_running()  # or else the first process starts it, which lets Ctrl+C through again
        with held_back(signal.SIGINT):  # Ctrl+C reaches all processes of a terminal
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
