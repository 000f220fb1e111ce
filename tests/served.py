"""The page, served by a process of its own."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PORTRAIT = ROOT / "assets" / "examples" / "eileen_collins.jpg"


@dataclass(frozen=True)
class Page:
    """Attributes: its address, without a slash at the end; its process; where Gradio puts uploads."""

    url: str
    process: subprocess.Popen[str]
    uploads: Path

    def files(self) -> list[Path]:
        """What lies in Gradio's folder for uploads."""
        return [path for path in self.uploads.rglob("*") if path.is_file()]


@contextmanager
def served(
    folder: Path,
    *options: str,
    program: tuple[str, ...] = ("app.py",),
    environment: dict[str, str] | None = None,
    root: Path = ROOT,
) -> Iterator[Page]:
    """Serve the page of the repository at `root` on the CPU until the end; `folder` takes uploads and the log.

    Args:
        options: of `app.py`.
        program: the script or module that is run instead of it.
        environment: is added to that of the tests.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [sys.executable, *program, "--device", "cpu", "--port", str(port), *options],
        cwd=root,
        env={**os.environ, "GRADIO_TEMP_DIR": str(folder / "uploads"), **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=(folder / "log").open("w"),
        text=True,
    )
    try:
        assert process.stdout is not None
        if not any(url in line for line in iter(process.stdout.readline, "")):
            raise AssertionError(f"the page ended with {process.wait()}: {(folder / 'log').read_text()}")
        yield Page(url, process, folder / "uploads")
    finally:
        process.kill()
        process.communicate()
