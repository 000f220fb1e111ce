"""The whole page, served in this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from demo.paths import WEIGHTS
from demo.pipeline.analyse import Pipeline
from demo.server.page import build, launch_options


@contextmanager
def served_page(folder: Path, *, mcp: bool = False) -> Iterator[str]:
    """Serve the page until the end of the block; folder is Gradio's for uploads and caches. Yields the address."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder))
        page = build(Pipeline.load(WEIGHTS, "cpu"), mcp=mcp)
        _, address, _ = page.launch(prevent_thread_lock=True, mcp_server=mcp, **launch_options(folder))
        yield address
        page.close()
