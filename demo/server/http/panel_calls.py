"""ASGI middleware: answers the calls of the page's own panels, which come with every camera frame.

Gradio itself would search all routes, resolve the dependencies of the one it finds (with a hop to another thread), and
check and copy the answer. Together that takes about as long as aligning a face.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.server.gradio_internals import server_function
from demo.server.http.hang_ups import is_awaited
from demo.server.routes import PANELS_PATH


class PanelCalls:
    """Answers well-formed calls of a panel's async function, and passes anything else on to Gradio unchanged.

    If the caller hangs up before the answer, the function is cancelled.

    Args:
        app: Gradio's ASGI app.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a panel's call, or pass the request on.

        Args:
            scope: the connection's ASGI scope.
            receive: gets the next message from the client.
            send: sends a message to the client.
        """
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].endswith(PANELS_PATH):
            return await self._app(scope, receive, send)
        parts = [await receive()]
        while parts[-1].get("more_body", False):
            parts.append(await receive())
        call = _call_in(parts)
        function = call and server_function(scope, call["component_id"], call["fn_name"])
        if call and function:
            parts.clear()  # a photo's parts are large, and it may wait for a while
            answering = asyncio.ensure_future(function(call["data"]))
            if not await is_awaited(answering, receive):
                return None
            answer = orjson.dumps(answering.result())
            return await Response(answer, media_type="application/json")(scope, receive, send)
        passed_on = iter(parts)

        async def receive_part() -> Message:
            return next(passed_on, None) or await receive()

        return await self._app(scope, receive_part, send)


def _call_in(parts: Iterable[Message]) -> dict[str, Any] | None:
    """The call in a request's body; None if it isn't in the form that the page's scripts send."""
    try:
        call = orjson.loads(b"".join(part.get("body", b"") for part in parts))
    except orjson.JSONDecodeError:  # a form, for example
        return None
    forms = {"session_hash": str, "component_id": int, "fn_name": str, "data": object}
    if not isinstance(call, dict) or not all(isinstance(call.get(name), form) for name, form in forms.items()):
        return None
    return call if "data" in call else None
