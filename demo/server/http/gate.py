"""ASGI middleware: refuses calls from other sites (CSRF), and closes addresses of Gradio that this page doesn't use."""

import ipaddress
import re
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from demo.server.gradio_internals import that_leaves_no_note
from demo.server.http.files.compressed import that_is_not_compressed_anew

# These would hand out files, fetch whatever a caller names, or keep a visitor's state or recording in a file.
_FILES = "file[=/]|proxy=|deep_link|process_recording|stream/|custom_component/|dev/"
# The first never ends its answer if a page has states. The second keeps every name of an upload it is asked about, for
# good.
_FOLLOWED = "heartbeat/|upload_progress"
CLOSED = re.compile(rf"/gradio_api/+({_FILES}|{_FOLLOWED})")
# Visitors see it if a proxy changes the page's address.
REFUSAL = (
    "The page answers no call from another site. If this is its own, then the proxy before it changes its address: "
    'let it pass on the Host header, as demo/README.md says under "Behind a proxy".'
)


class Gate:
    """ASGI middleware: answers 403 to requests from other sites' pages, and to every call of a closed address.

    Browsers say where a call comes from, in `Origin` and `Sec-Fetch-Site`. Programs send neither, and are let in. So is
    anybody who follows a link to the page, since that sends no origin.

    Args:
        app: the ASGI app behind the gate.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it with status 403.

        Args:
            scope: the connection's ASGI scope.
            receive: gets the next message from the client.
            send: sends a message to the client.
        """
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        why = None
        if CLOSED.search(scope["path"]):
            why = "This page gives out no files, fetches none, keeps none, and tells of no upload or session."
        elif not is_own(scope["method"], Headers(scope=scope)):
            why = REFUSAL
        if why is None:
            changed = that_is_not_compressed_anew(that_leaves_no_note(scope))
            return await self._app(changed, receive, send)
        return await JSONResponse({"detail": why}, status_code=403)(scope, receive, send)


def is_own(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a request comes from a page of this server, or from no page at all.

    Args:
        method: HTTP method, in capitals.
        headers: the request's headers, with names in lower case.
    """
    site = headers.get("sec-fetch-site", "none")
    if site == "same-origin":  # the browser compared the addresses that it sees, before any proxy changed them
        return True
    origin = headers.get("origin")
    if origin is None:
        return site == "none" or method in ("GET", "HEAD")
    hosts = (headers.get("host", ""), *headers.get("x-forwarded-host", "").split(","))
    return any(_is_origin_of(origin, host.strip()) for host in hosts if host.strip())


def _is_origin_of(origin: str, host: str) -> bool:
    """Whether an origin matches a Host header, from which some proxies drop the port."""
    one, other = _split(origin), _split(f"//{host}")
    if one is None or other is None:
        return False
    names_agree = one.hostname == other.hostname or (_is_loopback(one.hostname) and _is_loopback(other.hostname))
    return names_agree and other.port in (None, one.port or {"http": 80, "https": 443}.get(one.scheme))


def _split(address: str) -> SplitResult | None:
    """The parts of an address; None if the text isn't one."""
    try:
        parts = urlsplit(address)
        return parts if parts.hostname and (parts.port is None or parts.port) else None
    except ValueError:
        return None


def _is_loopback(name: str | None) -> bool:
    try:
        return name == "localhost" or ipaddress.ip_address(name or "").is_loopback
    except ValueError:
        return False
