"""Tells a proxy, a container or a monitor that the page answers."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route


async def _answer(_: Request) -> Response:
    """By the event loop that answers visitors, too: where that hangs, nothing comes."""
    return PlainTextResponse("ok\n", headers={"Cache-Control": "no-store"})


HEALTH_ROUTE = Route("/healthz", _answer)
