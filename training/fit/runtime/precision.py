"""The number format of training's forward and backward pass."""

import platform

import torch


def compute_type(precision: str, device: torch.device) -> torch.dtype:
    """Return the number format to compute in: float32, or for "auto" the fastest that the device has in hardware.

    That is bfloat16 if the processor or CUDA GPU has it, else float16 on such a GPU, which needs scaled gradients;
    never an emulated format, which would be slower than float32.

    Args:
        precision: "float32" or "auto".
        device: Device to compute on.
    """
    if precision == "float32":
        return torch.float32
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
    return torch.bfloat16 if device.type == "cpu" and _has_bfloat16() else torch.float32


def _has_bfloat16() -> bool:
    """Return whether this processor has instructions for bfloat16 that oneDNN uses."""
    if not torch.backends.mkldnn.is_available() or not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return False
    # That is true of every processor with AVX-512, but older ones emulate bfloat16.
    is_x86 = platform.machine().lower() in {"x86_64", "amd64"}
    return torch.cpu._is_avx512_bf16_supported() or not is_x86
