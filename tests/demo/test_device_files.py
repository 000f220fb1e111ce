import json
from pathlib import Path

import onnx
import pytest

from demo import device_files as module
from demo.device_files import EXPLANATION, FINE_MAPS, NETWORK, SIZES, DeviceFilesError, device_files
from demo.paths import WEIGHTS
from slimnet import SlimNet


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the programs, in place of node_modules."""
    for name in module._PROGRAMS:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    monkeypatch.setattr(module, "NPM_PACKAGES", tmp_path)
    return tmp_path


@pytest.mark.usefixtures("packages")
def test_they_hold_the_programs_the_models_and_the_weights_and_tell_their_sizes() -> None:
    files = device_files(WEIGHTS)
    assert "vision_bundle.mjs" in files
    assert "face_landmarker.task" in files
    assert not any("/" in name for name in files)
    assert json.loads(files.pop(SIZES)) == {name: len(content) for name, content in files.items()}
    network = onnx.load_from_string(files[NETWORK])
    assert [output.name for output in network.graph.output][:2] == ["logits", "probabilities"]


@pytest.mark.usefixtures("packages")
def test_weights_of_other_attributes_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    SlimNet(num_classes=2, attributes=("Smoking", "Glasses")).save(path)
    files = device_files(path)
    network = onnx.load_from_string(files[NETWORK])
    assert network.graph.output[1].type.tensor_type.shape.dim[1].dim_value == 2
    explanation = json.loads(files[EXPLANATION])
    assert explanation["attributes"] == ["Smoking", "Glasses"]
    assert [len(explanation[name]) for name in ("bias", "rows", "columns")] == [2, 13, 10]


@pytest.mark.usefixtures("packages")
def test_what_explains_the_network_holds_none_of_its_weights_again() -> None:
    files = device_files(WEIGHTS)
    assert len(files[FINE_MAPS]) < len(files[NETWORK]) / 10


def test_a_missing_program_is_named_with_what_to_do(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (packages / "onnxruntime-web/dist/ort-wasm-simd-threaded.wasm").unlink()
    with pytest.raises(DeviceFilesError, match=r"ort-wasm-simd-threaded\.wasm is missing: npm ci"):
        device_files(WEIGHTS)
    monkeypatch.setattr(module, "PACKAGE_LOCK", packages / "package-lock.json")
    with pytest.raises(DeviceFilesError, match=r"is missing: .* in a clone of the repository alone, by npm ci"):
        device_files(WEIGHTS)
