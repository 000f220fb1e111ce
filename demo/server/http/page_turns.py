"""ASGI middleware: has the page, its configuration and its lists of functions made one at a time.

For each, Gradio copies the configuration or writes code samples: milliseconds of Python, on any of 40 threads. Forty at
once would keep live frames waiting for the interpreter's lock.
"""

import asyncio
import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.limits import PAGES_AT_ONCE
from demo.server.http.hang_ups import is_awaited
from demo.server.network import sender_of
from demo.server.turns.fair_turns import FairTurns

# The page, and whatever else Gradio makes from its whole configuration.
_COSTLY = re.compile(r"/?|/config/?|/gradio_api/(info/?|openapi\.json)")


class PageTurns:
    """Addresses take turns at these answers. One whose caller hangs up before its turn isn't made.

    Args:
        app: the ASGI app that makes the answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._turns = FairTurns(PAGES_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, if it is for one of these answers when its turn comes.

        Args:
            scope: the connection's ASGI scope.
            receive: gets the next message from the client.
            send: sends a message to the client.
        """
        if not _is_costly(scope):
            return await self._app(scope, receive, send)
        while (await receive()).get("more_body"):  # such a request has no body that anybody would read
            pass
        turn = asyncio.ensure_future(self._turns.begin(sender_of(scope)))
        if await is_awaited(turn, receive):
            for message in await self._answer(scope):  # after the turn, so that nobody keeps it by reading slowly
                await send(message)

    async def _answer(self, scope: Scope) -> list[Message]:
        """The whole answer; ends the turn. It is not to be cancelled: Gradio's thread would go on all the same."""
        answer: list[Message] = []

        async def keep(message: Message) -> None:
            answer.append(message)

        try:
            await self._app(scope, _no_body, keep)
        finally:
            self._turns.end()
        return answer


def _is_costly(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
        return False
    return _COSTLY.fullmatch(scope["path"].removeprefix(scope.get("root_path", ""))) is not None


async def _no_body() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}
