"""Shows that nothing leaves and nothing stays: `python -m demo.prove_privacy`.

Serves the page in a network of its own, with an empty home and temporary folder. There, visitors have photos analysed
by the page and by the API, use a camera, and break off an upload; then the page is ended in the middle of another
upload. strace watches the page and everything that it starts, from beginning to end.

The exit status is 0 if the page connected to nothing, looked nothing up and left no file, 1 if it did, and 2 if it
could not be watched. Needs Linux, strace, and root or user namespaces.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from demo.paths import ROOT
from demo.prove_privacy import HOME, TEMPORARY, TRACE
from demo.prove_privacy.network import in_own_network
from demo.prove_privacy.trace import Activity, TraceError, read_trace

_WATCH_SECONDS = 15  # ONNX Runtime would report after 7


def main(arguments: list[str] | None = None) -> int:
    """Watch the page and print what it did.

    Args:
        arguments: without the program's name; None for the program's own.

    Returns:
        The exit status, as described above.
    """
    parser = argparse.ArgumentParser(
        "python -m demo.prove_privacy", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    help_ = f"how long to go on watching after the last visitor (default: {_WATCH_SECONDS})"
    parser.add_argument("--seconds", type=float, default=_WATCH_SECONDS, help=help_)
    chosen = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the page ends, too
    obstacle = what_is_missing()
    if obstacle:
        print(f"demo.prove_privacy: {obstacle}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = watch(Path(folder), chosen.seconds)
        except TraceError as error:
            print(f"demo.prove_privacy: the page could not be watched: {error}", file=sys.stderr)
            return 2
        remaining = remaining_files([Path(folder, HOME), Path(folder, TEMPORARY)], found.written)
        print(report(found, remaining))
    return 1 if found.connections or found.lookups or remaining else 0


def watch(folder: Path, seconds: float) -> Activity:
    """Serve the page, visit it, and record what it does.

    Args:
        folder: an empty folder, for strace's files and the page's home and temporary folder.
        seconds: how long to go on watching after the last visitor.

    Returns:
        What the page and everything it started tried to do.

    Raises:
        TraceError: the page was not served, did not answer as it should, or was not watched to the end.
    """
    command = (sys.executable, "-m", "demo.prove_privacy.served", str(folder), str(seconds))
    # If CI is set, some libraries report nothing; and the page's own network can't reach a proxy.
    unset = [name for name in os.environ if name == "CI" or name.lower().endswith("_proxy")]
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    if subprocess.run(in_own_network(command), cwd=ROOT, env=environment, check=False).returncode:
        raise TraceError("it was not served, or did not answer as it should")
    return read_trace(folder / TRACE, ROOT)


def what_is_missing() -> str | None:
    """Check what the proof needs.

    Returns:
        What this machine lacks, as a sentence for people; None if the proof can run.
    """
    if not sys.platform.startswith("linux"):
        return "it needs Linux, for network namespaces and strace"
    missing = [program for program in ("strace", "unshare") if not shutil.which(program)]
    if missing:
        return f"it needs {' and '.join(missing)}: apt-get install strace util-linux"
    tried = subprocess.run(
        in_own_network(["true"]), capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    if tried.returncode:
        return f"it needs root or user namespaces, which are off here: {tried.stderr.strip()}"
    return None


def remaining_files(folders: Sequence[Path], written: Sequence[Path]) -> tuple[Path, ...]:
    """List what the page has left behind.

    Args:
        folders: folders that were empty when the page started.
        written: all paths that it wrote to.

    Returns:
        Everything in the folders, and the written paths that still exist.
    """
    found = {path for folder in folders for path in folder.rglob("*")}
    return tuple(sorted(found | {path for path in written if os.path.lexists(path)}))


def report(found: Activity, remaining: Sequence[Path]) -> str:
    """List each connection, look-up and file, and count them in the last line.

    Args:
        found: what the page did.
        remaining: files and folders that it left behind.

    Returns:
        The report, of several lines.
    """
    removed = [path for path in found.written if path not in remaining]
    lines = [f"connected to {address}" for address in found.connections]
    lines += [f"looked up {name}" for name in found.lookups]
    lines += [f"left {path}" for path in remaining]
    lines += [f"written meanwhile, and removed: {path}" for path in removed]
    sums = (
        _count(len(found.connections), "connection"),
        _count(len(found.lookups), "look-up"),
        _count(len(remaining), "file"),
    )
    return "\n".join([*lines, ", ".join(sums)])


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


if __name__ == "__main__":
    sys.exit(main())
