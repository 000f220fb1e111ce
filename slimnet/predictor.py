"""Predictor: the fast way from crops to probabilities."""

import hashlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

from slimnet.device import EXACT_CONVOLUTIONS, choose_device
from slimnet.explain import Explanation, cells
from slimnet.files.checkpoint import CheckpointError
from slimnet.inference import Inference
from slimnet.model import SlimNet

_Result = TypeVar("_Result")
PROBABILITY_TOLERANCE = 1e-3  # engines normally agree to 1e-6
# A call may bring any number of crops. All at once could fill a GPU's memory, after which the CPU would do all work.
# The largest feature map of this many takes 0.9 GB.
_BATCH_CROPS = 256
_BATCH_FINE_MAPS = 32  # fine maps take some 3 MB a crop if all attributes are explained


class Network(Protocol):
    """A network and the engine that runs it."""

    @property
    def device(self) -> torch.device:
        """The device that it runs on."""

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

    def maps(self, crops: np.ndarray) -> np.ndarray:
        """Divide the log-odds of the probabilities among the places of the crops.

        Args:
            crops: uint8 RGB (N, height, width, 3).

        Returns:
            float32 (N, attributes, h, w), as in slimnet.explain.Explanation.
        """

    def with_features(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Compute probabilities, and the features that explain them.

        Args:
            crops: uint8 RGB (N, height, width, 3).

        Returns:
            As slimnet.inference.Inference.with_features.
        """


@dataclass(frozen=True)
class TorchNetwork:
    """A Network that runs on torch.

    Attributes:
        module: the folded network, on the device.
        device: the device that it runs on.
        engine: name of the engine.
    """

    module: Inference
    device: torch.device
    engine: str = "torch"

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        """Compute probabilities.

        Args:
            crops: uint8 RGB (N, height, width, 3).

        Returns:
            float32 (N, attributes), 0 to 1.
        """
        with torch.inference_mode(), self._exact():
            return np.concatenate([self.module(batch)[1].cpu().numpy() for batch in self._batches(crops)])

    def maps(self, crops: np.ndarray) -> np.ndarray:
        """Divide the log-odds of the probabilities among the places of the crops.

        Args:
            crops: uint8 RGB (N, height, width, 3).

        Returns:
            float32 (N, attributes, h, w), as in slimnet.explain.Explanation.
        """
        with self._exact():
            return np.concatenate([self.module.maps(batch).cpu().numpy() for batch in self._batches(crops)])

    def with_features(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Compute probabilities, and the features that explain them.

        Args:
            crops: uint8 RGB (N, height, width, 3).

        Returns:
            As slimnet.inference.Inference.with_features.
        """
        with torch.inference_mode(), self._exact():
            found = [
                tuple(tensor.cpu().numpy() for tensor in self.module.with_features(batch))
                for batch in self._batches(crops)
            ]
        probabilities, features = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return probabilities, features

    def _exact(self) -> AbstractContextManager[None]:
        return EXACT_CONVOLUTIONS if self.device.type == "cuda" else nullcontext()

    def _batches(self, crops: np.ndarray) -> Iterator[Tensor]:
        """The crops on the device, at most `_BATCH_CROPS` at a time."""
        for start in range(0, len(crops), _BATCH_CROPS):
            # from_numpy needs writable memory with positive strides; other crops are copied.
            batch = np.require(crops[start : start + _BATCH_CROPS], requirements=["C", "W"])
            yield torch.from_numpy(batch).to(self.device)


class Predictor:
    """Probabilities of every attribute for aligned crops; safe to call from several threads.

    Batch norm is folded into the convolutions. On a CPU the engine is ONNX Runtime, if installed, which is twice as
    fast there as torch. torch's number of threads is not changed. If the device fails, the CPU takes over, with a
    RuntimeWarning.

    Args:
        path: weights, as for SlimNet.load_pretrained.
        device: as for slimnet.choose_device; None or "auto" for CUDA, then MPS, then the CPU.

    Attributes:
        path: the weights' file.
        sha256: of that file, in hexadecimal, to say which weights gave an answer.
        attributes: names of the attributes, in the order of the probabilities.
        preprocessing: of the network; its normalisation is already folded in.
        calibration: of the weights, or None; its temperatures are already applied to the probabilities.
        parameters: number of the network's parameters.
        height: of a crop, in pixels.
        width: of a crop, in pixels.

    Raises:
        CheckpointError: the weights cannot be read, or give probabilities that are not finite.
        ValueError: there is no kind of device by that name.
    """

    @torch.inference_mode(mode=False)  # weights made in inference mode could not be used for fine maps later
    def __init__(self, path: str | Path, device: str | None = None) -> None:
        model = SlimNet.load_pretrained(path)
        self.path = Path(path)
        self.sha256 = hashlib.sha256(self.path.read_bytes()).hexdigest()
        self.attributes = model.attributes
        self.preprocessing = model.preprocessing
        self.calibration = model.calibration
        self.parameters = sum(parameter.numel() for parameter in model.parameters())
        self.height, self.width = model.preprocessing.height, model.preprocessing.width
        # Keep a copy on the CPU, since a failed device may not give its weights back.
        self._torch_on_cpu = TorchNetwork(Inference(model), torch.device("cpu"))
        self._bias = (self._torch_on_cpu.module.network.fc.bias / self._torch_on_cpu.module.temperatures).numpy()
        self._bias.setflags(write=False)  # every explanation holds it
        self._cells, self._fine_cells = cells(model), cells(model, refine=True)
        try:
            self._on_cpu = _network_on_cpu(self._torch_on_cpu)
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
        """The device that the network runs on now."""
        return self._network.device

    @property
    def engine(self) -> str:
        """The engine that runs it now: "ONNX Runtime" or "torch"."""
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
        self._check(crops)
        if not len(crops):
            return np.zeros((0, len(self.attributes)), np.float32)
        return self._compute(lambda network: network(crops))

    def explain(self, crops: np.ndarray, refine: bool = False) -> Explanation:
        """Say which places in crops spoke for and against each attribute.

        This gives the probabilities, too, and unless refined takes hardly longer than these alone.

        Args:
            crops: uint8 RGB (N, height, width, 3); N may be 0.
            refine: whether to use 12x9 cells instead of 5x4 in CelebA's crops. `explain_features` does so for single
                attributes.

        Returns:
            Maps and bias in log-odds, which add up to the crops' probabilities.

        Raises:
            ValueError: the crops have another shape or type.
            MemoryError: the engine has too little memory.
            RuntimeError: the engine failed on the CPU.
        """
        self._check(crops)
        if not len(crops):
            where = self._fine_cells if refine else self._cells
            shape = (0, len(self.attributes), len(where.rows) - 1, len(where.columns) - 1)
            return Explanation(np.zeros(shape, np.float32), self._bias, where)
        if refine:
            _, features = self.with_features(crops)
            return self.explain_features(features, range(len(self.attributes)))
        return Explanation(self._compute(lambda network: network.maps(crops)), self._bias, self._cells)

    def with_features(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Compute probabilities like a call, and keep what `explain_features` needs; takes no longer.

        Args:
            crops: uint8 RGB (N, height, width, 3), at least one.

        Returns:
            Probabilities, float32 (N, attributes), and features, float32 (N, channels, h, w).

        Raises:
            ValueError: the crops have another shape or type.
            MemoryError: the engine has too little memory.
            RuntimeError: the engine failed on the CPU.
        """
        self._check(crops)
        return self._compute(lambda network: network.with_features(crops))

    def explain_features(self, features: np.ndarray, attributes: Sequence[int]) -> Explanation:
        """Say which places spoke for and against some attributes, in fine maps.

        Args:
            features: float32 (N, channels, h, w), from `with_features`.
            attributes: indices of the attributes to explain, at least one; each takes torch some 2 ms per crop on the
                CPU.

        Returns:
            Maps and bias of these attributes, in order.
        """
        explain = self._torch_on_cpu.module.explain_features
        batches = torch.from_numpy(features).split(_BATCH_FINE_MAPS)
        maps = [explain(batch, attributes).maps.numpy() for batch in batches]
        return Explanation(np.concatenate(maps), self._bias[list(attributes)], self._fine_cells)

    def _check(self, crops: np.ndarray) -> None:
        """Raise a ValueError unless these are crops."""
        expected = (self.height, self.width, 3)
        if not isinstance(crops, np.ndarray) or crops.dtype != np.uint8 or crops.shape[1:] != expected:
            got = f"{crops.dtype} {crops.shape}" if isinstance(crops, np.ndarray) else type(crops).__name__
            raise ValueError(f"expected uint8 RGB crops of shape (N, {self.height}, {self.width}, 3), got {got}")

    def _compute(self, function: Callable[[Network], _Result]) -> _Result:
        """Call a function on the network; if its device fails, on the CPU, and from then on unless it only was full."""
        network = self._network  # read once: another thread may fall back at any time
        try:
            return function(network)
        except torch.OutOfMemoryError:  # another program may have taken the memory for a moment
            warnings.warn(f"{network.device} is out of memory; the CPU does this call", RuntimeWarning, stacklevel=3)
            return function(self._on_cpu)
        except RuntimeError as error:
            if network is self._on_cpu:
                raise
            self._fall_back(network.device, error)
            return function(self._on_cpu)

    def _fall_back(self, failed: torch.device, error: RuntimeError) -> None:
        """Fall back to the CPU, with a RuntimeWarning."""
        self._network = self._on_cpu
        warnings.warn(f"{failed} failed ({error}); going on with the CPU", RuntimeWarning, stacklevel=3)


def _network_on_cpu(plain: TorchNetwork) -> Network:
    """Choose ONNX Runtime if it is installed and agrees with torch on a random crop, else torch.

    Raises:
        CheckpointError: the probabilities are not finite.
    """
    preprocessing = plain.module.network.preprocessing
    size = preprocessing.height, preprocessing.width
    crop = np.random.default_rng(0).integers(0, 256, (1, *size, 3), np.uint8)
    expected = plain(crop)
    if not np.isfinite(expected).all():
        raise CheckpointError("its weights are damaged: they are so large that its answers are not finite")
    try:
        from slimnet.onnx.engine import OnnxNetwork
    except ImportError:
        return plain
    fast = OnnxNetwork(plain.module)
    if np.allclose(fast(crop), expected, atol=PROBABILITY_TOLERANCE):
        return fast
    # Its graph is written by hand (slimnet.onnx.graph), so a changed model may no longer match it.
    warnings.warn("ONNX Runtime's answers differ from torch's; going on with torch", RuntimeWarning, stacklevel=3)
    return plain
