"""Predictor: the fast way from crops to probabilities."""

import hashlib
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import nn

from slimnet.device import choose_device
from slimnet.files.checkpoint import CheckpointError
from slimnet.inference import Inference
from slimnet.model import SlimNet

PROBABILITY_TOLERANCE = 1e-3  # engines normally agree to 1e-6


class Network(Protocol):
    """A network with the engine that computes it."""

    @property
    def device(self) -> torch.device:
        """The device that it is computed on."""

    @property
    def engine(self) -> str:
        """The engine's name."""

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        """Compute probabilities.

        Args:
            crops: uint8 RGB (N, height, width, 3).

        Returns:
            float32 (N, attributes), 0 to 1.
        """


@dataclass(frozen=True)
class TorchNetwork:
    """A Network that torch computes.

    Attributes:
        module: slimnet.inference.Inference, on the device.
        device: the device that it is computed on.
        engine: name of the engine.
    """

    module: nn.Module
    device: torch.device
    engine: str = "torch"

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        """Compute probabilities.

        Args:
            crops: uint8 RGB (N, height, width, 3).

        Returns:
            float32 (N, attributes), 0 to 1.
        """
        with torch.inference_mode():
            # from_numpy needs writable, positively strided memory; only crops without it are copied.
            tensor = torch.from_numpy(np.require(crops, requirements=["C", "W"])).to(self.device)
            _, probabilities = self.module(tensor)
            return probabilities.cpu().numpy()


class Predictor:
    """Probabilities of every attribute for aligned crops; safe to call from several threads.

    Batch norm is folded into the convolutions. On a CPU the engine is ONNX Runtime where it is installed, which is
    twice as fast there as torch. torch's number of threads is left alone. If the device fails, the CPU takes over, with
    a RuntimeWarning.

    Args:
        path: weights, as SlimNet.load_pretrained reads them.
        device: as slimnet.choose_device takes it; None or "auto" for CUDA, then MPS, then the CPU.

    Attributes:
        path: the weights' file.
        sha256: of that file, in hexadecimal: which weights gave an answer.
        attributes: names of the attributes, in the order of the probabilities.
        preprocessing: the network's own; its normalisation is already folded in.
        calibration: the weights' own, or None; its temperatures are already applied to the probabilities.
        parameters: number of the network's parameters.
        height: of a crop, in pixels.
        width: of a crop, in pixels.

    Raises:
        CheckpointError: the weights cannot be read, or give probabilities that are not finite.
        ValueError: there is no kind of device by that name.
    """

    def __init__(self, path: str | Path, device: str | None = None) -> None:
        model = SlimNet.load_pretrained(path)
        self.path = Path(path)
        self.sha256 = hashlib.sha256(self.path.read_bytes()).hexdigest()
        self.attributes = model.attributes
        self.preprocessing = model.preprocessing
        self.calibration = model.calibration
        self.parameters = sum(parameter.numel() for parameter in model.parameters())
        self.height, self.width = model.preprocessing.height, model.preprocessing.width
        # A copy stays on the CPU: a device that has failed may not give its weights back.
        try:
            self._on_cpu = _network_on_cpu(model)
        except CheckpointError as error:
            raise CheckpointError(f"{path}: {error}") from error
        self._network = self._on_cpu
        chosen = choose_device(device)
        if chosen.type != "cpu":
            try:
                self._network = TorchNetwork(Inference(model).to(chosen), chosen)
                self._network(np.zeros((1, self.height, self.width, 3), np.uint8))
            except RuntimeError as error:
                self._fall_back(chosen, error)

    @property
    def device(self) -> torch.device:
        """The device that the network is computed on now."""
        return self._network.device

    @property
    def engine(self) -> str:
        """The engine that computes it now: "ONNX Runtime" or "torch"."""
        return self._network.engine

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        """Compute probabilities.

        Args:
            crops: uint8 RGB (N, height, width, 3); N may be 0.

        Returns:
            float32 (N, attributes), 0 to 1.

        Raises:
            ValueError: the crops have another shape or type.
            MemoryError: the engine has too little memory.
            RuntimeError: the engine failed on the CPU.
        """
        expected = (self.height, self.width, 3)
        if not isinstance(crops, np.ndarray) or crops.dtype != np.uint8 or crops.shape[1:] != expected:
            got = f"{crops.dtype} {crops.shape}" if isinstance(crops, np.ndarray) else type(crops).__name__
            raise ValueError(f"expected uint8 RGB crops of shape (N, {self.height}, {self.width}, 3), got {got}")
        if not len(crops):
            return np.zeros((0, len(self.attributes)), np.float32)
        network = self._network  # read once: another thread may fall back at any time
        try:
            return network(crops)
        except RuntimeError as error:
            if network is self._on_cpu:
                raise
            self._fall_back(network.device, error)
            return self._on_cpu(crops)

    def _fall_back(self, failed: torch.device, error: RuntimeError) -> None:
        """Go on with the CPU, with a RuntimeWarning."""
        self._network = self._on_cpu
        warnings.warn(f"{failed} failed ({error}); going on with the CPU", RuntimeWarning, stacklevel=3)


def _network_on_cpu(model: SlimNet) -> Network:
    """Choose ONNX Runtime where it is installed and agrees with torch on a random crop, else torch.

    Raises:
        CheckpointError: the probabilities are not finite.
    """
    plain = TorchNetwork(Inference(model), torch.device("cpu"))
    size = model.preprocessing.height, model.preprocessing.width
    crop = np.random.default_rng(0).integers(0, 256, (1, *size, 3), np.uint8)
    expected = plain(crop)
    if not np.isfinite(expected).all():
        raise CheckpointError("its weights are damaged: they are so large that its answers are not finite")
    try:
        from slimnet.onnx.engine import OnnxNetwork
    except ImportError:
        return plain
    fast = OnnxNetwork(model)
    if np.allclose(fast(crop), expected, atol=PROBABILITY_TOLERANCE):
        return fast
    # Its graph is written by hand (slimnet.onnx.graph), and a model that was changed may have left it behind.
    warnings.warn("ONNX Runtime's answers differ from torch's; going on with torch", RuntimeWarning, stacklevel=3)
    return plain
