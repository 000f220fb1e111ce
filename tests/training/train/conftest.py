import shutil
from pathlib import Path

import pytest

from tests.fakes import celeba
from tests.training.train.runs import flags
from training import train


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return celeba.write(tmp_path / "data")


@pytest.fixture(scope="package")
def one_epoch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of one epoch, not to be changed."""
    folder = tmp_path_factory.mktemp("one_epoch")
    assert train.main(flags(celeba.write(folder / "data"), folder / "run", "--num_epochs", "1")) == 0
    return folder / "run"


@pytest.fixture
def finished(tmp_path: Path, one_epoch: Path) -> Path:
    """A copy of the folder of a run of one epoch, on the same pictures as those of `data`."""
    return shutil.copytree(one_epoch, tmp_path / "run")
