import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slimnet import CheckpointError
from training.networks.tensorflow_js import read_graph_model

VALUES = np.array([[1.5, -2, 0.25]], np.float16)


def graph(folder: Path, **changes: Any) -> Path:
    """A graph with one half-precision weight and one integer weight, in two files."""
    (folder / "1.bin").write_bytes(VALUES.tobytes()[:4])
    (folder / "2.bin").write_bytes(VALUES.tobytes()[4:] + np.array([7, 8], np.int32).tobytes())
    weights = [
        {"name": "kernel", "shape": [1, 3], "dtype": "float32", "quantization": {"dtype": "float16"}},
        {"name": "axes", "shape": [2], "dtype": "int32"},
    ]
    path = folder / "model.json"
    described = {
        "modelTopology": {"node": [{"name": "input_1", "op": "Placeholder"}]},
        "weightsManifest": [{"paths": ["1.bin", "2.bin"], "weights": weights}],
    }
    path.write_text(json.dumps(described | changes), encoding="utf-8")
    return path


def test_weights_are_read_from_all_files_as_what_they_stand_for(tmp_path: Path) -> None:
    found = read_graph_model(graph(tmp_path))
    assert found.nodes["input_1"]["op"] == "Placeholder"
    assert {name: (values.dtype, values.tolist()) for name, values in found.weights.items()} == {
        "kernel": (np.float32, [[1.5, -2, 0.25]]),
        "axes": (np.int32, [7, 8]),
    }


def test_a_missing_file_of_weights_is_named(tmp_path: Path) -> None:
    path = graph(tmp_path)
    (tmp_path / "2.bin").unlink()
    with pytest.raises(CheckpointError, match=r"model\.json needs files that cannot be read: .*2\.bin"):
        read_graph_model(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"modelTopology": {}}, "'node'"),
        ({"weightsManifest": [{"paths": ["1.bin"], "weights": []}]}, "4 bytes of weights for 0"),
        (
            {"weightsManifest": [{"paths": ["1.bin"], "weights": [{"name": "a", "shape": [9], "dtype": "float32"}]}]},
            "buffer",
        ),
        (
            {"weightsManifest": [{"paths": ["1.bin"], "weights": [{"name": "a", "shape": [4], "dtype": "uint8"}]}]},
            "uint8",
        ),
    ],
)
def test_what_is_no_graph_model_is_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(CheckpointError, match=rf"cannot be read as a TensorFlow\.js graph model \(.*{message}"):
        read_graph_model(graph(tmp_path, **changes))
