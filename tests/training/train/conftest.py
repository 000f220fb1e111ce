from pathlib import Path

import pytest

from tests.fakes import celeba


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return celeba.write(tmp_path / "data")
