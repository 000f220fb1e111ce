"""ASGI middleware: limits request bodies, and drops those that break off before they reach the disk."""

import asyncio
import time
from collections import deque
from collections.abc import Iterable
from typing import Any

from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.limits import (
    MAX_BODY_VALUES,
    MAX_BOUNDARY_BYTES,
    MAX_FORM_DELIMITERS,
    MAX_FORM_PADDING_BYTES,
    MAX_REFUSED_BODY_BYTES,
    NO_ROOM_SECONDS,
    REFUSED_BODY_PAUSE_SECONDS,
    REFUSED_BODY_SECONDS,
)
from demo.server.http.bodies.body_room import ArrivingBody, BodyRoom, NoRoomError
from demo.server.network import sender_of
from demo.server.routes import UPLOAD_PATH

# Each value of JSON or of an encoded form comes after one of these, or opens with it. Each escape of a form begins with
# a per cent sign, and is undone in Python. Base64 contains none of them.
_MARKS = (b",", b"[", b"{", b"&", b";", b"%")
_CHARSETS = (b"utf-8", b"utf8")


class _RefusedError(Exception):
    """A body is refused, with this status and sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class WholeBodies:
    """Passes a request on once its whole body is here, and refuses one that is too large or takes too long.

    Gradio reads the panels' calls into memory whole anyway. It writes an upload to a file as it comes in, and leaves
    that file behind if the upload breaks off. Until the app takes them, bodies share the memory that `demo.limits`
    gives them. The rest of a body is dropped once the app begins its answer, since nobody will ask for it: that of a
    GET, for example.

    Args:
        app: the ASGI app that gets the requests.
        max_bytes: largest size of a request's body.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._room = BodyRoom()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its whole body, or refuse it with status 400, 408, 413 or 503.

        Args:
            scope: the connection's ASGI scope.
            receive: gets the next message from the client.
            send: sends a message to the client.
        """
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        body = ArrivingBody(sender_of(scope))
        try:
            await self._answer(scope, receive, send, body)
        finally:
            self._room.leave(body)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, body: ArrivingBody) -> None:
        headers = Headers(scope=scope)
        parts: deque[Message] = deque()
        refusal = None
        try:
            declared = headers.get("content-length", "0")
            if not (declared.isascii() and declared.isdigit()) or int(declared) > self._max_bytes:
                raise self._too_large()
            await self._gather(parts, receive, body)
            await _check_form(headers.get("content-type", ""), parts)
            if not _is_upload(scope, headers):
                await _check_values(parts)
        except _RefusedError as error:
            again = {"Retry-After": str(NO_ROOM_SECONDS)} if error.status == 503 else {}
            refusal = PlainTextResponse(str(error), error.status, {"Connection": "close", **again})
        if refusal is not None:  # here, where no error keeps what has arrived in memory any more
            is_whole = bool(parts) and not parts[-1].get("more_body", False)
            parts.clear()
            self._room.leave(body)
            return await _refuse(refusal, receive, send, is_whole=is_whole)
        if parts[-1]["type"] == "http.disconnect":
            return None

        async def receive_part() -> Message:
            if not parts:
                return await receive()
            part = parts.popleft()
            if not parts:
                self._room.leave(body)
            return part

        async def send_on(message: Message) -> None:
            parts.clear()
            self._room.leave(body)
            await send(message)

        return await self._app(scope, receive_part, send_on)

    async def _gather(self, parts: deque[Message], receive: Receive, body: ArrivingBody) -> None:
        """Add the body to `parts` as it comes, until it or the connection ends.

        Raises:
            _RefusedError: it is too large, takes too long, or there is no room for it.
        """
        try:
            while not parts or parts[-1].get("more_body", False):
                parts.append(await _next(receive, body))
                body.add(len(parts[-1].get("body", b"")))
                if body.size > self._max_bytes:
                    raise self._too_large()
                self._room.make(body)
            body.is_whole = True
        except NoRoomError as error:
            raise _RefusedError(503, "Many large requests are arriving. Send this one again in a moment.") from error

    def _too_large(self) -> _RefusedError:
        return _RefusedError(413, f"The request is larger than {self._max_bytes} bytes.")


async def _next(receive: Receive, body: ArrivingBody) -> Message:
    """The next part of a body.

    Raises:
        NoRoomError: the body has to give way to others.
        _RefusedError: the part takes too long.
    """
    reading = asyncio.ensure_future(receive())
    try:
        ends: set[asyncio.Future[Any]] = {reading, body.given_up}
        await asyncio.wait(ends, timeout=body.seconds_left, return_when=asyncio.FIRST_COMPLETED)
        if body.given_up.done():
            raise NoRoomError
        if not reading.done():
            raise _RefusedError(408, "The request took too long to arrive. Send it again, or send less.")
        return reading.result()
    finally:
        reading.cancel()


async def _refuse(refusal: PlainTextResponse, receive: Receive, send: Send, *, is_whole: bool) -> None:
    """Send an answer, but end it only once the rest of the body has been read, within bounds.

    The end closes the connection. If something were left to read, that would reset it, and the sender would not get the
    answer.
    """
    await send({"type": "http.response.start", "status": refusal.status_code, "headers": refusal.raw_headers})
    await send({"type": "http.response.body", "body": refusal.body, "more_body": True})
    if not is_whole:
        await _drop_rest(receive)
    await send({"type": "http.response.body", "body": b""})


async def _drop_rest(receive: Receive) -> None:
    """Read and drop the rest of a body, within bounds."""
    until = time.monotonic() + REFUSED_BODY_SECONDS
    dropped, more = 0, True
    while more and dropped < MAX_REFUSED_BODY_BYTES and time.monotonic() < until:
        reading = asyncio.ensure_future(receive())
        await asyncio.wait({reading}, timeout=REFUSED_BODY_PAUSE_SECONDS)
        if not reading.done():
            reading.cancel()
            return
        part = reading.result()
        dropped += len(part.get("body", b""))
        more = part.get("more_body", False)


async def _check_form(content_type: str, parts: Iterable[Message]) -> None:
    """Raise _RefusedError for a form that would keep its parser, and with it the event loop, busy for long."""
    kind, options = parse_options_header(content_type)
    if not kind.startswith(b"multipart/"):
        return
    boundary = options.get(b"boundary")
    if options.get(b"charset", b"utf-8").lower() not in _CHARSETS:  # some make the parser fail
        raise _RefusedError(400, "The form names a charset that is not UTF-8. Send it without one.")
    if boundary is None:
        return
    if len(boundary) > MAX_BOUNDARY_BYTES:
        raise _RefusedError(400, f"The form's boundary is longer than {MAX_BOUNDARY_BYTES} characters. Choose another.")
    delimiter = b"--" + boundary
    tail_bytes = len(delimiter) + MAX_FORM_PADDING_BYTES
    found, tail, start = 0, b"", b""
    for part in parts:
        body = part.get("body", b"")
        start += body[: MAX_FORM_PADDING_BYTES + 1 - len(start)]
        whole = tail + body
        found += whole.count(delimiter) - tail.count(delimiter)
        if found > MAX_FORM_DELIMITERS or _is_padded(whole, delimiter):
            raise _too_costly()
        tail = whole[-tail_bytes:]
        await asyncio.sleep(0)  # so that other requests go on meanwhile
    if len(start) > MAX_FORM_PADDING_BYTES and not start.strip(b"\r\n"):
        raise _too_costly()


def _is_padded(body: bytes, delimiter: bytes) -> bool:
    """Whether too much empty space follows a delimiter; there are only a few of these.

    Without a regular expression: compiling one from a stranger's text takes longer than searching for the text.
    """
    at = body.find(delimiter)
    while at >= 0:
        padding = body[at + len(delimiter) : at + len(delimiter) + MAX_FORM_PADDING_BYTES]
        if len(padding) == MAX_FORM_PADDING_BYTES and not padding.strip(b" \t"):
            return True
        at = body.find(delimiter, at + 1)  # a delimiter may begin within another
    return False


def _is_upload(scope: Scope, headers: Headers) -> bool:
    """Whether Gradio reads a request's body as a form of files, and never as anything else."""
    kind, _ = parse_options_header(headers.get("content-type", ""))
    return kind == b"multipart/form-data" and scope["path"].endswith(UPLOAD_PATH)


async def _check_values(parts: Iterable[Message]) -> None:
    """Raise _RefusedError for a body of many values, each of which would become an object, on the event loop.

    The declared type doesn't matter, because some parsers ignore it. This also limits nesting, since each level opens
    with a mark; a parser refuses at once what is too deep for it.
    """
    found = 0
    for part in parts:
        body = part.get("body", b"")
        found += sum(body.count(mark) for mark in _MARKS)
        if found > MAX_BODY_VALUES:
            raise _RefusedError(400, f"The call has more than {MAX_BODY_VALUES} values. Send a picture as base64.")
        await asyncio.sleep(0)  # so that other requests go on meanwhile


def _too_costly() -> _RefusedError:
    return _RefusedError(400, "The form has too many parts, or too much between them. Send one file in a form.")
