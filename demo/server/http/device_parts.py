"""Serves what a browser needs to read faces itself (scripts, models, weights), at an address that changes with it."""

import asyncio
import gzip
from collections import defaultdict

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from demo.server.http.versions import kept_answer, missing_answer, version_of

_PREFIX = "gradio_api/device"
_COMPRESSION_LEVEL = 6  # of gzip; 9 takes five times as long to save one per cent more


class DeviceParts:
    """Keeps the files of every version offered in memory, and compresses each when it is first asked for."""

    def __init__(self) -> None:
        self._versions: dict[str, dict[str, bytes]] = {}
        self._compressed: dict[tuple[str, str], bytes] = {}
        self._locks: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)

    def offer(self, files: dict[str, bytes]) -> str:
        """Serve these files from now on.

        Args:
            files: name -> content.

        Returns:
            The address of their folder, relative to the page's root, with a slash at its end.
        """
        version = version_of(files)
        self._versions[version] = files
        return f"{_PREFIX}/{version}/"

    @property
    def route(self) -> Route:
        """The route to these files, which browsers may keep for a year; it answers 404 for any other version."""
        return Route(f"/{_PREFIX}/{{version}}/{{name}}", self._answer)

    async def _answer(self, request: Request) -> Response:
        version, name = request.path_params["version"], request.path_params["name"]
        part = self._versions.get(version, {}).get(name)
        if part is None:
            return missing_answer()
        headers = {"Vary": "Accept-Encoding"}
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            part = await self._compress(version, name)
            headers["Content-Encoding"] = "gzip"
        return kept_answer(name, part, headers)

    async def _compress(self, version: str, name: str) -> bytes:
        """The compressed file. Many who ask for it at once wait for one compression, and hold no thread meanwhile."""
        key = version, name
        async with self._locks[key]:
            if key not in self._compressed:
                whole = self._versions[version][name]
                self._compressed[key] = await run_in_threadpool(gzip.compress, whole, _COMPRESSION_LEVEL, mtime=0)
        return self._compressed[key]


DEVICE_PARTS = DeviceParts()
