"""A small MobileNet as a TensorFlow.js graph, like `faceres` in the npm package @vladmandic/human."""

import json
from pathlib import Path
from typing import Any

import numpy as np

KERNEL = "convolution/merged_input"  # the names of kernels end with this
STEM = 4  # filters
BLOCKS = ((6, 1), (8, 2), (8, 1))  # filters and stride of each depthwise-separable convolution


def write(folder: Path) -> Path:
    """Write the graph with random weights in half precision. Returns the JSON file."""
    rng = np.random.default_rng(0)
    arrays = {
        f"conv1/{KERNEL}": rng.normal(0, 0.005, (3, 3, 3, STEM)),
        "conv1_bn/batchnorm_1/sub": rng.normal(0, 1, STEM),
    }
    inputs = STEM
    for number, (filters, _) in enumerate(BLOCKS, start=1):
        depthwise, pointwise = f"conv_dw_{number}", f"conv_pw_{number}"
        arrays[f"{depthwise}/depthwise_kernel"] = rng.normal(0, 0.3, (3, 3, inputs, 1))
        arrays[f"{depthwise}_bn/batchnorm_1/mul"] = rng.uniform(0.5, 2, inputs)
        arrays[f"{depthwise}_bn/batchnorm_1/sub"] = rng.normal(1, 1, inputs)
        arrays[f"{pointwise}/{KERNEL}"] = rng.normal(0, 0.5, (1, 1, inputs, filters))
        arrays[f"{pointwise}_bn/batchnorm_1/sub"] = rng.normal(1, 1, filters)
        inputs = filters
    arrays["gender_pred/kernel"] = rng.normal(0, 1, (inputs, 1))
    halves = {name: values.astype(np.float16) for name, values in arrays.items()}
    axes = np.array([1, 2], np.int32)
    manifest = [
        *(
            {"name": name, "shape": values.shape, "dtype": "float32", "quantization": {"dtype": "float16"}}
            for name, values in halves.items()
        ),
        {"name": "global_pooling/Mean/reduction_indices", "shape": axes.shape, "dtype": "int32"},
    ]
    stored: list[np.ndarray] = [*halves.values(), axes]
    (folder / "faceres.bin").write_bytes(b"".join(values.tobytes() for values in stored))
    graph = {
        "modelTopology": {"node": _nodes()},
        "weightsManifest": [{"paths": ["faceres.bin"], "weights": manifest}],
    }
    path = folder / "faceres.json"
    path.write_text(json.dumps(graph), encoding="utf-8")
    return path


def _nodes() -> list[dict[str, Any]]:
    return [
        {
            "name": f"conv_dw_{number}/depthwise",
            "op": "DepthwiseConv2dNative",
            "attr": {"strides": {"list": {"i": ["1", str(stride), str(stride), "1"]}}},
        }
        for number, (_, stride) in enumerate(BLOCKS, start=1)
    ]
