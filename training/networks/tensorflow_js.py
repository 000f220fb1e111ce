"""TensorFlow.js graph models: a JSON file with nodes and a list of weights, whose bytes are in files beside it."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from slimnet import CheckpointError

_TYPES = {"float32": np.float32, "float16": np.float16, "int32": np.int32}


@dataclass(frozen=True)
class GraphModel:
    """A graph model.

    Args:
        nodes: Each node's description by name: its operation "op", and its attributes "attr" as in the file.
        weights: Arrays by name, float32 or int32.
    """

    nodes: dict[str, dict[str, Any]]
    weights: dict[str, np.ndarray]


def read_graph_model(path: str | Path) -> GraphModel:
    """Read a graph model.

    Args:
        path: Its JSON file; the files of weights are in the same folder.

    Returns:
        The model; weights stored in half precision become float32.

    Raises:
        CheckpointError: A file is missing or damaged, or weights are stored in a form other than these types.
    """
    path = Path(path)
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
        nodes = {node["name"]: node for node in described["modelTopology"]["node"]}
        weights: dict[str, np.ndarray] = {}
        for group in described["weightsManifest"]:
            content = b"".join((path.parent / name).read_bytes() for name in group["paths"])
            weights |= _arrays(group["weights"], content)
    except OSError as error:
        raise CheckpointError(f"{path} needs files that cannot be read: {error}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read as a TensorFlow.js graph model ({error})") from error
    return GraphModel(nodes, weights)


def _arrays(described: list[dict[str, Any]], content: bytes) -> dict[str, np.ndarray]:
    """Cut the bytes of weights, which follow each other without gaps, into arrays.

    Raises:
        ValueError: There are more or fewer bytes than described.
    """
    found = {}
    start = 0
    for weight in described:
        stored = _TYPES[weight.get("quantization", weight)["dtype"]]
        count = math.prod(weight["shape"])
        values = np.frombuffer(content, stored, count, start).reshape(weight["shape"])
        found[weight["name"]] = values.astype(_TYPES[weight["dtype"]])
        start += values.nbytes
    if start != len(content):
        raise ValueError(f"{len(content):,} bytes of weights for {start:,}")
    return found
