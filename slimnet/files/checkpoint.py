"""Weights on disk: our .safetensors, and the original implementation's .pth files.

Only tensors and plain containers are ever unpickled.
"""

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

from slimnet.architecture import Architecture
from slimnet.attributes import label_names
from slimnet.calibration import Calibration
from slimnet.files.atomic import replacement
from slimnet.preprocessing import Preprocessing


class CheckpointError(ValueError):
    """A weights file is missing, damaged or not SlimNet's; the message says which and what to do."""


@dataclass(frozen=True)
class Checkpoint:
    """A network's weights, with everything needed to build it, feed it and judge its predictions.

    Attributes:
        architecture: what the network is built from.
        state: its state dict: the parameters, and batch norm's statistics.
        attributes: names of the outputs, in order; None if the file has none, as in the original's format.
        preprocessing: what turns a picture into its input.
        calibration: temperatures and reliability; None if they have not been measured, or the file's format has no
            place for them.
        provenance: how the weights were made, as training.train describes it, ready for JSON; None if unknown.

    Raises:
        CheckpointError: the calibration is for another number of attributes.
    """

    architecture: Architecture
    state: dict[str, Tensor]
    attributes: tuple[str, ...] | None
    preprocessing: Preprocessing
    calibration: Calibration | None = None
    provenance: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        classes = self.architecture.num_classes
        if self.calibration and len(self.calibration.temperatures) != classes:
            raise CheckpointError(
                f"the calibration is for {len(self.calibration.temperatures)} attributes, but the network has {classes}"
            )

    @property
    def metadata(self) -> dict[str, Any]:
        """Everything except the weights, ready for JSON; leaves out fields that are None."""
        described = asdict(replace(self, state={}))
        return {key: value for key, value in described.items() if key != "state" and value is not None}


def read(path: str | Path) -> Checkpoint:
    """Read a weights file onto the CPU.

    Args:
        path: .safetensors; a file with any other suffix is read in the original's format.

    Returns:
        The file's content; a file in the original's format gets the default preprocessing.

    Raises:
        CheckpointError: the file is missing, cannot be read, is damaged or not SlimNet's.
    """
    path = Path(path)
    try:
        is_there = path.is_file()
        if is_there:
            path.open("rb").close()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}") from error
    if not is_there:
        raise CheckpointError(f"there are no weights at {path}: check the path, or train some with training.train")
    reader = _read_safetensors if path.suffix.lower() == ".safetensors" else _read_original
    try:
        return reader(path)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error
    except Exception as error:  # parsers raise all kinds of errors on damaged files, some with unsafe advice
        if isinstance(error, MemoryError):
            raise CheckpointError(f"{path} cannot be read: there is too little memory") from error
        if isinstance(error, OSError) and error.errno:  # the disk's or the network's
            raise CheckpointError(f"{path} cannot be read: {error.strerror}") from error
        raise CheckpointError(
            f"{path} cannot be read as SlimNet weights; it is damaged or another program's ({type(error).__name__})"
        ) from error


def _read_safetensors(path: Path) -> Checkpoint:
    """Read our own format, and check the weights against their SHA-256."""
    if os.fsencode(path) != str(path).encode(errors="replace"):
        raise CheckpointError("its path is not UTF-8, which safetensors requires; rename it")
    with safe_open(path, framework="pt") as file:
        text = (file.metadata() or {}).get("slimnet")
        if text is None:
            raise CheckpointError("a safetensors file without SlimNet's metadata: another program's weights")
        metadata = json.loads(text)
        described = _described_by(metadata)
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    written = metadata.get("sha256")  # older files lack it
    if written is not None and written != weights_fingerprint(state):
        raise CheckpointError("damaged: its weights do not match their checksum; get the file again")
    return replace(described, state=state)


def _described_by(metadata: Mapping[str, Any]) -> Checkpoint:
    """Rebuild a checkpoint without weights from the JSON of Checkpoint.metadata.

    Raises:
        CheckpointError: no network can be built from it.
    """
    with _unusable("architecture"):
        architecture = _architecture_from(metadata["architecture"])
    with _unusable("preprocessing"):
        stored = metadata["preprocessing"]
        preprocessing = Preprocessing(stored["height"], stored["width"], tuple(stored["mean"]), tuple(stored["std"]))
    with _unusable("list of attributes"):
        if not isinstance(metadata["attributes"], list):
            raise TypeError("it is no list")
        attributes = tuple(metadata["attributes"])
    with _unusable("provenance"):
        provenance = metadata.get("provenance")
        if not isinstance(provenance, dict | None):
            raise TypeError("it is no JSON object")
    calibration = _calibration_from(metadata.get("calibration"))
    return Checkpoint(architecture, {}, attributes, preprocessing, calibration, provenance)


