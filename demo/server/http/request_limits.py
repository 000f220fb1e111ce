"""A bound on what a request may bring, and no trace of one that broke off."""

from collections import deque

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class WholeBodies:
    """ASGI middleware: hands a request on once its body is here, and answers one over `largest` bytes with status 413.

    Gradio reads the calls of the panels into memory whole anyway. Uploads it writes to a file as they come in, and it
    leaves there what has come of one that breaks off.
    """

    def __init__(self, app: ASGIApp, largest: int) -> None:
        self._app = app
        self._largest = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        headers = dict(scope["headers"])
        declared = headers.get(b"content-length", b"0")
        parts: deque[Message] | None = None
        if declared.isdigit() and int(declared) <= self._largest:
            parts = await self._parts(receive)
        if parts is None:
            refusal = PlainTextResponse(f"The request is larger than {self._largest} bytes.", status_code=413)
            return await refusal(scope, receive, send)
        if parts[-1]["type"] == "http.disconnect":
            return None

        async def receive_part() -> Message:
            return parts.popleft() if parts else await receive()

        return await self._app(scope, receive_part, send)

    async def _parts(self, receive: Receive) -> deque[Message] | None:
        """The body as it came, up to its end or that of the connection; None where it is too large."""
        parts: deque[Message] = deque()
        taken = 0
        while not parts or parts[-1].get("more_body", False):
            parts.append(await receive())
            taken += len(parts[-1].get("body", b""))
            if taken > self._largest:
                return None
        return parts
