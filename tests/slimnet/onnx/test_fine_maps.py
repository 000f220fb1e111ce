from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from slimnet import Calibration, Preprocessing, Reliability, SlimNet
from slimnet.inference import Inference
from slimnet.onnx.fine_maps import fine_maps_model
from slimnet.onnx.graph import onnx_model
from tests.fakes import original
from tests.paths import ASSETS

# Filters, depth multiplier and size of the crops.
NETWORKS: list[tuple[tuple[int, ...], int, tuple[int, int]]] = [
    ((8, 16), 2, (90, 61)),
    ((4,), 1, (40, 30)),
    ((4, 4, 8, 8, 8), 1, (300, 280)),
]


@pytest.fixture(scope="module", params=["shipped", *NETWORKS], ids=str)
def model(request: pytest.FixtureRequest) -> SlimNet:
    if request.param == "shipped":
        return SlimNet.load_pretrained(ASSETS / "slimnet_celeba.safetensors").eval()
    counts, multiplier, size = request.param
    model = SlimNet(counts, (12, 7, 2), 3, multiplier, preprocessing=Preprocessing(*size))
    model.load_state_dict(original.state_dict(12, counts, classes=3, multiplier=multiplier))
    model.calibration = Calibration((0.5, 1.0, 2.0), (Reliability(0.8, 0.7, 0.9),) * 3)
    return model.eval()


@pytest.fixture(scope="module")
def files(model: SlimNet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both models side by side."""
    folder = tmp_path_factory.mktemp("models")
    inference = Inference(model)
    network = onnx_model(inference).SerializeToString()
    (folder / "network.onnx").write_bytes(network)
    (folder / "maps.onnx").write_bytes(fine_maps_model(inference, network, "network.onnx").SerializeToString())
    return folder


def run(path: Path, outputs: list[str], **inputs: np.ndarray) -> list[np.ndarray]:
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(outputs, inputs)


@pytest.mark.parametrize("attributes", [[2], [1, 0, 2, 1]])
def test_onnx_runtime_gives_the_maps_that_torch_gives(model: SlimNet, files: Path, attributes: list[int]) -> None:
    height, width = model.preprocessing.height, model.preprocessing.width
    crops = np.random.default_rng(0).integers(0, 256, (1, height, width, 3), np.uint8)
    probabilities, features = run(files / "network.onnx", ["probabilities", "features"], crops=crops)
    (maps,) = run(files / "maps.onnx", ["maps"], features=features, attributes=np.array(attributes, np.int32))
    expected = Inference(model).explain_features(torch.from_numpy(features), attributes)
    assert maps.dtype == np.float32
    assert np.abs(maps).max() > 0.01
    np.testing.assert_allclose(maps, expected.maps[0].numpy(), atol=1e-4)
    odds = maps.sum((1, 2)) + expected.bias.numpy()
    np.testing.assert_allclose(1 / (1 + np.exp(-odds)), probabilities[0, attributes], atol=2e-5)


def test_the_model_is_valid_and_takes_its_large_weights_from_the_networks_file(files: Path) -> None:
    onnx.checker.check_model(files / "maps.onnx", full_check=True)
    lent = onnx.load(files / "maps.onnx", load_external_data=False).graph.initializer
    weights = [tensor for tensor in lent if tensor.name.endswith(".weight") and np.prod(tensor.dims) >= 1024]
    assert all(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in weights)
