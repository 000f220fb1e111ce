"""Which device computes."""

import warnings

import torch


def choose_device(requested: str | None = None) -> torch.device:
    """CUDA where there is one, else MPS, else the CPU; or the one requested ("cuda", "cuda:1", "mps", "cpu").

    None and "auto" mean: choose. A requested device that is not there gives the CPU, with a RuntimeWarning.
    Raises ValueError for a name that is none.
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
