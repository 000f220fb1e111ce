"""Mixup: pictures laid over each other, and their targets (Zhang et al. 2018, "mixup: Beyond empirical risk
minimization")."""

import numpy as np
import torch
from torch import Tensor


def mixup(x: Tensor, targets: Tensor, alpha: float, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """x (N, 3, H, W) and targets (N, attributes), each mixed with another of the batch by one share for all, drawn from
    a Beta(alpha, alpha) distribution. A target that is not known (nan) of either makes that of both unknown."""
    share = float(rng.beta(alpha, alpha))
    other = torch.from_numpy(rng.permutation(len(x))).to(x.device)
    return torch.lerp(x[other], x, share), torch.lerp(targets[other], targets, share)
