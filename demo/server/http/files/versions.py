"""Serves files whose address changes with their content, so that browsers may keep them for a year."""

import hashlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

MEDIA_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".json": "application/json",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".wasm": "application/wasm",  # otherwise browsers compile it only once it has arrived
}
OTHER_TYPE = "application/octet-stream"
_YEAR_SECONDS = 365 * 24 * 3600
KEPT = {"Cache-Control": f"public, max-age={_YEAR_SECONDS}, immutable"}
_VERSION_DIGITS = 16
_PIECE_BYTES = 2**16


def version_of(files: Mapping[str, bytes]) -> str:
    """Name a version of some files.

    Args:
        files: name -> content.

    Returns:
        16 hexadecimal digits, which change with any name or content.
    """
    content = hashlib.sha256()
    for name, part in sorted(files.items()):
        content.update(f"{name} {len(part)}\n".encode() + part)
    return content.hexdigest()[:_VERSION_DIGITS]


def kept_answer(name: str, content: bytes, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with a file that browsers may keep for a year.

    A large file is sent in pieces, each once the client has taken those before. If it were sent whole, asyncio would
    keep a copy for each client that doesn't read it.

    Args:
        name: of the file; its suffix decides the media type.
        content: of the file.
        headers: additional ones, or others in their place.
    """
    kept = {**KEPT, **(headers or {})}
    media_type = MEDIA_TYPES.get(Path(name).suffix, OTHER_TYPE)
    if len(content) <= _PIECE_BYTES:
        return Response(content, media_type=media_type, headers=kept)
    return StreamingResponse(
        _pieces(content), media_type=media_type, headers={**kept, "Content-Length": str(len(content))}
    )


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), _PIECE_BYTES):
        yield content[start : start + _PIECE_BYTES]


def missing_file() -> HTTPException:
    """To be raised if there is no such file, or no such version of it; nobody may cache the answer."""
    return HTTPException(404, headers={"Cache-Control": "no-store"})
