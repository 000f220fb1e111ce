"""The whole page, served in this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from demo.paths import WEIGHTS
from demo.pipeline.analyse import Pipeline
from demo.server.http.connections import bound_connections
from demo.server.page import build, launch_options


@contextmanager
def served_page(folder: Path, *, mcp: bool = False, bounded: bool = False) -> Iterator[str]:
    """Serve the page until the end of the block. Yields the address.

    Args:
        folder: Gradio's folder for uploads and caches.
        mcp: whether it offers the tool for language models.
        bounded: whether its connections are bounded, as by app.py.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder))
        page = build(Pipeline.load(WEIGHTS, "cpu"), mcp=mcp)
        _, address, _ = page.launch(prevent_thread_lock=True, mcp_server=mcp, **launch_options(folder))
        if bounded:
            bound_connections(page)
        yield address
        page.close()
