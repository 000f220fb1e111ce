"""Serves copies of the page on this machine behind nginx, as demo/replicas configures it."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo.benchmark.load.nginx import serving
from demo.benchmark.server import PageServer, free_port
from demo.paths import ROOT

COPY_COOKIE = "copy"  # with which nginx tells visitors apart
# Has a page believe the addresses that the benchmark's visitors name, or nginx names for them, whatever the shell says.
TRUST_THIS_MACHINE = {"FORWARDED_ALLOW_IPS": "127.0.0.1"}
_CONFIGURATION = ROOT / "demo" / "replicas" / "nginx.conf"


@dataclass(frozen=True)
class Replicas:
    """Copies of the page behind a proxy.

    Attributes:
        url: address of the proxy, by http instead of https.
        pages: the copies.
        access_log: written by `demo.benchmark.load.nginx`.
    """

    url: str
    pages: tuple[PageServer, ...]
    access_log: Path


@contextmanager
def replicas(count: int, folder: Path) -> Iterator[Replicas]:
    """Serve the page several times.

    Args:
        count: how many copies.
        folder: an empty folder for their files.

    Yields:
        The copies; they are stopped afterwards.

    Raises:
        NotServedError: a copy or nginx does not come up.
    """
    pages = tuple(
        PageServer(("app.py", "--device", "cpu"), folder / f"copy {number}", environment=TRUST_THIS_MACHINE)
        for number in range(count)
    )
    with ExitStack() as stack:
        for page in pages:
            stack.callback(page.stop)
        with ThreadPoolExecutor(count) as pool:
            list(pool.map(PageServer.start, pages))
        port = free_port()
        stack.enter_context(serving(configuration(port, [page.port for page in pages]), port, folder))
        yield Replicas(f"http://127.0.0.1:{port}/", pages, folder / "access.log")


def configuration(port: int, copies: list[int]) -> str:
    """The configuration of demo/replicas adapted to this machine: its address, no TLS, and the ports of its copies.

    Whoever calls from 127.0.0.1 may name another address in X-Forwarded-For, as the benchmark's visitors do.

    Args:
        port: where nginx listens.
        copies: ports of the copies.
    """
    text = _CONFIGURATION.read_text(encoding="utf-8")
    servers = "".join(f"server 127.0.0.1:{copy}; " for copy in copies)
    for theirs, ours in (
        (r"listen 443 ssl( default_server)?;", rf"listen 127.0.0.1:{port}\1;"),
        (r"ssl_reject_handshake on;", ""),
        (r"server_name example\.org;", "server_name 127.0.0.1;"),
        (r"ssl_certificate(_key)? \S+;", ""),
        (r"server page:7860;", servers),
    ):
        text, replaced = re.subn(theirs, ours, text)
        assert replaced
    return f"set_real_ip_from 127.0.0.1;\nreal_ip_header X-Forwarded-For;\n{text}"
