"""Limits how many connections are open and what each may cost, so that enough is left for the page."""

import asyncio
import logging
import re
import ssl
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import h11
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.h11_impl import H11Protocol

from demo.limits import (
    IDLE_CONNECTION_SECONDS,
    KEEP_ALIVE_SECONDS,
    LONG_ANSWER_SECONDS,
    MANY_CONNECTIONS_OF_ADDRESS,
    MAX_BODY_CHUNKS,
    MAX_CONNECTIONS,
    MAX_HEADERS_BYTES,
    MIN_BODY_BYTES_PER_SECOND,
    MIN_CHUNK_BYTES,
    MIN_READ_BYTES,
    REFUSED_HEADERS_SECONDS,
    SPARE_FILES,
    UNREAD_SECONDS,
)
from demo.server.network import network_of
from demo.server.tls import AfterHandshake, listen_before_handshakes

try:
    import resource
except ImportError:  # Windows, where sockets aren't files
    resource = None  # type: ignore[assignment]

if TYPE_CHECKING:
    import gradio as gr

_REPEAT_SECONDS = 60  # between two log lines that say the same
_HEADERS_END = re.compile(rb"\n\r?\n")
_TOO_LONG = 431


def bound_connections(page: "gr.Blocks") -> None:
    """Limit the connections of a page that is being served: waiting ones are closed to make room for new ones.

    Args:
        page: the page, after its launch.
    """
    config = page.server.config
    config.http_protocol_class = bounded(_most_connections(), config.ssl)
    config.ws_protocol_class = None  # the page uses no WebSockets, and nothing here would limit them
    logging.getLogger("asyncio").addFilter(_Seldom("socket.accept()"))
    bad_requests = _Seldom("Invalid HTTP request", "Unsupported upgrade request", "No supported WebSocket library")
    logging.getLogger("uvicorn.error").addFilter(bad_requests)
    if config.ssl is not None:
        from demo.server.gradio_internals import event_loop_of  # imports Gradio, which takes seconds

        loop = event_loop_of(page)
        asyncio.run_coroutine_threadsafe(listen_before_handshakes(page.server), loop).result()


def bounded(most: int, context: ssl.SSLContext | None = None) -> type[H11Protocol]:
    """Make a class of connections to replace uvicorn's own.

    Args:
        most: how many may be open at the same time.
        context: for TLS; None for plain connections.

    Returns:
        The class. When there are more connections, it closes one: of the address that holds the most, if that is more
        than `MANY_CONNECTIONS_OF_ADDRESS`, otherwise of all. One that waits for its client goes first: one with a slow
        body, then the one that has been idle, or whose client has not read on, for longest. If all others are being
        answered, the one whose answer has taken longest goes, if that is `LONG_ANSWER_SECONDS`; otherwise the new one.
        Of the address with many, any answer may have to go, though not for a new one of its own.
    """

    class Bounded(_Connection):
        tls = context

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            # In a burst, connections cut in this round of the event loop leave the set only afterwards.
            here = [one for one in self.connections if isinstance(one, _Connection) and not one.is_cut]
            if len(here) > most:
                self.least_missed(here).cut()

    return Bounded


class _LimitedParser(h11.Connection):
    """Refuses long headers, and bodies in tiny chunks: one read from the socket may bring tens of thousands of them."""

    chunks = body_bytes = 0

    def __init__(self) -> None:
        super().__init__(h11.SERVER, MAX_HEADERS_BYTES)
        self.has_long_headers = False

    def next_event(self) -> Any:
        if self.their_state is h11.IDLE:
            self.check_headers()
        event = super().next_event()
        if isinstance(event, h11.Request):
            self.chunks = self.body_bytes = 0
        elif isinstance(event, h11.Data):
            self.chunks += event.chunk_start
            self.body_bytes += len(event.data)
            if self.chunks > MAX_BODY_CHUNKS + self.body_bytes // MIN_CHUNK_BYTES:
                raise h11.RemoteProtocolError("tiny chunks")
        return event

    def check_headers(self) -> None:
        """Refuse long headers that h11 would accept, since it limits only the length of unfinished ones."""
        arrived, _ = self.trailing_data
        if len(arrived) > MAX_HEADERS_BYTES and not _HEADERS_END.search(arrived, 0, MAX_HEADERS_BYTES):
            self.has_long_headers = True
            raise h11.RemoteProtocolError("long headers", error_status_hint=_TOO_LONG)


