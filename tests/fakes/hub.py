"""Stands in for the Hugging Face hub: takes a Space or a model by the hub's own protocol, stores it in a folder, and
serves it from there."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.fakes.running import running

TOKEN = "hf_stand_in"
_COMMIT = "0" * 40


class Hub(ThreadingHTTPServer):
    """Holds one Space in `folder`. `created` is the request that made it; `refusal` is the answer to that, if given.

    `private` says whether only its owner can see it, `takes_large` whether it takes large files.
    """

    def __init__(self, folder: Path, refusal: tuple[int, str] | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.folder = folder
        self.refusal = refusal
        self.private = True
        self.created: dict[str, Any] = {}
        self.large: dict[str, bytes] = {}
        self.takes_large = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def environment(self, home: Path) -> dict[str, str]:
        """Variables that send huggingface_hub here; `home` is for its own files."""
        return {"HF_ENDPOINT": self.url, "HF_TOKEN": TOKEN, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1"}

    def files(self) -> list[str]:
        """The paths of all files in the Space."""
        found = (path for path in self.folder.rglob("*") if path.is_file())
        return sorted(path.relative_to(self.folder).as_posix() for path in found)

    @property
    def revision(self) -> str:
        """Changes with the files, since huggingface_hub asks for those of a commit only once."""
        content = [(name, (self.folder / name).read_bytes()) for name in self.files()]
        return hashlib.sha1(repr(content).encode()).hexdigest()

    def commit(self, operations: list[dict[str, Any]]) -> None:
        """Carry out the lines of a commit."""
        for operation in operations:
            value = operation["value"]
            path = self.folder / value.get("path", "")
            if operation["key"] == "deletedFile":
                path.unlink()
            elif operation["key"] in ("file", "lfsFile"):
                path.parent.mkdir(parents=True, exist_ok=True)
                whole = operation["key"] == "file"
                path.write_bytes(base64.b64decode(value["content"]) if whole else self.large[value["oid"]])


class _Answer(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if re.fullmatch(r"/api/spaces/[^/]+/[^/]+/tree/main", urlsplit(self.path).path):
            names = self.server.files()
            return self._send([{"type": "file", "path": name, "size": 1, "oid": _COMMIT} for name in names])
        about = re.fullmatch(r"/api/spaces/([^/]+/[^/]+)", urlsplit(self.path).path)
        if about and not self.server.refusal:
            return self._send({"id": about[1], "private": self.server.private})
        if found := re.fullmatch(r"/[^/]+/[^/]+/resolve/main/([^/]+)", urlsplit(self.path).path):
            return self._send_file(self.server.folder / found[1])
        self._send({"error": "Not found"}, 404)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_PUT(self) -> None:
        self.server.large[self.path.rpartition("/")[2]] = self._body()
        self._send({}, 200 if self.server.takes_large else 403)

    def do_POST(self) -> None:
        path, body, hub = urlsplit(self.path).path, self._body(), self.server
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            return self._send({"error": "Invalid username or password."}, 401)
        if path == "/api/repos/create":
            hub.created = json.loads(body)
            if hub.refusal:
                return self._send({"error": hub.refusal[1]}, hub.refusal[0])
            owner = hub.created.get("organization", "somebody")
            return self._send({"url": f"{hub.url}/spaces/{owner}/{hub.created['name']}"})
        if path == "/api/validate-yaml":
            return self._send({"errors": [], "warnings": []})
        if path.endswith("/preupload/main"):
            # As on the hub, a file that is not text has to come as a large file: git may not push it as it is.
            modes = {file["path"]: _mode(base64.b64decode(file["sample"])) for file in json.loads(body)["files"]}
            entries = [{"path": name, "uploadMode": mode, "shouldIgnore": False} for name, mode in modes.items()]
            return self._send({"files": entries})
        if path.endswith(".git/info/lfs/objects/batch"):
            objects = [self._place(file) for file in json.loads(body)["objects"]]
            return self._send({"transfer": "basic", "objects": objects})
        if path.endswith("/commit/main"):
            hub.commit([json.loads(line) for line in body.splitlines()])
            space = path.removeprefix("/api/").removesuffix("/commit/main")
            return self._send({"commitUrl": f"{hub.url}/{space}/commit/{_COMMIT}", "commitOid": _COMMIT})
        self._send({"error": "Not found"}, 404)

    def _place(self, file: dict[str, Any]) -> dict[str, Any]:
        """Where to put a large file."""
        return {**file, "actions": {"upload": {"href": f"{self.server.url}/large/{file['oid']}"}}}

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _send(self, answer: Any, status: int = 200) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        if status == 404:
            self.send_header("X-Error-Code", "EntryNotFound")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _send_file(self, path: Path) -> None:
        """Answer a download, which first asks for the headers and then for the whole file."""
        if not path.is_file():
            return self._send({"error": "Not found"}, 404)
        content = path.read_bytes()
        self.send_response(200)
        for name, value in (
            ("ETag", f'"{hashlib.sha256(content).hexdigest()}"'),
            ("X-Repo-Commit", self.server.revision),
        ):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


def _mode(sample: bytes) -> str:
    try:
        # The sample may end in the middle of a character.
        sample.decode(errors="strict") if len(sample) < 512 else sample[:-4].decode(errors="strict")
    except UnicodeDecodeError:
        return "lfs"
    return "lfs" if b"\0" in sample else "regular"


@contextmanager
def hub(folder: Path, refusal: tuple[int, str] | None = None) -> Iterator[Hub]:
    with running(Hub(folder, refusal)) as server:
        yield server
