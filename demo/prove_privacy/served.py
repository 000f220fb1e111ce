"""Serves the page under strace in the current network namespace and visits it: `python -m demo.prove_privacy.served`.

`python -m demo.prove_privacy` starts it, in a namespace of its own.
"""

import argparse
import sys
import time
from pathlib import Path

import gradio  # noqa: F401  # at its first import it writes a stub file and a seed beside its own code
import httpx

from demo.benchmark.server import NotServedError, PageServer
from demo.prove_privacy import HOME, TEMPORARY, TRACE
from demo.prove_privacy.network import connect_to_itself
from demo.prove_privacy.trace import strace_command
from demo.prove_privacy.visit import VisitError, begin_an_upload, visit


def main(arguments: list[str] | None = None) -> int:
    """Serve and visit the page.

    Args:
        arguments: without the program's name; None for the program's own.

    Returns:
        The exit status: 0, or 2 if the page was not served, or did not answer as it should.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help=f"an empty one, which gets {TRACE}.PID, {HOME}/ and {TEMPORARY}/")
    parser.add_argument("seconds", type=float, help="how long to go on watching after the last visitor")
    chosen = parser.parse_args(arguments)
    connect_to_itself()
    try:
        serve_and_visit(chosen.folder, chosen.seconds)
    except (NotServedError, VisitError, httpx.HTTPError, OSError, ValueError) as error:  # ValueError is gradio_client's
        print(error, file=sys.stderr)
        return 2
    return 0


def serve_and_visit(folder: Path, seconds: float) -> None:
    """Serve the page with an empty home and temporary folder, visit it, wait, and end it like `kill`.

    Args:
        folder: an empty folder, for strace's files, the home and the temporary folder.
        seconds: how long to wait after the last visitor.

    Raises:
        NotServedError: the page was not served, or did not end properly.
        VisitError: it did not find the face in a photo.
        httpx.HTTPError: it did not answer.
    """
    environment = {"GRADIO_TEMP_DIR": "", "PYTHONDONTWRITEBYTECODE": "1"}
    for name, variable in ((HOME, "HOME"), (TEMPORARY, "TMPDIR")):
        (folder / name).mkdir()
        environment[variable] = str(folder / name)
    tracer = strace_command((), folder / TRACE)
    with PageServer(("app.py",), folder, environment=environment, tracer=tracer) as server:
        visit(server.url)
        time.sleep(seconds)
        upload = begin_an_upload(server.url)  # still going on when the page is ended
    upload.close()
    assert server.process is not None
    if server.process.returncode != 0:
        raise NotServedError(f"the page did not shut down cleanly\n{server.last_words()}")


if __name__ == "__main__":
    sys.exit(main())
