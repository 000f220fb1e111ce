"""Serves what a browser needs to read faces itself (scripts, models, weights), at an address that changes with it."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from demo.server.http.files.compressed import Compressed, accepts_gzip
from demo.server.http.files.versions import kept_answer, missing_file, version_of

_PREFIX = "gradio_api/device"


class DeviceParts:
    """Keeps the files of every version offered in memory, and compresses each when it is first asked for."""

    def __init__(self) -> None:
        self._versions: dict[str, dict[str, bytes]] = {}
        self._compressed = Compressed()

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
            raise missing_file()
        headers = {"Vary": "Accept-Encoding"}
        if accepts_gzip(request.headers):
            part = await self._compressed.get((version, name), lambda: self._versions[version][name])
            headers["Content-Encoding"] = "gzip"
        return kept_answer(name, part, headers)


DEVICE_PARTS = DeviceParts()
