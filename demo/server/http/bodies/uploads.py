"""Deletes what requests write to the disk: uploads once they are answered, everything else soon after the request."""

import asyncio
import errno
import math
import os
import stat
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

import gradio as gr
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.limits import (
    LEFTOVER_SECONDS,
    MAX_WAITING_UPLOAD_BYTES,
    MAX_WAITING_UPLOAD_BYTES_OF_ADDRESS,
    MAX_WAITING_UPLOADS,
    MAX_WAITING_UPLOADS_OF_ADDRESS,
    ROUND_SECONDS,
    UNASKED_SECONDS,
)
from demo.server.gradio_internals import noted_uploads
from demo.server.http.refusals import BUSY
from demo.server.network import sender_of
from demo.server.routes import PANELS_PATH, UPLOAD_PATH

# With this many uploads waiting, searching the folder after each request would slow the page, so only the rounds do it.
_MANY_UPLOADS = 20  # searching 20 folders takes about a millisecond
# A file system's clock may lag behind the program's.
_CLOCK_SECONDS = 2
_FULL = "Many uploads are waiting to be read. Send this one again in a moment."
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# Who sent the current request, since Gradio notes nothing but an upload's path; empty if unknown.
_SENDER: ContextVar[str] = ContextVar("sender", default="")


class _FullError(Exception):
    """Too many uploads would be waiting to be read, in all or from one address."""


@dataclass(frozen=True)
class _Waiting:
    """A file that waits to be read.

    Attributes:
        sender: who sent it first; empty if unknown.
        size: in bytes.
        arrived: when, in seconds since 1970.
    """

    sender: str
    size: int
    arrived: float


class Uploads(set[str]):
    """The files that were uploaded to the page; each is deleted as soon as the call about it is answered.

    A call that is told to come again finds its upload still there. Gradio stores uploads with the same content under
    the same path, so each path is deleted once as many calls were answered as uploads came. This replaces Gradio's own
    plain set. `NothingLeft` deletes uploads that no call asks about, or not again.
    """

    def __init__(self) -> None:
        super().__init__()
        self._expected: Counter[str] = Counter()  # path -> calls that are yet to be answered
        self._turned_away: Counter[str] = Counter()  # path -> those of them that were told to come again
        self._waiting: dict[str, _Waiting] = {}  # by path

    def has_room(self, sender: str, sizes: Collection[int] = (1,)) -> bool:
        """Whether there is room for more files to wait to be read.

        Args:
            sender: who sends them, and has a bound of their own besides that of all; empty if unknown.
            sizes: of the files, in bytes; by default one tiny file, for when the sizes aren't known yet.
        """
        all_sizes = [*sizes, *(file.size for file in self._waiting.values())]
        own_sizes = [*sizes, *(file.size for file in self._waiting.values() if file.sender == sender)]
        return _is_within(all_sizes, MAX_WAITING_UPLOADS, MAX_WAITING_UPLOAD_BYTES) and (
            not sender or _is_within(own_sizes, MAX_WAITING_UPLOADS_OF_ADDRESS, MAX_WAITING_UPLOAD_BYTES_OF_ADDRESS)
        )

    def update(self, *others: Iterable[str]) -> None:
        """Note uploads; Gradio calls this when they have arrived.

        Args:
            others: paths of uploads, one for each upload, even if two are equal.

        Raises:
            _FullError: other uploads have taken the room since; none of these is noted.
        """
        paths = [path for some in others for path in some]
        sender, now = _SENDER.get(), time.time()
        new = {path: _Waiting(sender, _size(path), now) for path in paths if path not in self}
        if not self.has_room(sender, [file.size for file in new.values()]):
            raise _FullError
        self._waiting |= new
        super().update(new)
        for path in paths:
            if self._turned_away[path]:  # sent again instead of only asking again
                self._turned_away[path] -= 1
            else:
                self._expected[path] += 1

    def seconds_to_room(self) -> float:
        """Seconds until the oldest waiting upload is deleted, at most; if none waits, until leftovers are."""
        now = time.time()
        oldest = min((file.arrived for file in self._waiting.values()), default=None)
        left = LEFTOVER_SECONDS if oldest is None else max(0.0, oldest + UNASKED_SECONDS - now)
        return left + ROUND_SECONDS

    def forget(self, path: str) -> None:
        """Forget a deleted upload, so that later ones with the same content count from zero.

        Args:
            path: of the upload.
        """
        self._expected.pop(path, None)
        self._turned_away.pop(path, None)
        self._waiting.pop(path, None)
        self.discard(path)

    @contextmanager
    def until_answered(self, path: str) -> Iterator[None]:
        """Delete an upload at the end of a call about it, unless that is told to come again or others are to come.

        Args:
            path: of the upload, which Gradio has found in this set.

        Raises:
            Exception: anything that is raised within; a gr.Error titled `BUSY` tells the call to come again.
        """
        comes_again = False
        try:
            yield
        except gr.Error as error:
            comes_again = error.title == BUSY
            raise
        finally:
            if path in self:  # it may have been deleted by age
                self._end(path, comes_again=comes_again)

    def _end(self, path: str, *, comes_again: bool) -> None:
        """Count a call that has ended, and delete its upload if no other is expected."""
        if not comes_again:
            self._expected[path] -= 1
        again = self._turned_away[path] + comes_again
        self._turned_away[path] = max(0, min(again, self._expected[path]))
        if self._expected[path] > 0:
            return
        self.forget(path)
        Path(path).unlink(missing_ok=True)
        with suppress(OSError):  # another file is in the folder
            Path(path).parent.rmdir()


