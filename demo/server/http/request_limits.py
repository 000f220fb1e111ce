"""ASGI middleware: limits request bodies, and drops those that break off before they reach the disk."""

from collections import deque

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class WholeBodies:
    """Passes a request on once its whole body is here, and answers one that is too large with status 413.

    Gradio reads the panels' calls into memory whole anyway. It writes an upload to a file as it comes in, and leaves
    that file where the upload breaks off.

    Args:
        app: the ASGI app that gets the requests.
        max_bytes: largest size of a request's body.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its whole body, or refuse it with status 413.

        Args:
            scope: the connection's ASGI scope.
            receive: gets the next message from the client.
            send: sends a message to the client.
        """
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        headers = dict(scope["headers"])
        declared = headers.get(b"content-length", b"0")
        parts: deque[Message] | None = None
        if declared.isdigit() and int(declared) <= self._max_bytes:
            parts = await self._parts(receive)
        if parts is None:
            refusal = PlainTextResponse(f"The request is larger than {self._max_bytes} bytes.", status_code=413)
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
            if taken > self._max_bytes:
                return None
        return parts
