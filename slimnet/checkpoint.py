"""Weights on disk: our .safetensors, and .pth files of the original implementation's form. Nothing is ever unpickled
but tensors and plain containers."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from reprlib import repr as shortened
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from slimnet.atomic import replacement
from slimnet.calibration import Calibration
from slimnet.preprocessing import MAX_SIDE_PIXELS, Preprocessing

# A foreign file must not make us build or allocate without end. Training goes by the same bounds.
MAX_SLIM_MODULES = 8  # each halves the map, and 9 would need crops of 2,047 pixels; the paper has 4
MAX_FILTERS = 4096  # of the first convolution and of each Slim module; the paper's have 16 to 96
MAX_CLASSES = 65_536
MAX_DEPTH_MULTIPLIER = 64


class CheckpointError(ValueError):
    """A weights file is missing, damaged or foreign; the message says which and what to do."""


@dataclass(frozen=True)
class Architecture:
    """What SlimNet is built from; the field names are those of the original checkpoints' hyper-parameters.

    Raises ValueError when a number is not a whole one from 1 to its bound above.
    """

    filter_count_values: tuple[int, ...]
    initial_conv: tuple[int, ...]
    num_classes: int
    depth_multiplier: int

    def __post_init__(self) -> None:
        if len(self.initial_conv) != 3:
            raise ValueError(f"initial_conv is (filters, size, stride), got {shortened(self.initial_conv)}")
        if not 1 <= len(self.filter_count_values) <= MAX_SLIM_MODULES:
            raise ValueError(
                f"filter_count_values is of 1 to {MAX_SLIM_MODULES} Slim modules, got {len(self.filter_count_values)}"
            )
        filters, size, stride = self.initial_conv
        bounds = (
            ("filter_count_values", self.filter_count_values, MAX_FILTERS),
            ("initial_conv's filters", (filters,), MAX_FILTERS),
            ("initial_conv's size and stride", (size, stride), MAX_SIDE_PIXELS),
            ("num_classes", (self.num_classes,), MAX_CLASSES),
            ("depth_multiplier", (self.depth_multiplier,), MAX_DEPTH_MULTIPLIER),
        )
        for name, values, most in bounds:
            for value in values:
                if type(value) is not int or not 1 <= value <= most:
                    raise ValueError(f"{name}: whole numbers from 1 to {most} are taken, got {shortened(value)}")


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
    if os.fsencode(path) != str(path).encode(errors="replace"):
        raise CheckpointError("its path is not UTF-8, as the library safetensors needs it; rename it")
    with safe_open(path, framework="pt") as file:
        text = (file.metadata() or {}).get("slimnet")
        if text is None:
            raise CheckpointError("a safetensors file without SlimNet's metadata: another program's weights")
        metadata = json.loads(text)
        described = described_by(metadata)
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    written = metadata.get("sha256")  # which older files lack
    if written is not None and written != fingerprint(state):
        raise CheckpointError("damaged: its weights are no longer those that were written; get the file anew")
    return replace(described, state=state)


def described_by(metadata: Mapping[str, Any]) -> Checkpoint:
    """A checkpoint of all but the weights. Raises CheckpointError for what no network can be built from."""
    with unusable("architecture"):
        architecture = architecture_from(metadata["architecture"])
    with unusable("preprocessing"):
        stored = metadata["preprocessing"]
        preprocessing = Preprocessing(stored["height"], stored["width"], tuple(stored["mean"]), tuple(stored["std"]))
    with unusable("list of attributes"):
        if not isinstance(metadata["attributes"], list):
            raise TypeError("it is no list")
        attributes = tuple(metadata["attributes"])
    return Checkpoint(architecture, {}, attributes, preprocessing, calibration_from(metadata.get("calibration")))


@contextmanager
def unusable(part: str) -> Iterator[None]:
    """Turn what a wrong value raises into a CheckpointError that names the part of the metadata where it stands."""
    try:
        yield
    except KeyError as error:
        raise CheckpointError(f"its {part} is unusable: {error} is missing") from error
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"its {part} is unusable: {error}") from error


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
            if sum(entry.file_size for entry in archive.infolist()) > path.stat().st_size:
                raise CheckpointError("compressed, as torch never writes it; unpack it and save it by torch.save")
            if archive.testzip() is not None:  # torch.load does not look at the checksums
                raise CheckpointError("damaged: what it holds is no longer what was written; get the file anew")
    content = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(content, Mapping) or not {"hyper_params", "model_state_dict"} <= content.keys():
        raise CheckpointError("not a SlimNet checkpoint: hyper_params or model_state_dict is missing")
    state = dict(content["model_state_dict"])
    for name, value in state.items():
        if not isinstance(name, str) or not isinstance(value, Tensor) or value.layout != torch.strided or value.is_meta:
            raise CheckpointError(f"damaged or of another program: its {shortened(name)} is no array of weights")
    if sum(value.numel() * value.element_size() for value in state.values()) > path.stat().st_size:
        raise CheckpointError("damaged or made to mislead: its weights claim to be larger than the file")
    # The original stores a depth multiplier that it never used to build the network; the shapes tell the truth.
    squeezed = state["slim1.sse1.squeeze.0.weight"].shape[0]
    depth_multiplier = state["slim1.sse1.expand3_dw.0.weight"].shape[0] // squeezed
    with unusable("hyper_params"):
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
    except (OverflowError, ValueError) as error:
        raise CheckpointError(f"its calibration is unusable ({error}): make it anew by training.calibrate") from error


def write(path: str | Path, checkpoint: Checkpoint) -> None:
    """Write a weights file by its suffix, .safetensors or .pth, so that a reader sees the old file or the new one.

    Raises ValueError for another suffix, OSError where it cannot be written.
    """
    path = Path(path)
    if path.suffix not in (".safetensors", ".pth"):
        raise ValueError(f"weights are saved as .safetensors or .pth, not as {path.name}")
    with replacement(path) as part:
        if path.suffix == ".safetensors":
            try:
                save_file(
                    {name: tensor.contiguous() for name, tensor in checkpoint.state.items()},
                    part,
                    metadata={"slimnet": json.dumps({**checkpoint.metadata, "sha256": fingerprint(checkpoint.state)})},
                )
            except SafetensorError as error:  # what it raises on a full disk
                raise OSError(str(error)) from error
        else:
            hyper_params = asdict(checkpoint.architecture)
            content = io.BytesIO()  # in a file torch hides the reason why it cannot be written
            torch.save({"hyper_params": hyper_params, "model_state_dict": checkpoint.state}, content)
            part.write_bytes(content.getbuffer())


__all__ = ["Architecture", "Checkpoint", "CheckpointError", "read", "write"]
