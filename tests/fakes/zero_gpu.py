"""Stands in for a Space with ZeroGPU: the address that lends GPUs, and `app.py` as it runs there.

`python -m tests.fakes.zero_gpu`, with the options of `app.py`, serves the page in a process where the real package
`spaces` believes that it is on ZeroGPU. Only CUDA itself is missing: the lent process computes on its CPU.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.fakes.running import running


class Lender(ThreadingHTTPServer):
    """Lends a GPU on every request while `gpu_free`; `asked` lists the paths of all requests."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.gpu_free = True
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def environment(self, folder: Path) -> dict[str, str]:
        """The environment of a Space with ZeroGPU; `folder` is for the files that `spaces` writes."""
        (folder / "cgroup").write_text("0::/space\n")
        return {
            "SPACES_ZERO_GPU": "true",
            "SPACES_ZERO_DEVICE_API_URL": self.url,
            "ZEROGPU_PROC_SELF_CGROUP_PATH": str(folder / "cgroup"),
            "ZEROGPU_OFFLOAD_DIR": str(folder / "tensors"),
        }


class _Answer(BaseHTTPRequestHandler):
    server: Lender

    def do_POST(self) -> None:
        path = urlsplit(self.path).path
        self.server.asked.append(path)
        if path == "/schedule" and not self.server.gpu_free:
            return self._send(503, b"{}")
        loan: dict[str, Any] = {"idle": path == "/schedule" and self.server.asked.count(path) > 1}
        loan |= {"nvidiaIndex": 0, "nvidiaUUID": "GPU-0", "allowToken": "token"}
        self._send(200, json.dumps(loan).encode())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def lender() -> Iterator[Lender]:
    with running(Lender()) as server:
        yield server


def main() -> int:
    import torch

    from demo.server import command

    # spaces asks for these, and the CPU-only torch lacks them.
    torch.version.cuda = torch.version.cuda or "13.0"
    if not hasattr(torch._C, "_cuda_init"):
        torch._C._cuda_init = lambda: None
    torch.cuda._is_in_bad_fork = bool
    import spaces.zero.torch

    spaces.zero.torch.init = lambda _uuid: None
    spaces.zero.torch.move = lambda callback: None  # noqa: ARG005 (its name is part of the call)
    return command.main()


if __name__ == "__main__":
    sys.exit(main())
