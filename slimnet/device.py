"""Chooses the device to compute on, and how exactly a GPU computes."""

import threading
import warnings

import torch
from torch.backends import cudnn


def choose_device(requested: str | None = None) -> torch.device:
    """Choose the device to compute on.

    Args:
        requested: "cuda", "cuda:1", "mps" or "cpu"; None or "auto" for CUDA if available, else MPS, else the CPU.

    Returns:
        The device; if the requested one is not available, the CPU, with a RuntimeWarning.

    Raises:
        ValueError: there is no kind of device by that name.
    """
    if requested in (None, "auto"):
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(requested)
    except RuntimeError as error:
        raise ValueError(f"there is no device called {requested!r}: use auto, cpu, cuda or mps") from error
    if device.type == "cuda":
        present = torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count()
    else:
        present = device.type == "cpu" or (device.type == "mps" and torch.backends.mps.is_available())
    if not present:
        warnings.warn(f"{requested} is not available here; computing on the CPU", RuntimeWarning, stacklevel=2)
        return torch.device("cpu")
    return device


class _ExactConvolutions:
    """Context manager: convolutions on a CUDA GPU compute in float32, not in TF32, which keeps 10 bits of a mantissa.

    TF32 is torch's default for cuDNN. The setting belongs to the process: while any thread is inside, convolutions in
    other threads are exact too, and slower. Threads may overlap: the first saves the setting and the last puts it back.
    Meanwhile, what other code sets is lost, and reading `cudnn.allow_tf32`, the setting's older name, is an error.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._before: str | bool = ""

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._before = _set_precision("ieee")
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                _set_precision(self._before)


EXACT_CONVOLUTIONS = _ExactConvolutions()


def _set_precision(wanted: str | bool) -> str | bool:
    """Set cuDNN's precision for convolutions, and return what it was.

    Without `cudnn.flags`, which also resets what it is not given, and fails if somebody has used the newer setting.
    """
    if hasattr(cudnn, "conv"):  # since torch 2.9
        before: str | bool = cudnn.conv.fp32_precision
        cudnn.conv.fp32_precision = wanted
    else:
        before = cudnn.allow_tf32
        cudnn.allow_tf32 = wanted is True  # "ieee" turns it off
    return before
