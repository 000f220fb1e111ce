"""A page with nothing but the browser's engine, for its benchmark and its tests."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from demo.paths import BROWSER
from demo.server.http.files.versions import MEDIA_TYPES, OTHER_TYPE

_PAGE = b"<!doctype html><html lang=en><meta charset=utf-8><title>Engine</title>"
_SCRIPTS = "'self' 'unsafe-inline' 'wasm-unsafe-eval'"
_HEADERS = {
    # Together they let the page use threads, as on the server's and the static page.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Content-Security-Policy": f"default-src 'self'; script-src {_SCRIPTS}; connect-src 'self' data:",
    "Cache-Control": "public, max-age=3600",
}
_LOAD = """async () => {
    const {createDeviceEngine} = await import("/device/engine.js");
    window.progress = [];
    window.engine = await createDeviceEngine({base: "/engine/", onProgress: (part) => window.progress.push(part)});
}"""


@contextmanager
def served(files: Mapping[str, bytes]) -> Iterator[str]:
    """Serve the page, the scripts in demo/browser and the engine's files, below /engine/.

    Args:
        files: from `demo.device_files.device_files`; read again for each request.

    Yields:
        The page's address.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.lstrip("/")
            content = _PAGE if not name else _content(name, files)
            self.send_response(200 if content is not None else 404)
            kind = MEDIA_TYPES.get(Path(name).suffix, OTHER_TYPE) if name else "text/html"
            for header, text in {**_HEADERS, "Content-Type": kind, "Content-Length": str(len(content or b""))}.items():
                self.send_header(header, text)
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def load_engine(page: Any) -> None:
    """Load the engine on an open page, as `window.engine`.

    Args:
        page: of playwright, at the address that `served` yields.
    """
    page.evaluate(_LOAD)


def _content(name: str, files: Mapping[str, bytes]) -> bytes | None:
    folder, _, rest = name.partition("/")
    if folder == "engine":
        return files.get(rest)
    path = BROWSER / name
    return path.read_bytes() if path.is_file() and path.resolve().is_relative_to(BROWSER) else None
