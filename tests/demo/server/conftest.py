from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.served_page import served_page


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Gradio's folder for uploads and caches."""
    return tmp_path_factory.mktemp("gradio")


@pytest.fixture(scope="module")
def url(cache: Path) -> Iterator[str]:
    """The address of the page, which this process serves."""
    with served_page(cache) as address:
        yield address
