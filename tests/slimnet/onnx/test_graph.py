import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from slimnet import Calibration, Preprocessing, Reliability, SlimNet
from slimnet.inference import Inference
from slimnet.onnx.graph import onnx_model
from tests.fakes import original


def run(proto: onnx.ModelProto, crops: np.ndarray) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(["logits", "probabilities"], {"crops": crops})


@pytest.fixture(scope="module")
def model() -> SlimNet:
    model = SlimNet((4, 6, 8), (10, 7, 2), 3, 2, preprocessing=Preprocessing(75, 80, (0.1, 0.5, 0.6), (0.2, 0.25, 0.5)))
    model.load_state_dict(original.state_dict(10, (4, 6, 8), classes=3, multiplier=2))
    model.calibration = Calibration((0.5, 1.0, 2.0), (Reliability(0.8, 0.7, 0.9),) * 3)
    return model.eval()


@pytest.mark.parametrize("batch", [1, 3])
def test_onnx_runtime_computes_what_the_network_does(model: SlimNet, batch: int) -> None:
    crops = np.random.default_rng(0).integers(0, 256, (batch, 75, 80, 3), np.uint8)
    with torch.no_grad():
        expected = model(model.preprocessing.normalise(torch.from_numpy(crops.copy()))).numpy()
    logits, probabilities = run(onnx_model(Inference(model)), crops)
    np.testing.assert_allclose(logits, expected, atol=1e-4)
    np.testing.assert_allclose(probabilities, 1 / (1 + np.exp(-expected / [0.5, 1, 2])), atol=1e-5)


def test_the_graph_is_valid_and_says_what_it_is(model: SlimNet) -> None:
    proto = onnx_model(Inference(model))
    onnx.checker.check_model(proto, full_check=True)
    metadata = json.loads({entry.key: entry.value for entry in proto.metadata_props}["slimnet"])
    assert metadata["attributes"] == ["label_0", "label_1", "label_2"]
    assert metadata["preprocessing"]["height"] == 75
    assert metadata["calibration"]["temperatures"] == [0.5, 1.0, 2.0]
