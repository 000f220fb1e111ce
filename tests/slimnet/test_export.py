import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from slimnet import ATTRIBUTES, SlimNet
from slimnet.export import export_onnx, export_torch, main
from slimnet.paths import WEIGHTS
from tests.processes import largest_file


@pytest.fixture(scope="module")
def crops() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (3, 218, 178, 3), np.uint8)


@pytest.fixture(scope="module")
def logits(weights: Path, crops: np.ndarray) -> np.ndarray:
    model = SlimNet.load_pretrained(weights).eval()
    with torch.no_grad():
        return model(model.preprocessing.normalise(torch.from_numpy(crops))).numpy()


def test_onnx_file_gives_the_same_logits_for_any_batch(
    weights: Path, crops: np.ndarray, logits: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "slimnet.onnx"
    assert main(["--weights", str(weights), "--out", str(path)]) == 0
    assert "slimnet.onnx: 2." in capsys.readouterr().out
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for batch in (1, 3):
        found, probabilities = session.run(["logits", "probabilities"], {"crops": crops[:batch]})
        np.testing.assert_allclose(found, logits[:batch], atol=1e-4)
        np.testing.assert_allclose(probabilities, 1 / (1 + np.exp(-logits[:batch])), atol=1e-5)
    metadata = json.loads(session.get_modelmeta().custom_metadata_map["slimnet"])
    assert tuple(metadata["attributes"]) == ATTRIBUTES


def test_torch_archive_gives_the_same_logits_for_any_batch(
    weights: Path, crops: np.ndarray, logits: np.ndarray, tmp_path: Path
) -> None:
    path = tmp_path / "slimnet.pt2"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert main(["--weights", str(weights), "--out", str(path)]) == 0
    extra = {"slimnet.json": ""}
    network = torch.export.load(path, extra_files=extra).module()
    for batch in (1, 3):
        found, _ = network(torch.from_numpy(crops[:batch]))
        np.testing.assert_allclose(found.numpy(), logits[:batch], atol=1e-4)
    assert tuple(json.loads(extra["slimnet.json"])["attributes"]) == ATTRIBUTES


@pytest.mark.parametrize(("export", "name"), [(export_onnx, "slimnet.onnx"), (export_torch, "slimnet.pt2")])
def test_networks_of_other_precisions_are_written_in_float32(
    export: Callable[[SlimNet, Path], None], name: str, crops: np.ndarray, tmp_path: Path
) -> None:
    model = SlimNet((4,), (4, 7, 2), 2).eval()
    with torch.no_grad():
        expected = model(model.preprocessing.normalise(torch.from_numpy(crops)))
    export(model.bfloat16(), tmp_path / name)
    if name.endswith(".onnx"):
        session = onnxruntime.InferenceSession(tmp_path / name, providers=["CPUExecutionProvider"])
        found = torch.from_numpy(session.run(["logits"], {"crops": crops})[0])
    else:
        found, _ = torch.export.load(tmp_path / name).module()(torch.from_numpy(crops))
    assert model.fc.weight.dtype == torch.bfloat16
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected, atol=0.05, rtol=0)


@pytest.mark.parametrize(("export", "name"), [(export_onnx, "slimnet.onnx"), (export_torch, "slimnet.pt2")])
def test_a_network_on_another_device_is_written_and_stays_there(
    export: Callable[[SlimNet, Path], None], name: str, weights: Path, tmp_path: Path
) -> None:
    """Without a GPU, torch's meta device stands in: there, too, weights cannot be read where they are."""

    class Elsewhere(SlimNet):
        def cpu(self) -> SlimNet:  # type: ignore[override]
            return here

    here = SlimNet.load_pretrained(weights)
    model = Elsewhere().to("meta")
    export(model, tmp_path / name)
    export(here, tmp_path / f"here-{name}")
    assert {parameter.device.type for parameter in model.parameters()} == {"meta"}
    if name.endswith(".onnx"):
        assert (tmp_path / name).read_bytes() == (tmp_path / f"here-{name}").read_bytes()
    else:
        found, expected = (torch.export.load(tmp_path / file).state_dict for file in (name, f"here-{name}"))
        torch.testing.assert_close(found, expected)


def test_without_weights_the_shipped_ones_are_written(tmp_path: Path) -> None:
    assert main(["--out", str(tmp_path / "slimnet.onnx")]) == 0
    session = onnxruntime.InferenceSession(tmp_path / "slimnet.onnx", providers=["CPUExecutionProvider"])
    shipped = json.dumps(SlimNet.load_pretrained(WEIGHTS).to_checkpoint().metadata)
    assert session.get_modelmeta().custom_metadata_map["slimnet"] == shipped


def test_what_is_wrong_is_said_in_a_line(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SystemExit):
        main(["--weights", str(weights), "--out", "slimnet.tflite"])
    assert "--out must end in .onnx or .pt2, got slimnet.tflite" in capsys.readouterr().err
    assert main(["--weights", str(tmp_path / "none.pth"), "--out", str(tmp_path / "a.onnx")]) == 1
    assert "there are no weights at" in capsys.readouterr().err
    assert main(["--weights", str(weights), "--out", str(tmp_path / "no folder" / "a.onnx")]) == 1
    assert "no folder" in capsys.readouterr().err
    monkeypatch.delitem(sys.modules, "slimnet.onnx.graph", raising=False)
    monkeypatch.setitem(sys.modules, "onnx", None)  # importing it fails
    assert main(["--weights", str(weights), "--out", str(tmp_path / "a.onnx")]) == 1
    assert "needs the package onnx" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX's limits")
@pytest.mark.parametrize("suffix", [".onnx", ".pt2"])
def test_where_the_disk_gives_out_in_the_middle_the_old_file_stays(
    weights: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], suffix: str
) -> None:
    path = tmp_path / f"slimnet{suffix}"
    path.write_bytes(b"the old file")
    with largest_file(100_000):
        assert main(["--weights", str(weights), "--out", str(path)]) == 1
    assert capfd.readouterr() == ("", f"slimnet.export: {path} cannot be written: File too large\n")
    assert path.read_bytes() == b"the old file"
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
