"""A page whose panels answer at once, with what a test chose."""

import json
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FUNCTIONS = ("analyse_frame", "analyse_photo")


class PanelPage(ThreadingHTTPServer):
    """Serves what `demo.benchmark.load.visitors.Panel` asks for; `tests.fakes.running` starts it.

    Args:
        answer: gives the answer to a call, from its function's name and its message.

    Attributes:
        addresses: where calls said they come from.
    """

    daemon_threads = True

    def __init__(self, answer: Callable[[str, dict[str, Any]], Mapping[str, Any]]) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.answer = answer
        self.addresses: set[str | None] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or the second part of each answer waits for the client's word on the first
    server: PanelPage

    def do_GET(self) -> None:
        parts = [{"id": number, "props": {"server_fns": [name]}} for number, name in enumerate(FUNCTIONS)]
        self.send({"components": parts})

    def do_POST(self) -> None:
        self.server.addresses.add(self.headers["X-Forwarded-For"])
        call = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send(self.server.answer(call["fn_name"], call["data"]))

    def send(self, content: Mapping[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def faces(box: tuple[int, int, int, int] = (10, 10, 100, 100), smiling: float = 0.9) -> dict[str, Any]:
    """The answer to a picture with one face."""
    return {"faces": [{"box": list(box), "probabilities": [smiling, 0.1]}]}
