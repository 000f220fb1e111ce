import numpy as np
import pytest

from demo.pictures.decode import open_picture
from demo.pipeline.detect import FaceFinder
from tests.paths import PORTRAIT


@pytest.fixture(scope="session")
def finder() -> FaceFinder:
    """The usual finder; a test that changes it makes its own."""
    return FaceFinder()


@pytest.fixture(scope="session")
def portrait() -> np.ndarray:
    """Eileen Collins, (425, 340, 3) uint8 RGB, read-only."""
    picture = open_picture(PORTRAIT)
    picture.setflags(write=False)
    return picture
