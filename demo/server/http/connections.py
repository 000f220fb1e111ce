"""Bounds how many connections are open, so that idle ones take no file that the page needs."""

import logging
import time
from typing import TYPE_CHECKING, Any

from demo.limits import IDLE_CONNECTION_SECONDS, MAX_CONNECTIONS, SPARE_FILES

try:
    import resource
except ImportError:  # Windows, where sockets are no files
    resource = None  # type: ignore[assignment]

if TYPE_CHECKING:
    import gradio as gr

_ACCEPT_FAILURE_SECONDS = 60  # between two lines of the log


def bound_connections(page: "gr.Blocks") -> None:
    """Bound the connections of a page that is served: new ones come in, and the oldest idle ones go.

    Args:
        page: the page, after its launch.
    """
    config = page.server.config
    config.http_protocol_class = bounded(config.http_protocol_class, _most_connections())
    logging.getLogger("asyncio").addFilter(_SeldomAcceptFailures())


def bounded(protocol: type[Any], most: int) -> type[Any]:
    """Make uvicorn's protocol bound its connections.

    Args:
        protocol: uvicorn's class of the connections.
        most: how many may be open at once.

    Returns:
        A class in its place: where there are more, the one that has waited longest without a request is closed, or the
        new one if all are being answered. One whose first request does not come within `IDLE_CONNECTION_SECONDS` is
        closed.
    """

    class Bounded(protocol):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self.made = time.monotonic()
            self.first_request = self.loop.call_later(IDLE_CONNECTION_SECONDS, self.close_idle)
            # Those that were closed in this round of the loop, as in a burst, are only taken off the set after it.
            here = [one for one in self.connections if not one.transport.is_closing()]
            if len(here) > most:
                idle = [one for one in here if one is not self and one.is_idle()]
                min(idle, key=lambda one: one.made, default=self).transport.abort()

        def connection_lost(self, exc: Exception | None) -> None:
            self.first_request.cancel()
            super().connection_lost(exc)

        def is_idle(self) -> bool:
            return self.cycle is None or self.cycle.response_complete

        def close_idle(self) -> None:
            if self.cycle is None:
                self.transport.abort()

    return Bounded


def _most_connections() -> int:
    """As many as the files that this process may have open allow."""
    if resource is None:
        return MAX_CONNECTIONS
    files, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = files == resource.RLIM_INFINITY
    wanted = MAX_CONNECTIONS + SPARE_FILES
    if not unlimited and files < wanted:
        files = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    return MAX_CONNECTIONS if unlimited else max(1, min(MAX_CONNECTIONS, files - SPARE_FILES))


class _SeldomAcceptFailures(logging.Filter):
    """Passes on one failure to accept a connection a minute, where asyncio logs each of thousands with a traceback."""

    def __init__(self) -> None:
        super().__init__()
        self._last = -float("inf")

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is logged.

        Args:
            record: any record of asyncio's.
        """
        if "socket.accept()" not in record.getMessage():
            return True
        record.exc_info = record.exc_text = None
        now = time.monotonic()
        if now - self._last < _ACCEPT_FAILURE_SECONDS:
            return False
        self._last = now
        return True
