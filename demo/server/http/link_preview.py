"""What other programs show for a link to the page (Open Graph and Twitter tags): a title, a sentence and a picture."""

import os
import re
from functools import cache

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.paths import PREVIEW
from demo.server.gradio_internals import address_of_page
from demo.server.http.files.versions import kept_answer
from demo.server.markup import render

TITLE = "SlimNet Faces"
SENTENCE = "See what a tiny neural network makes of a face, live or from a photo."
_ALT = "The page: a face in a box, and beside it the attributes that the network reads in it"
PREVIEW_SIZE = (1200, 630)  # pixels; the shape of a large preview
# Below Gradio's own prefix, like the scripts, because Node.js passes requests there on to Python.
_PICTURE = "gradio_api/page/preview.png"
_DAY_SECONDS = 24 * 3600
_OTHER_TAGS = re.compile(rb"""<meta\s+(?:property|name)=["'](?:og|twitter):[^>]*>\s*""")
_HEAD = re.compile(rb"<head[^>]*>")


class LinkPreview:
    """ASGI middleware: puts our tags at the start of the page's head, where the first count, in place of Gradio's.

    Gradio's `head` option adds to the head only when a browser runs its scripts, and programs that preview links run
    none. With server-side rendering, Node.js serves the page, so this middleware never sees it.

    Args:
        app: the ASGI app that serves the page, uncompressed.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and change the answer if it is the page.

        Args:
            scope: the connection's ASGI scope.
            receive: gets the next message from the client.
            send: sends a message to the client.
        """
        if scope["type"] != "http" or scope["path"] != "/" or scope["method"] != "GET":
            return await self._app(scope, receive, send)
        start: Message = {}
        body = bytearray()

        async def send_with_tags(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            body.extend(message.get("body", b""))
            if message.get("more_body"):
                return
            page = bytes(body)
            if start["status"] == 200:  # otherwise Gradio may have refused the very host that the tags would name
                page = _with_tags(page, _tags(Request(scope)))
            MutableHeaders(scope=start)["Content-Length"] = str(len(page))
            await send(start)
            await send({"type": "http.response.body", "body": page})

        return await self._app(scope, receive, send_with_tags)


def _with_tags(page: bytes, tags: bytes) -> bytes:
    """Put these tags into the page, and remove all others of their kinds."""
    return _HEAD.sub(lambda head: head[0] + b"\n" + tags, _OTHER_TAGS.sub(b"", page), count=1)


def _tags(request: Request) -> bytes:
    host = os.environ.get("SPACE_HOST")  # set on a Space
    address = f"https://{host}" if host else address_of_page(request)
    width, height = PREVIEW_SIZE
    tags = render(
        "link_preview.html",
        title=TITLE,
        sentence=SENTENCE,
        alt=_ALT,
        address=f"{address}/",
        picture=f"{address}/{_PICTURE}",
        width=width,
        height=height,
    )
    return tags.encode()


async def _answer(_: Request) -> Response:
    # Its address stays the same when it changes.
    return kept_answer(PREVIEW.name, _preview(), {"Cache-Control": f"public, max-age={_DAY_SECONDS}"})


@cache
def _preview() -> bytes:
    return PREVIEW.read_bytes()


PREVIEW_ROUTE = Route(f"/{_PICTURE}", _answer)
