"""Loss and accuracy on the validation split, after every epoch."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional as F

from slimnet import SlimNet
from slimnet.inference import fold_batch_norm
from training.data.cache import LabelledPictures
from training.fit.distributed import Process

_BATCH_SIZE = 64  # pictures


@torch.inference_mode()
def validate(network: SlimNet, valid: LabelledPictures, process: Process) -> tuple[float, float]:
    """Measure a network on the validation split, which the processes share between them.

    Args:
        network: In evaluation or training mode; it is not changed.
        valid: The split's pictures and labels.
        process: This process.

    Returns:
        Cross-entropy and accuracy (from 0 to 1), each computed for every attribute over the pictures with a known
        label, then averaged over the attributes that have any.
    """
    folded = fold_batch_norm(network)
    pictures, targets = valid.pictures.array, valid.split.targets
    sums = torch.zeros((3, targets.shape[1]), dtype=torch.float64)
    mine = np.arange(len(targets))[process.rank :: process.count]
    for indices in np.array_split(mine, max(1, len(mine) // _BATCH_SIZE)):
        x = folded.preprocessing.normalise(torch.from_numpy(pictures[indices]).to(process.device))
        target = torch.from_numpy(targets[indices]).to(process.device)
        known, logits = ~target.isnan(), folded(x)
        costs = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
        right = (logits > 0) == (target > 0)
        for row, values in zip(sums, (costs, right, known), strict=True):
            row += torch.where(known, values, 0).sum(dim=0).cpu()
    costs, right, known = process.total(sums).cpu()
    loss, accuracy = ((row / known)[known > 0].mean().item() for row in (costs, right))
    return loss, accuracy
