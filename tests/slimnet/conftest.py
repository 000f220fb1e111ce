"""What several tests of slimnet share."""

from pathlib import Path

import pytest
import torch

from tests.fakes import original


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights file in the original implementation's form."""
    path = tmp_path_factory.mktemp("weights") / "w.pth"
    torch.save(original.checkpoint(original.state_dict()), path)
    return path
