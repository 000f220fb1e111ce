"""The number format of training's forward and backward pass."""

import torch


def compute_type(precision: str, device: torch.device) -> torch.dtype:
    """Return the number format to compute in: float32, or for "auto" the fastest that the device has in hardware.

    That is bfloat16 if the processor or GPU has it, else float16 on a GPU, which needs scaled gradients; never an
    emulated format, which would be slower than float32.

    Args:
        precision: "float32" or "auto".
        device: Device to compute on.
    """
    if precision == "float32":
        return torch.float32
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    if device.type == "cpu" and torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return torch.bfloat16
    return torch.float32
