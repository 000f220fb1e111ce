"""What a step minimises: binary cross-entropy, and losses made for rare classes or for wrong labels.

All take logits and targets, float32 (N, attributes), targets from 0 to 1, and give the mean over both.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

Loss = Callable[[Tensor, Tensor], Tensor]


def focal(logits: Tensor, targets: Tensor) -> Tensor:
    """Attends to hard cases: gamma 2, no class weight (Lin et al. 2017, "Focal loss for dense object detection")."""
    present, absent = torch.sigmoid(logits), torch.sigmoid(-logits)
    costs = targets * absent**2 * F.logsigmoid(logits) + (1 - targets) * present**2 * F.logsigmoid(-logits)
    return -costs.mean()


def asymmetric(logits: Tensor, targets: Tensor) -> Tensor:
    """Attends to hard absences alone, and lets those below 0.05 be: gamma 0 and 2, margin 0.05 (Ridnik et al. 2021,
    "Asymmetric loss for multi-label classification")."""
    too_high = (torch.sigmoid(logits) - 0.05).clamp(min=0)
    absent = -too_high.square() * torch.log1p(-too_high.clamp(max=1 - 1e-6))
    return (targets * -F.logsigmoid(logits) + (1 - targets) * absent).mean()


def generalised(logits: Tensor, targets: Tensor) -> Tensor:
    """Gives up on labels that it finds absurd: q = 0.7 (Zhang & Sabuncu 2018, "Generalized cross entropy loss for
    training deep neural networks with noisy labels")."""
    q = 0.7
    # By logarithms: a power of nothing has no finite slope.
    present, absent = torch.exp(q * F.logsigmoid(logits)), torch.exp(q * F.logsigmoid(-logits))
    return ((targets * (1 - present) + (1 - targets) * (1 - absent)) / q).mean()


LOSSES: dict[str, Loss] = {
    "cross_entropy": F.binary_cross_entropy_with_logits,
    "focal": focal,
    "asymmetric": asymmetric,
    "generalised": generalised,
}
