"""Weights files that are damaged, or made to do harm."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save

from slimnet import Calibration, CheckpointError, Predictor, Preprocessing, Reliability, SlimNet
from slimnet.inference import Inference
from slimnet.onnx.graph import onnx_model
from tests.fuzz.door import Door
from tests.fuzz.inputs import json_values, mistaken, mutated

_SIZE = (75, 80)
_CROPS = np.zeros((1, *_SIZE, 3), np.uint8)


def network() -> SlimNet:
    torch.manual_seed(0)
    model = SlimNet((4,), (4, 7, 2), 2, preprocessing=Preprocessing(*_SIZE))
    model.calibration = Calibration((1.0, 1.5), (Reliability(0.8, 0.7, 0.9),) * 2)
    return model


def written(model: SlimNet, folder: Path) -> dict[str, bytes]:
    """The network's file in each form."""
    for suffix in ("safetensors", "pth"):
        model.save(folder / f"w.{suffix}")
    old = io.BytesIO()
    torch.save(torch.load(folder / "w.pth", weights_only=True), old, _use_new_zipfile_serialization=False)
    return {
        "safetensors": (folder / "w.safetensors").read_bytes(),
        "pth": (folder / "w.pth").read_bytes(),
        "old pth": old.getvalue(),
        "onnx": onnx_model(Inference(model)).SerializeToString(),
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("weights")


class Weights:
    """Loads weights files."""

    def __init__(self, folder: Path) -> None:
        self.files = written(network(), folder)
        self._path = folder / "w"
        self._right = Predictor(folder / "w.safetensors", "cpu")(_CROPS)

    def predict(self, file: bytes, suffix: str) -> np.ndarray:
        path = self._path.with_suffix(suffix)
        path.write_bytes(file)
        predictor = Predictor(path, "cpu")
        crops = np.zeros((1, predictor.height, predictor.width, 3), np.uint8)
        return predictor(crops)

    def check_good_input(self) -> None:
        np.testing.assert_array_equal(self.predict(self.files["safetensors"], ".safetensors"), self._right)


@pytest.fixture(scope="module")
def weights(folder: Path) -> Weights:
    return Weights(folder)


@pytest.fixture(scope="module")
def door(weights: Weights) -> Door:
    return Door("weights", weights.check_good_input)


def read_or_refuse(door: Door, weights: Weights, file: bytes, suffix: str) -> None:
    with door.input(CheckpointError):
        assert np.isfinite(weights.predict(file, suffix)).all()


@given(data=st.data())
def test_a_damaged_file_is_loaded_or_refused_by_a_sentence(door: Door, weights: Weights, data: st.DataObject) -> None:
    file = data.draw(mutated(list(weights.files.values())))
    read_or_refuse(door, weights, file, data.draw(st.sampled_from((".safetensors", ".pth", ".onnx"))))


_STATE = network().state_dict()
_METADATA = json.loads(json.dumps(network().to_checkpoint().metadata))
_PARTS = {name: mistaken(part) if isinstance(part, dict) else json_values() for name, part in _METADATA.items()}


@given(part=st.sampled_from(sorted(_PARTS)), data=st.data())
def test_false_metadata_are_used_or_refused_by_a_sentence(
    door: Door, weights: Weights, part: str, data: st.DataObject
) -> None:
    metadata = {**_METADATA, part: data.draw(_PARTS[part])}
    read_or_refuse(door, weights, save(_STATE, {"slimnet": json.dumps(metadata)}), ".safetensors")


_HYPER_PARAMS = {"filter_count_values": [4], "initial_conv": [4, 7, 2], "num_classes": 2, "depth_multiplier": 1}
_TENSORS = st.sampled_from(
    (
        torch.zeros(0),
        torch.tensor(float("nan")),
        torch.zeros(4, 1, 3, 3).expand(4, 4, 3, 3),
        torch.zeros(2, dtype=torch.int64),
    )
)


@given(
    content=mistaken({"hyper_params": _HYPER_PARAMS, "model_state_dict": _STATE}, mistaken(_HYPER_PARAMS), _TENSORS),
    name=st.sampled_from([*_STATE, "more", ""]),
    tensor=_TENSORS | json_values(),
)
def test_a_false_checkpoint_is_used_or_refused_by_a_sentence(
    door: Door, weights: Weights, content: dict[str, Any], name: str, tensor: Any
) -> None:
    if content.get("model_state_dict") is _STATE:
        content = {**content, "model_state_dict": {**_STATE, name: tensor}}
    file = io.BytesIO()
    torch.save(content, file)
    read_or_refuse(door, weights, file.getvalue(), ".pth")
