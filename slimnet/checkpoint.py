"""Weights on disk: our .safetensors, and .pth files of the original implementation's form. Nothing is ever unpickled
but tensors and plain containers."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from slimnet.calibration import Calibration
from slimnet.preprocessing import Preprocessing

LARGEST = 65_536  # of any number in an architecture: a foreign file must not make us allocate without end


class CheckpointError(ValueError):
    """A weights file is missing, damaged or foreign; the message says which and what to do."""


@dataclass(frozen=True)
class Architecture:
    """What SlimNet is built from; the field names are those of the original checkpoints' hyper-parameters.

    Raises ValueError when a number is not a whole one from 1 to LARGEST.
    """

    filter_count_values: tuple[int, ...]
    initial_conv: tuple[int, ...]
    num_classes: int
    depth_multiplier: int

    def __post_init__(self) -> None:
        if len(self.initial_conv) != 3:
            raise ValueError(f"initial_conv is (filters, size, stride), got {self.initial_conv}")
        for name, value in asdict(self).items():
            values = value if isinstance(value, tuple) else (value,)
            if not values or any(type(v) is not int or not 1 <= v <= LARGEST for v in values):
                raise ValueError(f"{name} takes whole numbers from 1 to {LARGEST}, got {value!r}")


@dataclass(frozen=True)
class Checkpoint:
    """A network's weights with all that is needed to build and feed it, and to trust it.

    attributes and calibration are None where the file has none. Raises CheckpointError when the calibration is for
    another number of attributes.
    """

    architecture: Architecture
    state: dict[str, Tensor]
    attributes: tuple[str, ...] | None
    preprocessing: Preprocessing
    calibration: Calibration | None = None

    def __post_init__(self) -> None:
        classes = self.architecture.num_classes
        if self.calibration and len(self.calibration.temperatures) != classes:
            raise CheckpointError(
                f"the calibration is of {len(self.calibration.temperatures)} attributes, the network has {classes}"
            )

    @property
    def metadata(self) -> dict[str, Any]:
        """All but the weights, ready for JSON; without a key for what is None."""
        described = asdict(replace(self, state={}))
        return {key: value for key, value in described.items() if key != "state" and value is not None}


def read(path: str | Path) -> Checkpoint:
    """Read a weights file of either form, told apart by its suffix, onto the CPU.

    Raises CheckpointError when it is missing, damaged or not a SlimNet.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"there are no weights at {path}: check the path, or train some with training.train")
    reader = read_safetensors if path.suffix == ".safetensors" else read_original
    try:
        return reader(path)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error
    except Exception as error:  # what a damaged file raises is up to its parser, which may give unsafe advice as well
        raise CheckpointError(
            f"{path} cannot be read as SlimNet weights; it is damaged or of another program ({type(error).__name__})"
        ) from error


def read_safetensors(path: Path) -> Checkpoint:
    with safe_open(path, framework="pt") as file:
        text = (file.metadata() or {}).get("slimnet")
        if text is None:
            raise CheckpointError("a safetensors file without SlimNet's metadata: another program's weights")
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    metadata = json.loads(text)
    written = metadata.get("sha256")  # which older files lack
    if written is not None and written != fingerprint(state):
        raise CheckpointError("damaged: its weights are no longer those that were written; get the file anew")
    stored = metadata["preprocessing"]
    preprocessing = Preprocessing(stored["height"], stored["width"], tuple(stored["mean"]), tuple(stored["std"]))
    return Checkpoint(
        architecture_from(metadata["architecture"]),
        state,
        tuple(metadata["attributes"]),
        preprocessing,
        calibration_from(metadata.get("calibration")),
    )


def fingerprint(state: Mapping[str, Tensor]) -> str:
    """The sha256 of all weights: safetensors itself notices a file that is cut, but not one that was overwritten."""
    digest = hashlib.sha256()
    for name, tensor in sorted(state.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        # As bytes, since NumPy knows no bfloat16; flat, since a single number has no axis to view in bytes.
        digest.update(tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def read_original(path: Path) -> Checkpoint:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if archive.testzip() is not None:  # torch.load does not look at the checksums
                raise CheckpointError("damaged: what it holds is no longer what was written; get the file anew")
    content = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(content, Mapping) or not {"hyper_params", "model_state_dict"} <= content.keys():
        raise CheckpointError("not a SlimNet checkpoint: hyper_params or model_state_dict is missing")
    state = dict(content["model_state_dict"])
    for name, value in state.items():
        if not isinstance(name, str) or not isinstance(value, Tensor) or value.layout != torch.strided or value.is_meta:
            raise CheckpointError(f"damaged or of another program: its {name!r} is no array of weights")
    # The original stores a depth multiplier that it never used to build the network; the shapes tell the truth.
    squeezed = state["slim1.sse1.squeeze.0.weight"].shape[0]
    depth_multiplier = state["slim1.sse1.expand3_dw.0.weight"].shape[0] // squeezed
    architecture = architecture_from({**content["hyper_params"], "depth_multiplier": depth_multiplier})
    return Checkpoint(architecture, state, None, Preprocessing())


def architecture_from(values: Mapping[str, Any]) -> Architecture:
    return Architecture(
        tuple(values["filter_count_values"]),
        tuple(values["initial_conv"]),
        values["num_classes"],
        values["depth_multiplier"],
    )


def calibration_from(values: Mapping[str, Any] | None) -> Calibration | None:
    try:
        return None if values is None else Calibration.from_json(values)
    except ValueError as error:
        raise CheckpointError(f"its calibration is unusable ({error}): make it anew by training.calibrate") from error


def write(path: str | Path, checkpoint: Checkpoint) -> None:
    """Write a weights file by its suffix, .safetensors or .pth, so that a reader sees the old file or the new one.

    Raises ValueError for another suffix, OSError where it cannot be written.
    """
    path = Path(path)
    if path.suffix not in (".safetensors", ".pth"):
        raise ValueError(f"weights are saved as .safetensors or .pth, not as {path.name}")
    handle, part = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(handle)
    try:
        if path.suffix == ".safetensors":
            save_file(
                {name: tensor.contiguous() for name, tensor in checkpoint.state.items()},
                part,
                metadata={"slimnet": json.dumps({**checkpoint.metadata, "sha256": fingerprint(checkpoint.state)})},
            )
        else:
            hyper_params = asdict(checkpoint.architecture)
            torch.save({"hyper_params": hyper_params, "model_state_dict": checkpoint.state}, part)
        Path(part).chmod(0o644)  # mkstemp makes it private; weights are read like any other file
        Path(part).replace(path)
    except (RuntimeError, SafetensorError) as error:  # what torch and safetensors raise on a full disk
        raise OSError(f"{path} cannot be written: {error}") from error
    finally:
        Path(part).unlink(missing_ok=True)


__all__ = ["Architecture", "Checkpoint", "CheckpointError", "read", "write"]
