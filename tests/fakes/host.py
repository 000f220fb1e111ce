"""A host of files on this machine, as a stand-in for one on the internet."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread


class Host(ThreadingHTTPServer):
    """A host of files; `sent` counts the bytes of them that it sent, `asked` lists the paths of the requests."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.sent = 0
        self.asked: list[str] = []
        self.closing = Event()

    def at(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"


class _Answer(BaseHTTPRequestHandler):
    server: Host

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        known: dict[str, Callable[[], None]] = {
            "/file": lambda: self.send(200, 4),
            "/moved": lambda: self.send(302, 0, ("Location", "file")),
            "/round": lambda: self.send(302, 0, ("Location", "round")),
            "/slow": self.redirect_slowly,
            "/inside": lambda: self.send(302, 0, ("Location", "http://127.0.0.2/")),
            "/endless": lambda: self.send(200, 2**40),
            "/silent": self.say_nothing,
        }
        steps = {f"/steps{left}": f"steps{left - 1}" if left > 1 else "file" for left in range(1, 10)}
        known |= {path: partial(self.send, 302, 0, ("Location", next_path)) for path, next_path in steps.items()}
        known.get(self.path, lambda: self.send(404, 0))()

    def send(self, status: int, length: int, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for header in headers:
            self.send_header(*header)
        self.end_headers()
        part = b"file" * min(length // 4, 2**14)
        with suppress(OSError):  # the client has hung up
            for _ in range(0, length, max(1, len(part))):
                self.wfile.write(part)
                self.server.sent += len(part)

    def redirect_slowly(self) -> None:
        self.server.closing.wait(0.3)
        self.send(302, 0, ("Location", "slow"))

    def say_nothing(self) -> None:
        self.server.closing.wait(10)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[Host]:
    with Host() as host:
        Thread(target=host.serve_forever, daemon=True).start()
        yield host
        host.closing.set()
        host.shutdown()
