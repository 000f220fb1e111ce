"""nginx on this machine, as demo/README.md configures it."""

import re
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
_SELF_SIGNED = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1")


@dataclass(frozen=True)
class Proxy:
    """A page behind nginx."""

    url: str


def open_anyway(url: str, request: urllib.request.Request | None = None) -> tuple[int, bytes]:
    """Status and body of an answer, whoever signed the certificate."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    try:
        with urllib.request.urlopen(request or url, context=trusting, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@contextmanager
def before(port: int, folder: Path) -> Iterator[Proxy]:
    """nginx before the server at `port`, by the README's block: https, under /faces/."""
    block = re.search(r"^```nginx\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert block
    own = free_port()
    certificate, key = folder / "own.pem", folder / "own.key"
    subprocess.run(
        [*_SELF_SIGNED, "-out", str(certificate), "-keyout", str(key)],
        check=True,
        capture_output=True,
    )
    replaced = {
        "listen 443 ssl;": f"listen 127.0.0.1:{own} ssl;",
        "/etc/ssl/example.org.pem": str(certificate),
        "/etc/ssl/example.org.key": str(key),
        "127.0.0.1:7860": f"127.0.0.1:{port}",
    }
    server = block[1]
    for theirs, ours in replaced.items():
        assert theirs in server
        server = server.replace(theirs, ours)
    with serving(server, own, folder):
        yield Proxy(f"https://127.0.0.1:{own}/faces/")