class _Connection(AfterHandshake):
    """A connection that is cut if a request's headers don't come in time, or if the client doesn't read its answer."""

    conn: _LimitedParser
    is_cut = False
    has_unread_end = False  # whether the end of an answer waits to be read
    unread: asyncio.TimerHandle | None = None
    unread_since = 0.0  # when the client last read on, as far as that is known; only while an answer waits for it

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.conn = _LimitedParser()
        self.timeout_keep_alive = KEEP_ALIVE_SECONDS
        self.begun = time.monotonic()  # when the newest request began, or before any, the wait for the first
        self.holder = self.who_holds()
        self.deadline = self.loop.call_later(IDLE_CONNECTION_SECONDS, self.cut)

    def connection_lost(self, exc: Exception | None) -> None:
        self.deadline.cancel()
        self.stop_watching()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        before = self.cycle
        try:
            super().handle_events()
        except h11.LocalProtocolError:  # a request turned out to be malformed after its answer had begun
            self.cut()
        if self.cycle is not before:
            self.begun = time.monotonic()
            self.deadline.cancel()

    def data_received(self, data: bytes) -> None:
        if self.conn.has_long_headers:  # this is the rest of them
            return
        super().data_received(data)
        # The first byte after an answer ends uvicorn's own wait for the next request. The rest may not take for ever.
        if self.is_idle() and not self.flow.write_paused and self.deadline.cancelled():
            self.deadline = self.loop.call_later(IDLE_CONNECTION_SECONDS, self.cut)

    def on_response_complete(self) -> None:
        """Begin the next request once this answer has been read: until then it could only fill the memory."""
        if self.flow.write_paused and not self.transport.is_closing():
            self.has_unread_end = True
        else:
            super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        if not self.conn.has_long_headers:
            return super().send_400_response(msg)
        sentence = f"The request's headers are larger than {MAX_HEADERS_BYTES} bytes.".encode()
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Connection", "close")]
        for event in (
            h11.Response(status_code=_TOO_LONG, headers=headers, reason=b"Request Header Fields Too Large"),
            h11.Data(data=sentence),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event))
        # Closing the connection now, while the rest still arrives, would reset it and lose the answer.
        self.deadline.cancel()
        self.deadline = self.loop.call_later(REFUSED_HEADERS_SECONDS, self.cut)

    def pause_writing(self) -> None:
        super().pause_writing()
        self.watch()

    def resume_writing(self) -> None:
        self.stop_watching()
        super().resume_writing()
        if self.has_unread_end:
            self.has_unread_end = False
            self.loop.call_soon(self.on_response_complete)  # asyncio still looks at the transport after this method

    def watch(self) -> None:
        """Cut the connection unless the client reads some of the waiting answer in time."""
        self.unread_since = time.monotonic()
        self.unread = self.loop.call_later(UNREAD_SECONDS, self.check_reader, self.transport.get_write_buffer_size())

    def check_reader(self, bytes_before: int) -> None:
        if bytes_before - self.transport.get_write_buffer_size() < MIN_READ_BYTES:
            self.cut()
        else:
            self.watch()

    def stop_watching(self) -> None:
        if self.unread is not None:
            self.unread.cancel()

    def who_holds(self) -> str:
        """The peer as `network_of` counts it; "" for a proxy, whose visitors share nothing but its address."""
        host = self.client[0] if self.client else ""
        is_proxy = isinstance(self.app, ProxyHeadersMiddleware) and host in self.app.trusted_hosts
        return "" if is_proxy else network_of(host)

    def least_missed(self, connections: "list[_Connection]") -> "_Connection":
        """Choose which connection makes room for this new one; it may be this one itself."""
        others = [one for one in connections if one is not self]
        crowd = _crowd(others)
        if crowd:
            others = [one for one in others if one.holder == crowd]
        # A crowd's own newcomers may not cut off its young answers: nobody there would get one to its end.
        is_own_crowd = crowd != "" and crowd == self.holder
        waiting = [one for one in others if one.is_waiting() or (one.flow.write_paused and not is_own_crowd)]
        if waiting:
            return min(waiting, key=lambda one: one.rank(self.begun))
        least = LONG_ANSWER_SECONDS if crowd in ("", self.holder) else 0.0
        long = [one for one in others if self.begun - one.begun >= least]
        return min(long, key=lambda one: one.begun, default=self)

    def rank(self, now: float) -> tuple[int, float]:
        """Rank a connection that waits for its client: the lowest makes room first.

        Args:
            now: the time, by `time.monotonic`.
        """
        if self.is_arriving():
            is_slow = self.conn.body_bytes < (now - self.begun) * MIN_BODY_BYTES_PER_SECOND
            # A picture over a slow line is worth more than a connection that nobody uses.
            return (0 if is_slow else 2), self.begun
        # Clients that read pause for moments, as a rule, so those that don't go before them.
        return 1, self.unread_since if self.flow.write_paused else self.begun

    def is_waiting(self) -> bool:
        """Whether no request is being answered."""
        return self.is_idle() or self.is_arriving()

    def is_arriving(self) -> bool:
        """Whether a request's headers have arrived but not its whole body."""
        return self.conn.their_state is h11.SEND_BODY

    def is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def cut(self) -> None:
        self.is_cut = True
        self.transport.abort()


def _crowd(connections: list[_Connection]) -> str:
    """The address that holds the most of these connections, if those are many; "" if none does."""
    held = Counter(one.holder for one in connections if one.holder)
    address, most = max(held.items(), key=lambda item: item[1], default=("", 0))
    return address if most > MANY_CONNECTIONS_OF_ADDRESS else ""


def _most_connections() -> int:
    """How many connections the limit on this process's open files allows."""
    if resource is None:
        return MAX_CONNECTIONS
    files, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = files == resource.RLIM_INFINITY
    wanted = MAX_CONNECTIONS + SPARE_FILES
    if not unlimited and files < wanted:
        files = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    return MAX_CONNECTIONS if unlimited else max(1, min(MAX_CONNECTIONS, files - SPARE_FILES))


class _Seldom(logging.Filter):
    """Lets through one log line a minute of those that begin alike, without asyncio's traceback.

    Args:
        beginnings: of lines that a stranger can cause by the thousand.
    """

    def __init__(self, *beginnings: str) -> None:
        super().__init__()
        self._last = dict.fromkeys(beginnings, -float("inf"))

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log a record.

        Args:
            record: any record of the logger.
        """
        message = record.getMessage()
        beginning = next((text for text in self._last if message.startswith(text)), None)
        if beginning is None:
            return True
        record.exc_info = record.exc_text = None
        now = time.monotonic()
        if now - self._last[beginning] < _REPEAT_SECONDS:
            return False
        self._last[beginning] = now
        return True