@contextmanager
def _unusable(part: str) -> Iterator[None]:
    """Turn the error that a wrong value raises into a CheckpointError that names its part of the metadata."""
    try:
        yield
    except KeyError as error:
        raise CheckpointError(f"its {part} is unusable: {error} is missing") from error
    except (TypeError, ValueError) as error:
        raise CheckpointError(f"its {part} is unusable: {error}") from error


def weights_fingerprint(state: Mapping[str, Tensor]) -> str:
    """SHA-256 of all weights, because safetensors notices truncated files, but not changed bytes.

    Args:
        state: name of a weight -> the weight.

    Returns:
        The hash in hexadecimal.
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(state.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        # As bytes, since NumPy lacks bfloat16; flat, since a single number has no axis to view as bytes.
        digest.update(tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _read_original(path: Path) -> Checkpoint:
    """Read the original implementation's format."""
    _check_archive(path)
    content = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(content, Mapping) or not {"hyper_params", "model_state_dict"} <= content.keys():
        raise CheckpointError("not a SlimNet checkpoint: hyper_params or model_state_dict is missing")
    state = dict(content["model_state_dict"])
    _check_tensors(state, path.stat().st_size)
    # The original stores a depth multiplier that it never used to build the network, so trust the shapes instead.
    squeezed = state["slim1.sse1.squeeze.0.weight"].shape[0]
    depth_multiplier = state["slim1.sse1.expand3_dw.0.weight"].shape[0] // squeezed
    with _unusable("hyper_params"):
        architecture = _architecture_from({**content["hyper_params"], "depth_multiplier": depth_multiplier})
    return Checkpoint(architecture, state, None, Preprocessing())


def _check_archive(path: Path) -> None:
    """Reject a compressed archive, which may unpack to any size, and wrong checksums, which torch.load ignores."""
    if not zipfile.is_zipfile(path):  # torch.save's old format
        return
    with zipfile.ZipFile(path) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > path.stat().st_size:
            raise CheckpointError("compressed, which torch never does; unpack it and save it with torch.save")
        if archive.testzip() is not None:
            raise CheckpointError("damaged: its contents do not match their checksum; get the file again")


def _check_tensors(state: Mapping[Any, Any], file_bytes: int) -> None:
    """Reject values that are not dense tensors, and views that claim more memory than the file has bytes."""
    for name, value in state.items():
        if not isinstance(name, str) or not isinstance(value, Tensor) or value.layout != torch.strided or value.is_meta:
            raise CheckpointError(f"damaged or another program's: its {shortened(name)} is not an array of weights")
    if sum(value.numel() * value.element_size() for value in state.values()) > file_bytes:
        raise CheckpointError("damaged or malicious: its weights claim to be larger than the file")


def _architecture_from(values: Mapping[str, Any]) -> Architecture:
    """Rebuild an architecture from JSON, or from the original's hyper-parameters."""
    return Architecture(
        tuple(values["filter_count_values"]),
        tuple(values["initial_conv"]),
        values["num_classes"],
        values["depth_multiplier"],
    )


def _calibration_from(values: Mapping[str, Any] | None) -> Calibration | None:
    """Rebuild a calibration from JSON; raises CheckpointError if it is unusable."""
    try:
        return None if values is None else Calibration.from_json(values)
    except (OverflowError, ValueError) as error:
        raise CheckpointError(f"its calibration is unusable ({error}): run training.calibrate again") from error


def write(path: str | Path, checkpoint: Checkpoint) -> None:
    """Write a weights file atomically.

    Args:
        path: .safetensors, or .pth for the original's format, which keeps only the weights and the architecture.
        checkpoint: what to write; its weights may be on any device.

    Raises:
        ValueError: the path has another suffix, or the attributes cannot have these names.
        OSError: the file cannot be written.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in (".safetensors", ".pth"):
        raise ValueError(f"weights are saved as .safetensors or .pth, not as {path.name}")
    with replacement(path) as part:
        if suffix == ".safetensors":
            names = label_names(checkpoint.architecture.num_classes, checkpoint.attributes)
            described = {**checkpoint.metadata, "attributes": names, "sha256": weights_fingerprint(checkpoint.state)}
            save_tensors(part, checkpoint.state, {"slimnet": json.dumps(described)})
        else:
            hyper_params = asdict(checkpoint.architecture)
            content = io.BytesIO()  # writing to a file, torch would hide why it fails
            torch.save({"hyper_params": hyper_params, "model_state_dict": checkpoint.state}, content)
            part.write_bytes(content.getbuffer())


def save_tensors(path: str | Path, state: Mapping[str, Tensor], metadata: dict[str, str]) -> None:
    """Write a safetensors file, not atomically.

    Args:
        path: the file to write.
        state: tensors by name, on any device.
        metadata: of the file.

    Raises:
        OSError: the file cannot be written.
    """
    try:
        save_file({name: tensor.contiguous() for name, tensor in state.items()}, path, metadata=metadata)
    except SafetensorError as error:  # raised on a full disk
        raise OSError(str(error)) from error
