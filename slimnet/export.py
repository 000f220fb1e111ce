"""Write the network for other programs: `python -m slimnet.export --out slimnet.onnx` (or slimnet.pt2).

Both files take any number of uint8 RGB crops (batch, height, width, 3), and give logits and calibrated probabilities,
float32 (batch, attributes). Normalisation, batch norm and temperatures are inside, so no other program can get them
wrong. The .onnx also gives the maps that explain the answers (slimnet.onnx.graph). Both contain names,
sizes, normalisation and calibration as JSON: under the metadata key "slimnet" of the .onnx, in the extra file
"slimnet.json" of the .pt2.
"""

import argparse
import copy
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from slimnet.files.atomic import replacement
from slimnet.files.checkpoint import CheckpointError
from slimnet.inference import Inference
from slimnet.model import SlimNet
from slimnet.paths import WEIGHTS


class ExportError(RuntimeError):
    """The network can't be written in this format; the message says what to do."""


def export_onnx(model: SlimNet, path: str | Path) -> None:
    """Write an ONNX file, whole or not at all.

    Args:
        model: the network, on any device and of any precision; it is not changed.
        path: the file to write, in float32; see slimnet.onnx.graph for its content.

    Raises:
        ExportError: the package onnx is missing.
        CheckpointError: as for `SlimNet.to_checkpoint`.
        OSError: the file cannot be written.
    """
    try:
        from slimnet.onnx.graph import onnx_model
    except ImportError as error:
        raise ExportError(f"writing .onnx needs the package onnx ({error}): pip install -r requirements.txt") from error
    model = copy.deepcopy(model).cpu().float()
    content = onnx_model(Inference(model)).SerializeToString()
    with replacement(path) as part:
        part.write_bytes(content)


def export_torch(model: SlimNet, path: str | Path) -> None:
    """Write a torch.export archive, whole or not at all.

    Args:
        model: the network, on any device and of any precision; it is not changed.
        path: the file to write, in float32; `torch.export.load(path).module()(crops)` gives logits and probabilities.

    Raises:
        CheckpointError: as for `SlimNet.to_checkpoint`.
        OSError: the file cannot be written.
    """
    model = copy.deepcopy(model).cpu().float()
    height, width = model.preprocessing.height, model.preprocessing.width
    example = torch.zeros((2, height, width, 3), dtype=torch.uint8)  # torch would take a batch of 1 for a constant
    batch = torch.export.Dim("batch", min=1)
    inference = Inference(model).to(memory_format=torch.contiguous_format)  # torch warns about weights in other formats
    program = torch.export.export(inference, (example,), dynamic_shapes={"crops": {0: batch}})
    metadata = json.dumps(model.to_checkpoint().metadata)
    content = io.BytesIO()  # if torch wrote to the file, it would hide why it fails
    torch.export.save(program, content, extra_files={"slimnet.json": metadata})
    with replacement(path) as part:
        part.write_bytes(content.getbuffer())


_FORMS = {".onnx": export_onnx, ".pt2": export_torch}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: without the program's name; None for the program's own.

    Returns:
        The exit status: 0, or 1 if the network cannot be read or written.
    """
    parser = argparse.ArgumentParser("python -m slimnet.export", description="Write the network for other programs.")
    parser.add_argument(
        "--weights", type=Path, default=WEIGHTS, help=".safetensors or .pth (default: the shipped ones, %(default)s)"
    )
    parser.add_argument("--out", type=Path, required=True, help="the file to write: .onnx, or .pt2 for torch.export")
    asked = parser.parse_args(arguments)
    suffix = asked.out.suffix.lower()
    if suffix not in _FORMS:
        parser.error(f"--out must end in {' or '.join(_FORMS)}, got {asked.out.name}")
    try:
        _FORMS[suffix](SlimNet.load_pretrained(asked.weights), asked.out)
    except (CheckpointError, ExportError) as error:
        print(f"slimnet.export: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"slimnet.export: {asked.out} cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    name = str(asked.out).encode(errors="backslashreplace").decode()  # the name need not be UTF-8
    print(f"{name}: {asked.out.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
