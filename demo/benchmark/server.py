"""Serves a page in a separate process, for the benchmark and the tests."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from demo.paths import ROOT

_START_SECONDS = 600
_STOP_SECONDS = 10
_LOG = "server.log"
_PORTS = range(20_000, 32_000)  # systems lend those from 32,768 (Linux) or 49,152 to connections
_PORTS_TRIED = 100
_given: set[int] = set()  # by free_port: whoever got one may not listen yet, or stop and start again


class NotServedError(RuntimeError):
    """A server ended, or did not answer in time; the message has the end of its output, or says where that is."""


_Server = TypeVar("_Server", bound="PageServer")


@dataclass
class PageServer:
    """`python ARGUMENTS --port PORT`, which can be stopped and started again at the same address.

    As a context manager it starts on entry and stops on exit.

    Attributes:
        arguments: Python's arguments: a script of this repository, or `-m` and a module.
        folder: an empty folder for Gradio's uploads and the server's output.
        port: the port to listen on; a free one by default.
        root: root folder of the repository to serve.
        environment: environment variables to add to those of this process.
        tracer: a command that runs the server, such as strace with its options; none by default.
        process: the server's process; None before the first start.
    """

    arguments: tuple[str, ...]
    folder: Path
    port: int = field(default_factory=lambda: free_port())
    root: Path = ROOT
    environment: dict[str, str] = field(default_factory=dict)
    tracer: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def uploads(self) -> Path:
        """Gradio's folder for uploads and caches."""
        return self.folder / "uploads"

    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises:
            NotServedError: the server ended or did not answer in time.
        """
        self.uploads.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, "GRADIO_TEMP_DIR": str(self.uploads), **self.environment}
        command = [*self.tracer, sys.executable, *self.arguments, "--port", str(self.port)]
        with (self.folder / _LOG).open("ab") as output:
            self.process = subprocess.Popen(command, cwd=self.root, env=environment, stdout=output, stderr=output)
        end = time.monotonic() + _START_SECONDS
        while self.process.poll() is None and time.monotonic() < end:
            if self._answers():
                return
            time.sleep(0.1)
        self.stop()
        raise NotServedError(f"`python {' '.join(self.arguments)}` did not serve its page\n{self.last_words()}")

    def _answers(self) -> bool:
        """Whether the page can be fetched."""
        try:
            # Without any proxy from the environment, which can't reach this machine's own addresses.
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            opener.open(self.url, timeout=_STOP_SECONDS).close()
        except OSError:
            return False
        return True

    def last_words(self) -> str:
        """Read the end of the server's output.

        Returns:
            Its last 20 lines.
        """
        return "\n".join((self.folder / _LOG).read_text(encoding="utf-8", errors="replace").splitlines()[-20:])

    @property
    def log_bytes(self) -> int:
        """How much the server has written to its output."""
        return (self.folder / _LOG).stat().st_size

    def stop(self, how: int = signal.SIGTERM) -> None:
        """End the server, with SIGKILL if it does not end within 10 seconds.

        Args:
            how: the signal to send first.
        """
        if self.process is None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self: _Server) -> _Server:
        try:
            self.start()
        except BaseException:  # if interrupted here, no __exit__ would end the server
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def free_port() -> int:
    """Find a port that nothing on this machine uses.

    Returns:
        Its number, which is given once in a process. It is below those that systems lend to connections, so none of
        these takes it before it is used.

    Raises:
        NotServedError: no port is free.
    """
    for port in random.sample(_PORTS, _PORTS_TRIED):
        if port in _given:
            continue
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("", port))
            _given.add(port)
            return port
    raise NotServedError(f"no port from {_PORTS.start} to {_PORTS.stop - 1} is free")
