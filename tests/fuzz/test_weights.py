"""Weights files that are damaged, or made to do harm."""

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save

from slimnet import CheckpointError, Predictor, Preprocessing, SlimNet, decide
from slimnet.calibration import ACCURACY, OPERATING_POINTS
from slimnet.decisions import exclusive_pairs
from slimnet.inference import Inference
from slimnet.onnx.graph import onnx_model
from tests.fakes.decided import decided
from tests.fuzz.door import Door
from tests.fuzz.inputs import bent, json_values, mistaken, mutated, shares

_SIZE = (75, 80)
_CROPS = np.zeros((1, *_SIZE, 3), np.uint8)
_NAMES = ("Straight_Hair", "Wavy_Hair")  # which exclude each other
_PROBABILITIES = np.linspace(0, 1, 9, dtype=np.float32)


def network() -> SlimNet:
    torch.manual_seed(0)
    model = SlimNet((4,), (4, 7, 2), 2, attributes=_NAMES, preprocessing=Preprocessing(*_SIZE))
    model.calibration = replace(decided(2), temperatures=(1.0, 1.5))
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


def decide_as_the_page(predictor: Predictor, probabilities: np.ndarray) -> None:
    """Decide some faces at each operating point of the weights, and check the answers."""
    points = predictor.calibration.operating_points if predictor.calibration else {}
    assert {*points} in (set(), {*OPERATING_POINTS})
    count = len(predictor.attributes)
    alike = np.repeat(_PROBABILITIES[:, None], count, axis=1)
    for point in points or (ACCURACY,):
        for face in np.concatenate([probabilities, alike, np.where(np.arange(count) % 2, alike, 1 - alike)]):
            check_answers(predictor, face, point)


def check_answers(predictor: Predictor, face: np.ndarray, point: str) -> None:
    """Check that the answers about a face are those of the thresholds and bands in the file."""
    answers = decide(face, predictor.attributes, predictor.calibration, point)
    found = dict(zip(predictor.attributes, answers, strict=True))
    assert not any(found[one] and found[other] for one, other in exclusive_pairs(predictor.attributes))
    if predictor.calibration is None or not predictor.calibration.operating_points:
        return
    thresholds = predictor.calibration.operating_points[point].thresholds
    bands = predictor.calibration.unsure
    for answer, probability, threshold, (low, high) in zip(answers, face.tolist(), thresholds, bands, strict=True):
        assert 0 <= low <= high <= 1
        assert 0 <= threshold <= 1
        if answer:
            assert probability >= high if point == ACCURACY else probability > threshold
        if answer is False:
            assert probability <= low if point == ACCURACY else probability <= min(low, threshold)


class Weights:
    """Loads weights files, and decides with them."""

    def __init__(self, folder: Path) -> None:
        self.files = written(network(), folder)
        self._path = folder / "w"
        self._right = Predictor(folder / "w.safetensors", "cpu")(_CROPS)

    def predict(self, file: bytes, suffix: str) -> np.ndarray:
        path = self._path.with_suffix(suffix)
        path.write_bytes(file)
        predictor = Predictor(path, "cpu")
        crops = np.zeros((1, predictor.height, predictor.width, 3), np.uint8)
        probabilities = predictor(crops)
        decide_as_the_page(predictor, probabilities)
        return probabilities

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


def file_with(part: str, content: Any) -> bytes:
    """The network's file with something else in one part of its metadata."""
    return save(_STATE, {"slimnet": json.dumps({**_METADATA, part: content})})


@given(part=st.sampled_from(sorted(_PARTS)), data=st.data())
def test_false_metadata_are_used_or_refused_by_a_sentence(
    door: Door, weights: Weights, part: str, data: st.DataObject
) -> None:
    read_or_refuse(door, weights, file_with(part, data.draw(_PARTS[part])), ".safetensors")


@given(calibration=bent(_METADATA["calibration"]))
def test_bent_decisions_are_used_or_refused_by_a_sentence(
    door: Door, weights: Weights, calibration: dict[str, Any]
) -> None:
    read_or_refuse(door, weights, file_with("calibration", calibration), ".safetensors")


@st.composite
def decisions(draw: st.DrawFn) -> dict[str, Any]:
    """Well-formed decisions with any numbers in range, however odd together."""

    def each(names: Sequence[str]) -> dict[str, list[float]]:
        return {name: [draw(shares()), draw(shares())] for name in names}

    return {
        "operating_points": {point: each(("thresholds", "precision", "recall")) for point in OPERATING_POINTS},
        "unsure": [sorted((draw(shares()), draw(shares()))) for _ in _NAMES],
        "sure": each(("right", "answered", "precision", "recall")),
    }


@given(found=decisions())
def test_odd_decisions_in_range_are_used(door: Door, weights: Weights, found: dict[str, Any]) -> None:
    with door.input():
        weights.predict(file_with("calibration", {**_METADATA["calibration"], **found}), ".safetensors")


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
