"""Compresses files once, when each is first asked for, and keeps Gradio from compressing any at each visit."""

import asyncio
import gzip
import re
from collections import defaultdict
from collections.abc import Callable, Hashable

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Scope

_COMPRESSION_LEVEL = 6  # of gzip; 9 takes five times as long to save one per cent more
_OURS = re.compile(r"/(assets|gradio_api/(page|device))/")  # compressed by gzip, once
# Small, or not used by the page.
_GRADIO = re.compile(r"/(static|svelte)/|/(theme\.css|manifest\.json|openapi\.json)$")


class Compressed:
    """Keeps files as compressed by gzip."""

    def __init__(self) -> None:
        self._files: dict[Hashable, bytes] = {}
        self._locks: defaultdict[Hashable, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def get(self, key: Hashable, read: Callable[[], bytes]) -> bytes:
        """Get a file. Many who ask for it at once wait for one compression, and hold no thread meanwhile.

        Args:
            key: names the file, which never changes.
            read: gives its content, in another thread; called once if all goes well.

        Returns:
            The compressed content.

        Raises:
            OSError: the file cannot be read; the next call tries again.
        """
        async with self._locks[key]:
            if key not in self._files:
                self._files[key] = await run_in_threadpool(_compress, read)
        return self._files[key]


def that_is_not_compressed_anew(scope: Scope) -> Scope:
    """Change a request for a file so that Gradio does not compress the answer.

    It would do so at each visit, in the event loop that also answers live frames. As a browser asks for other files, it
    still gets what is compressed already.

    Args:
        scope: the request's ASGI scope.
    """
    ours = _OURS.search(scope["path"])
    if not (ours or _GRADIO.search(scope["path"])):
        return scope
    changed = {**scope, "headers": list(scope["headers"])}
    headers = MutableHeaders(scope=changed)
    takes_gzip = accepts_gzip(headers)
    del headers["Accept-Encoding"]
    if ours and takes_gzip:
        headers["Accept-Encoding"] = "gzip"
    return changed


def accepts_gzip(headers: Headers) -> bool:
    """Whether a request's headers let the answer be compressed by gzip.

    Args:
        headers: of the request.
    """
    return "gzip" in headers.get("Accept-Encoding", "")


def _compress(read: Callable[[], bytes]) -> bytes:
    return gzip.compress(read(), _COMPRESSION_LEVEL, mtime=0)
