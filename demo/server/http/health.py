"""Tells a proxy, a container or a monitor that the page answers."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from demo.limits import UNHEALTHY_SECONDS
from demo.server.watchdog import WORKS


async def _answer(_: Request) -> Response:
    """Answer on the event loop that also answers visitors: if that hangs, no answer comes."""
    still = WORKS.still(UNHEALTHY_SECONDS)
    said = f"{', '.join(still)}: no step for {UNHEALTHY_SECONDS:g} s" if still else "ok"
    return PlainTextResponse(f"{said}\n", 503 if still else 200, {"Cache-Control": "no-store"})


HEALTH_ROUTE = Route("/healthz", _answer)