class NothingLeft:
    """ASGI middleware: deletes what requests have left in the temporary folder.

    It keeps files of requests that are still going on, and uploads that a call may yet ask for. All others are deleted
    as soon as their request has ended, however it ended. It does not ask which request wrote which file: after each
    request that can write any, it cleans the whole folder.

    Args:
        app: Gradio's ASGI app, whose set of uploads is an `Uploads`.
        folder: a temporary folder of this program alone, since everything in it is deleted.
    """

    def __init__(self, app: ASGIApp, folder: Path) -> None:
        self._app = app
        self._folder = folder
        self._begun: dict[object, float] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and delete what it leaves; while the server runs, also sweep the folder in rounds.

        Args:
            scope: the connection's ASGI scope.
            receive: gets the next message from the client.
            send: sends a message to the client.
        """
        if scope["type"] == "lifespan":
            rounds = asyncio.create_task(self._make_rounds(scope))
            try:
                await self._app(scope, receive, send)
            finally:
                rounds.cancel()
        elif scope["type"] == "http" and _may_write(scope):
            await self._answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        answered = False

        async def send_on(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        sender = sender_of(scope)
        _SENDER.set(sender)
        # Taken now, because an app within Gradio's, such as MCP's, later takes its place in the scope.
        uploads = noted_uploads(scope)
        try:
            if scope["path"].endswith(UPLOAD_PATH) and not uploads.has_room(sender):
                raise _FullError
            with self._going_on(uploads):
                return await self._app(scope, receive, send_on)
        except _FullError:
            refusal = PlainTextResponse(_FULL, 503, {"Retry-After": str(ROUND_SECONDS)})
        except OSError as error:
            if answered or error.errno not in _NO_ROOM:
                raise
            again = {"Retry-After": str(math.ceil(uploads.seconds_to_room()))}
            refusal = PlainTextResponse("The server has no room for this now. Try again later.", 507, again)
        await refusal(scope, receive, send)

    @contextmanager
    def _going_on(self, uploads: Uploads) -> Iterator[None]:
        request = object()
        self._begun[request] = time.time() - _CLOCK_SECONDS
        try:
            yield
        finally:
            del self._begun[request]
            if len(uploads) < _MANY_UPLOADS:
                self._sweep(uploads)

    async def _make_rounds(self, scope: Scope) -> None:
        while True:
            await asyncio.sleep(ROUND_SECONDS)
            with suppress(OSError):
                os.utime(self._folder)  # tells other programs that this one is alive, if locks can't
            self._sweep(noted_uploads(scope))

    def _sweep(self, uploads: Uploads) -> None:
        """Delete what no current request can have written.

        This runs on the event loop, where Gradio awaits nothing between making a folder and putting an upload there.
        """
        now = time.time()
        oldest = max(min(self._begun.values(), default=now + _CLOCK_SECONDS), now - LEFTOVER_SECONDS)
        for parent, folders, files in os.walk(self._folder, topdown=False):
            for name in files:
                path = os.path.join(parent, name)  # noqa: PTH118 - as Gradio's set of texts holds it
                waiting = path in uploads
                if _delete_older(path, now - UNASKED_SECONDS if waiting else oldest) and waiting:
                    uploads.forget(path)
            for name in folders:
                _delete_older(os.path.join(parent, name), oldest)  # noqa: PTH118


def _may_write(scope: Scope) -> bool:
    """Whether a request may write a file. GETs don't, some of which never end; nor does a camera frame."""
    if scope["method"] in ("GET", "HEAD"):
        return False
    # Gradio reads a panel's call as a form of files if its type begins like this, otherwise as JSON.
    return not scope["path"].endswith(PANELS_PATH) or "multipart" in Headers(scope=scope).get("content-type", "")


def _is_within(sizes: Collection[int], most: int, most_bytes: int) -> bool:
    return len(sizes) <= most and sum(sizes) <= most_bytes


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:  # Gradio has yet to copy it here, from another disk
        return 0


def _delete_older(path: str, limit: float) -> bool:
    """Delete a file or empty folder last changed before `limit`, in seconds since 1970. Returns whether it did."""
    try:
        state = os.lstat(path)
        if max(state.st_mtime, state.st_ctime) >= limit:
            return False
        if stat.S_ISDIR(state.st_mode):
            Path(path).rmdir()
        elif stat.S_ISREG(state.st_mode):
            os.truncate(path, 0)  # otherwise it would take up room for as long as it is held open
            Path(path).unlink()
    except OSError:  # it is already gone, the folder isn't empty, or the file is held open on Windows
        return False
    return True
