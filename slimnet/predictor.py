"""The fast way from crops to probabilities."""

from __future__ import annotations

import copy
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.utils import convert_conv2d_weight_memory_format
from torch.nn.utils.fusion import fuse_conv_bn_eval

from slimnet.device import choose_device
from slimnet.model import SlimNet


class Predictor:
    """Probabilities of every attribute for aligned crops; safe to call from several threads.

    path: weights, as SlimNet.load_pretrained reads them. device: None or "auto" for CUDA, then MPS, then the CPU.
    calibration: the weights' own, or None; its temperatures make a probability say how often it is right.
    Batch norm is folded into the convolutions and memory is channels_last: about 2.5 times as fast on a CPU.
    torch's thread count is left alone. Should the device fail, the CPU takes over, with a RuntimeWarning.

    Raises CheckpointError when the weights cannot be read.
    """

    def __init__(self, path: str | Path, device: str | None = None) -> None:
        model = SlimNet.load_pretrained(path)
        self.attributes = model.attributes
        self.preprocessing = model.preprocessing
        self.calibration = model.calibration
        self._temperatures = torch.tensor(model.calibration.temperatures if model.calibration else 1.0)
        self.height, self.width = model.preprocessing.height, model.preprocessing.width
        # A copy stays on the CPU: a device that has failed may not give its weights back.
        self._on_cpu = (fold_batch_norm(model), torch.device("cpu"))
        self._placed = self._on_cpu
        chosen = choose_device(device)
        if chosen.type != "cpu":
            try:
                self._placed = (copy.deepcopy(self._on_cpu[0]).to(chosen), chosen)
                self._probabilities(np.zeros((1, self.height, self.width, 3), np.uint8), self._placed)
            except RuntimeError as error:
                self._fall_back(chosen, error)

    @property
    def device(self) -> torch.device:
        """Where the network computes now."""
        return self._placed[1]

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        """Turn uint8 RGB crops (N, height, width, 3) into float32 probabilities (N, attributes) in [0, 1].

        Raises ValueError for another shape or type.
        """
        expected = (self.height, self.width, 3)
        if not isinstance(crops, np.ndarray) or crops.dtype != np.uint8 or crops.shape[1:] != expected:
            got = f"{crops.dtype} {crops.shape}" if isinstance(crops, np.ndarray) else type(crops).__name__
            raise ValueError(f"expected uint8 RGB crops of shape (N, {self.height}, {self.width}, 3), got {got}")
        if not len(crops):
            return np.zeros((0, len(self.attributes)), np.float32)
        placed = self._placed  # read once: another thread may fall back at any time
        try:
            return self._probabilities(crops, placed)
        except RuntimeError as error:
            if placed is self._on_cpu:
                raise
            self._fall_back(placed[1], error)
            return self._probabilities(crops, self._on_cpu)

    def _probabilities(self, crops: np.ndarray, placed: tuple[SlimNet, torch.device]) -> np.ndarray:
        network, device = placed
        with torch.inference_mode():
            # from_numpy needs writable, positively strided memory; a copy is made only where crops has neither.
            tensor = torch.from_numpy(np.require(crops, requirements=["C", "W"])).to(device)
            logits = network(self.preprocessing.normalise(tensor))
            return torch.sigmoid(logits.float().cpu() / self._temperatures).numpy()

    def _fall_back(self, failed: torch.device, error: RuntimeError) -> None:
        self._placed = self._on_cpu
        warnings.warn(f"{failed} failed ({error}); going on with the CPU", RuntimeWarning, stacklevel=3)


def fold_batch_norm(model: SlimNet) -> SlimNet:
    """A copy for inference alone, in channels_last, each convolution merged with its batch norm; the same logits."""
    folded = copy.deepcopy(model).eval().requires_grad_(False)
    for sequence in [module for module in folded.modules() if isinstance(module, nn.Sequential)]:
        for place, (first, second) in enumerate(zip(sequence, list(sequence)[1:], strict=False)):
            if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                sequence[place] = fuse_conv_bn_eval(first, second)
                sequence[place + 1] = nn.Identity()
    return convert_conv2d_weight_memory_format(folded, torch.channels_last)
