import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from demo.annotate.__main__ import main
from slimnet import SlimNet
from tests.paths import PORTRAIT

ray = pytest.importorskip("ray", reason="needs pip install 'ray[data]'")
pytest.importorskip("ray.data", reason="needs pip install 'ray[data]'")


@pytest.fixture(scope="module")
def local_ray() -> Iterator[None]:
    """If demo.annotate starts Ray, Ray has two cores and a pretended GPU: the network runs on the CPU there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ray, "init", partial(ray.init, num_cpus=2, num_gpus=1, include_dashboard=False))
        yield
    ray.shutdown()


@pytest.mark.usefixtures("local_ray")
@pytest.mark.parametrize("device", ["cpu", "auto"])
def test_two_workers_write_the_same_table_as_one_process(
    device: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    SlimNet().save(tmp_path / "untrained.safetensors")
    (tmp_path / "pictures").mkdir()
    for name in ("a.jpg", "b.jpg", "c\n.jpg"):
        shutil.copy(PORTRAIT, tmp_path / "pictures" / name)
    (tmp_path / "pictures" / "broken.jpg").write_text("not a picture")
    monkeypatch.chdir(tmp_path)  # names and weights are relative
    command = ["pictures", "--weights", "untrained.safetensors", "--device", device]
    assert main([*command, "--out", "alone.csv", "--workers", "1"]) == 1
    capsys.readouterr()
    code = main([*command, "--out", "ray.csv", "--workers", "2", "--ray"])
    printed = capsys.readouterr().err
    if "timed out during startup" in printed:
        pytest.skip("the machine is too busy for Ray to start")
    assert code == 1
    assert "Faces: 3. Pictures: 3, of these without a face: 0. Could not be read: 1." in printed
    assert Path("ray.csv").read_bytes() == Path("alone.csv").read_bytes()
