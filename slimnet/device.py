"""Choice of the device to compute on."""

import warnings

import torch


def choose_device(requested: str | None = None) -> torch.device:
    """Choose the device to compute on.

    Args:
        requested: "cuda", "cuda:1", "mps" or "cpu"; None or "auto" for CUDA where there is one, else MPS, else the CPU.

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
