"""Serves the scripts and styles of Gradio's own page, compressed once rather than at each visit.

Gradio would compress a megabyte or more for each visitor, in the event loop that also answers live frames. It would
also have browsers ask again at each visit, although the names of these files change with their content.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from demo.server.gradio_internals import frontend_folder
from demo.server.http.files.compressed import Compressed, accepts_gzip
from demo.server.http.files.versions import KEPT, kept_answer, missing_file

_COMPRESSIBLE = {".js", ".css", ".svg"}
_HASHED = re.compile(r".+-[\w-]{8,}\.\w+")  # NAME-HASH.js, as the bundler names what it has made


class GradioFiles:
    """All files of a folder, subfolders excluded.

    Args:
        folder: of files whose names change with their content.
    """

    def __init__(self, folder: Path) -> None:
        self._paths = {path.name: path for path in folder.iterdir() if _HASHED.fullmatch(path.name)}
        self._compressed = Compressed()

    @property
    def route(self) -> Route:
        """The route to these files, which browsers may keep for a year; it answers 404 for any other name."""
        return Route("/assets/{name:path}", self._answer)

    async def _answer(self, request: Request) -> Response:
        name = request.path_params["name"]
        path = self._paths.get(name)
        if path is None:
            raise missing_file()
        if path.suffix not in _COMPRESSIBLE:
            return FileResponse(path, headers=KEPT)
        headers: Mapping[str, str] = {"Vary": "Accept-Encoding"}
        if not accepts_gzip(request.headers):
            return FileResponse(path, headers={**KEPT, **headers})
        whole = await self._compressed.get(name, path.read_bytes)
        return kept_answer(name, whole, {**headers, "Content-Encoding": "gzip"})


GRADIO_FILES = GradioFiles(frontend_folder())
