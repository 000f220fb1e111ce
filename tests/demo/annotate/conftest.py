import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from slimnet import ATTRIBUTES, Calibration, OperatingPoint, Reliability, SlimNet, Sure
from tests.paths import PORTRAIT


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("weights") / "untrained.safetensors"
    SlimNet().save(path)
    return str(path)


@pytest.fixture(scope="session")
def decided_weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Untrained weights whose operating points say yes at "balanced", no at "f1" and not sure at "accuracy"."""
    model = SlimNet()
    every = (1.0,) * len(ATTRIBUTES)
    always, even, never = (
        OperatingPoint((threshold,) * len(ATTRIBUTES), every, every) for threshold in (0.0, 0.5, 1.0)
    )
    model.calibration = Calibration(
        every, (Reliability(1.0, 1.0, 1.0),) * len(ATTRIBUTES), {"accuracy": even, "balanced": always, "f1": never},
        ((0.0, 1.0), *((1.0, 1.0),) * (len(ATTRIBUTES) - 1)), Sure(every, every, every, every),
    )  # fmt: skip
    path = tmp_path_factory.mktemp("weights") / "decided.safetensors"
    model.save(path)
    return str(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one face, two faces, none, a text named .jpg, and a file whose name is not a picture's."""
    folder = tmp_path / "pictures"
    (folder / "deep" / "er").mkdir(parents=True)
    shutil.copy(PORTRAIT, folder / "a.jpg")
    pair = np.tile(np.array(Image.open(PORTRAIT))[20:240, 40:290], (1, 2, 1))
    Image.fromarray(pair).save(folder / "deep" / "er" / "PAIR.PNG")
    Image.new("RGB", (200, 200), "grey").save(folder / "none.webp")
    (folder / "broken.jpg").write_text("not a picture")
    shutil.copy(PORTRAIT, folder / "portrait.data")
    return folder
