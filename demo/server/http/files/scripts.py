"""Serves the page's scripts (ES modules) and tables of texts, at an address that changes with them."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from demo.paths import BROWSER
from demo.server.http.files.compressed import Compressed, accepts_gzip
from demo.server.http.files.versions import kept_answer, missing_file, version_of

# Below Gradio's own prefix: with server-side rendering, Node.js stands in front and passes requests there on to Python.
_PREFIX = "gradio_api/page"
_SUFFIXES = {".js", ".json"}
_FAILED = "A part of this page did not arrive, or the server has been changed since. Reload the page."

# Until its script runs, a panel is inert, so that no click is lost. If the script doesn't arrive, the panel says so.
START_PANEL = f"""
    const {{root}} = window.gradio_config;
    import(`${{root}}/${{props.module}}`).then(async ({{ready, start}}) => {{
      await ready;
      start(element, JSON.parse(props.facts), server);
    }}).catch((error) => {{
      const status = element.querySelector(".status");
      status.textContent = "{_FAILED}";
      status.dataset.kind = "problem";
      throw error;
    }}).finally(() => {{
      element.querySelector(".panel").inert = false;
    }});
"""


class Scripts:
    """All scripts and tables of a folder, kept in memory so that they always match the address made from them.

    Args:
        folder: searched for *.js and *.json files, subfolders included.
    """

    def __init__(self, folder: Path = BROWSER) -> None:
        paths = sorted(path for path in folder.rglob("*.*") if path.suffix in _SUFFIXES)
        self._files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
        self._version = version_of(self._files)
        self._compressed = Compressed()

    def address(self, name: str) -> str:
        """The address of a script; its imports load scripts of the same version.

        Args:
            name: path of the script in the folder, such as "live/main.js".

        Returns:
            The address, relative to the page's root.
        """
        assert name in self._files
        return f"{_PREFIX}/{self._version}/{name}"

    @property
    def route(self) -> Route:
        """The route to scripts and tables, which browsers may keep for a year; it answers 404 for any other version."""
        return Route(f"/{_PREFIX}/{{version}}/{{name:path}}", self._answer)

    async def _answer(self, request: Request) -> Response:
        name = request.path_params["name"]
        text = self._files.get(name)
        if text is None or request.path_params["version"] != self._version:
            raise missing_file()
        headers = {"Vary": "Accept-Encoding"}
        if accepts_gzip(request.headers):
            text = await self._compressed.get(name, lambda: self._files[name])
            headers["Content-Encoding"] = "gzip"
        return kept_answer(name, text, headers)


SCRIPTS = Scripts()
