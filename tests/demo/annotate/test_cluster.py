import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from demo.annotate.__main__ import main
from slimnet import SlimNet
from tests.missing import missing, package
from tests.paths import PORTRAIT

ray = package("ray", "needs pip install 'ray[data]'")
package("ray.data", "needs pip install 'ray[data]'")


@pytest.fixture(scope="module")
def local_ray() -> Iterator[None]:
    """If demo.annotate starts Ray, Ray has two cores and a pretended GPU: the network runs on the CPU there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ray, "init", partial(ray.init, num_cpus=2, num_gpus=1, include_dashboard=False))
        yield
    ray.shutdown()


COMMAND = ("pictures", "--weights", "untrained.safetensors")  # both relative, to `folder`


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pictures, weights, and the table that one process writes on the CPU."""
    folder = tmp_path_factory.mktemp("annotate")
    SlimNet().save(folder / "untrained.safetensors")
    (folder / "pictures").mkdir()
    for name in ("a.jpg", "b.jpg", "c\n.jpg"):
        shutil.copy(PORTRAIT, folder / "pictures" / name)
    (folder / "pictures" / "broken.jpg").write_text("not a picture")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main([*COMMAND, "--device", "cpu", "--out", "alone.csv", "--workers", "1"]) == 1
    return folder


@pytest.mark.usefixtures("local_ray")
@pytest.mark.parametrize("device", ["cpu", "auto"])
def test_two_workers_write_the_same_table_as_one_process(
    device: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    code = main([*COMMAND, "--device", device, "--out", f"{device}.csv", "--workers", "2", "--ray"])
    printed = capsys.readouterr().err
    if "timed out during startup" in printed:
        missing("the machine is too busy for Ray to start")
    assert code == 1
    assert "Faces: 3. Pictures: 3, of these without a face: 0. Could not be read: 1." in printed
    assert Path(f"{device}.csv").read_bytes() == Path("alone.csv").read_bytes()
