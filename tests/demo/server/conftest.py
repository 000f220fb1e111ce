from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.paths import WEIGHTS
from demo.pipeline.analyse import Pipeline
from demo.server.page import build, launch_options


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Gradio's folder for uploads and caches."""
    return tmp_path_factory.mktemp("gradio")


@pytest.fixture(scope="module")
def url(cache: Path) -> Iterator[str]:
    """The address of the page, served in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(cache))
        page = build(Pipeline.load(WEIGHTS, "cpu"))
        _, address, _ = page.launch(prevent_thread_lock=True, **launch_options(cache))
        yield address
        page.close()
