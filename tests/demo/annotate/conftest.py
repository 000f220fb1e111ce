import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from slimnet import SlimNet
from tests.paths import PORTRAIT


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("weights") / "untrained.safetensors"
    SlimNet().save(path)
    return str(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one face, two faces, none, a text named .jpg, and a file that is no picture by its name."""
    folder = tmp_path / "pictures"
    (folder / "deep" / "er").mkdir(parents=True)
    shutil.copy(PORTRAIT, folder / "a.jpg")
    pair = np.tile(np.array(Image.open(PORTRAIT))[20:240, 40:290], (1, 2, 1))
    Image.fromarray(pair).save(folder / "deep" / "er" / "PAIR.PNG")
    Image.new("RGB", (200, 200), "grey").save(folder / "none.webp")
    (folder / "broken.jpg").write_text("not a picture")
    shutil.copy(PORTRAIT, folder / "portrait.data")
    return folder
