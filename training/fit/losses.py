"""The training loss: binary cross-entropy over the known labels."""

import torch
from torch import Tensor
from torch.nn import functional as F


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean binary cross-entropy over the known targets.

    Args:
        logits: float32 (N, attributes).
        targets: float32 (N, attributes), from 0 to 1, nan if unknown.

    Returns:
        float32 (); 0 if no target is known.
    """
    known = ~targets.isnan()
    costs = F.binary_cross_entropy_with_logits(logits, targets.nan_to_num(), reduction="none")
    return torch.where(known, costs, 0).sum() / known.sum().clamp(min=1)
