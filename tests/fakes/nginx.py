"""nginx on this machine, configured as in demo/README.md and demo/replicas."""

import re
import socket
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo.benchmark.load.nginx import serving
from demo.benchmark.server import free_port
from tests.paths import ROOT

README = ROOT / "demo" / "README.md"
REPLICAS = ROOT / "demo" / "replicas" / "nginx.conf"
SELF_SIGNED = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1")


@dataclass(frozen=True)
class Proxy:
    """A page behind nginx."""

    url: str


def trusting() -> ssl.SSLContext:
    """A context that trusts any certificate, whoever signed it and for any host."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def open_anyway(url: str, request: urllib.request.Request | None = None) -> tuple[int, bytes]:
    """The status and body of an answer, whoever signed the certificate."""
    try:
        with urllib.request.urlopen(request or url, context=trusting(), timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@contextmanager
def before(port: int, folder: Path) -> Iterator[Proxy]:
    """nginx before the server at `port`, configured with the README's block: https, under /faces/."""
    block = re.search(r"^```nginx\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert block
    with _serving(block[1], "/etc/ssl/example.org", "127.0.0.1:7860", port, folder) as own:
        yield Proxy(f"https://127.0.0.1:{own}/faces/")


@contextmanager
def before_no_copy(folder: Path) -> Iterator[int]:
    """nginx with demo/replicas/nginx.conf: https, for example.org, and no copy to ask. Yields its port."""
    with socket.socket() as held:  # bound, so that nothing else listens there, but not listening
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        with _serving(REPLICAS.read_text(encoding="utf-8"), "/etc/nginx/tls/page", "page:7860", port, folder) as own:
            yield own


@contextmanager
def _serving(text: str, certificate: str, page: str, port: int, folder: Path) -> Iterator[int]:
    """nginx with a configuration, a certificate of ours, and the page at `port` of this machine. Yields its own port.

    Args:
        text: the configuration.
        certificate: the path of the certificate's files in it, without .pem and .key.
        page: the page's address in it.
        port: the page's port.
        folder: for nginx's files.
    """
    own = free_port()
    made = [folder / "own.pem", folder / "own.key"]
    subprocess.run([*SELF_SIGNED, "-out", made[0], "-keyout", made[1]], check=True, capture_output=True)
    replaced = {
        "listen 443 ssl": f"listen 127.0.0.1:{own} ssl",
        f"{certificate}.pem": str(made[0]),
        f"{certificate}.key": str(made[1]),
        page: f"127.0.0.1:{port}",
    }
    for theirs, ours in replaced.items():
        assert theirs in text
        text = text.replace(theirs, ours)
    with serving(text, own, folder):
        yield own
