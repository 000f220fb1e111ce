"""What a step minimises: binary cross-entropy, and losses made for rare classes or for wrong labels.

All take logits and targets, float32 (N, attributes), targets from 0 to 1 or nan where not known, and give the mean over
the known ones; 0 where there are none.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

Loss = Callable[[Tensor, Tensor], Tensor]


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """The cost of each answer, as all that follow."""
    return F.binary_cross_entropy_with_logits(logits, targets, reduction="none")


def focal(logits: Tensor, targets: Tensor) -> Tensor:
    """Attends to hard cases: gamma 2, no class weight (Lin et al. 2017, "Focal loss for dense object detection")."""
    present, absent = torch.sigmoid(logits), torch.sigmoid(-logits)
    return -(targets * absent**2 * F.logsigmoid(logits) + (1 - targets) * present**2 * F.logsigmoid(-logits))


def asymmetric(logits: Tensor, targets: Tensor) -> Tensor:
    """Attends to hard absences alone, and lets those below 0.05 be: gamma 0 and 2, margin 0.05 (Ridnik et al. 2021,
    "Asymmetric loss for multi-label classification")."""
    too_high = (torch.sigmoid(logits) - 0.05).clamp(min=0)
    absent = -too_high.square() * torch.log1p(-too_high.clamp(max=1 - 1e-6))
    return targets * -F.logsigmoid(logits) + (1 - targets) * absent


def generalised(logits: Tensor, targets: Tensor) -> Tensor:
    """Gives up on labels that it finds absurd: q = 0.7 (Zhang & Sabuncu 2018, "Generalized cross entropy loss for
    training deep neural networks with noisy labels")."""
    q = 0.7
    # By logarithms: a power of nothing has no finite slope.
    present, absent = torch.exp(q * F.logsigmoid(logits)), torch.exp(q * F.logsigmoid(-logits))
    return (targets * (1 - present) + (1 - targets) * (1 - absent)) / q


def over_known(cost: Loss, logits: Tensor, targets: Tensor) -> Tensor:
    """The mean cost of the answers whose target is known."""
    known = ~targets.isnan()
    costs = cost(logits, targets.nan_to_num())
    return torch.where(known, costs, 0).sum() / known.sum().clamp(min=1)


LOSSES: dict[str, Loss] = {
    "cross_entropy": partial(over_known, cross_entropy),
    "focal": partial(over_known, focal),
    "asymmetric": partial(over_known, asymmetric),
    "generalised": partial(over_known, generalised),
}
