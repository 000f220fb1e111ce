"""Answers with files whose address changes with their content, so that browsers may keep them for a year."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from starlette.responses import Response

MEDIA_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".json": "application/json",
    ".wasm": "application/wasm",  # else browsers compile it only once it is here
}
OTHER_TYPE = "application/octet-stream"
_YEAR_SECONDS = 365 * 24 * 3600
_VERSION_DIGITS = 16


def version_of(files: Mapping[str, bytes]) -> str:
    """Name a version of some files.

    Args:
        files: name -> content.

    Returns:
        16 hexadecimal digits, others for any other names or content.
    """
    content = hashlib.sha256()
    for name, part in sorted(files.items()):
        content.update(f"{name} {len(part)}\n".encode() + part)
    return content.hexdigest()[:_VERSION_DIGITS]


def kept_answer(name: str, content: bytes, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with a file, to be kept for a year.

    Args:
        name: of the file; its ending tells the media type.
        content: of the file.
        headers: further ones.
    """
    kept = {"Cache-Control": f"public, max-age={_YEAR_SECONDS}, immutable", **(headers or {})}
    return Response(content, media_type=MEDIA_TYPES.get(Path(name).suffix, OTHER_TYPE), headers=kept)


def missing_answer() -> Response:
    """Answer that there is no such file, or no such version of it; nobody is to remember that."""
    return Response(status_code=404, headers={"Cache-Control": "no-store"})
