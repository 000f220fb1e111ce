"""Loss and figures on the validation splits, after every epoch."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.special import expit

from slimnet.inference import fold_batch_norm
from training.data.cache import LabelledPictures
from training.data.celeba import Split
from training.data.counting import counted
from training.data.device_augment import send
from training.data.on_device import DevicePictures
from training.fit.runtime.distributed import Process
from training.measure import bootstrap, metrics
from training.measure.calibration_error import log_losses
from training.measure.scores import json_number
from training.networks.network import Network

_BATCH_SIZE, _GPU_BATCH_SIZE = 64, 512  # pictures
VALIDATED_FIGURES = ("accuracy", "balanced_accuracy", "f1", "average_precision")


@dataclass(frozen=True)
class Validation:
    """How good a network is on a validation split.

    Args:
        attributes: Names of the outputs.
        loss: Cross-entropy by attribute, (attributes,); nan if no label is known.
        figures: For each of VALIDATED_FIGURES, (attributes,), from 0 to 1; nan if undefined.
    """

    attributes: tuple[str, ...]
    loss: np.ndarray
    figures: dict[str, np.ndarray]

    def mean(self, figure: str) -> float:
        """Return the mean of a figure over the attributes that define it; nan if none does.

        Args:
            figure: One of VALIDATED_FIGURES.
        """
        return float(metrics.mean(self.figures[figure]))

    def as_metrics(self, prefix: str) -> dict[str, Any]:
        """Return the means by name, and the figures of each attribute, nested; None if undefined.

        Args:
            prefix: Beginning of each name.
        """
        by_attribute = {
            name: {figure: json_number(values[n]) for figure, values in self.figures.items()}
            for n, name in enumerate(self.attributes)
        }
        means = {figure: self.mean(figure) for figure in self.figures}
        return {
            f"{prefix}/loss": float(metrics.mean(self.loss)),
            **{f"{prefix}/{figure}": None if np.isnan(value) else value for figure, value in means.items()},
            f"{prefix}/attributes": by_attribute,
        }


@torch.inference_mode()
def validate(
    network: Network, valid: LabelledPictures, process: Process, held: DevicePictures | None = None
) -> Validation:
    """Measure a network on a validation split; the processes share the work.

    Args:
        network: In evaluation or training mode; it is left unchanged.
        valid: The split's pictures and labels.
        process: This process.
        held: The split's pictures on the process's device; None if they are not held there.

    Returns:
        The loss and the figures of each attribute, over the pictures with a known label.
    """
    folded = fold_batch_norm(network)
    batch = _GPU_BATCH_SIZE if process.device.type == "cuda" else _BATCH_SIZE
    mine = np.arange(len(valid.split))[process.rank :: process.count]
    outputs = []
    with counted("validating", len(mine), reports=process.writes) as advance:
        for indices in np.array_split(mine, max(1, -(-len(mine) // batch))):
            crops = held.take(indices) if held else send(valid.pictures.take(indices), process.device)
            outputs.append(folded(folded.preprocessing.normalise(crops)))
            advance(len(indices))
    logits = torch.zeros(valid.split.labels.shape)
    logits[torch.from_numpy(mine)] = torch.cat(outputs).float().cpu()  # once, as each read waits for the GPU
    return judge(process.total(logits).cpu().double().numpy(), valid.split)


def judge(logits: np.ndarray, split: Split) -> Validation:
    """Compare logits with the known labels.

    Args:
        logits: float64 (N, attributes).
        split: The labels.
    """
    once = np.ones((1, len(split)), np.float32)
    loss = metrics.known_means(log_losses(logits, split.labels), split.known, once)[0]
    # Like metrics.figures, but as one bootstrap sample, the whole split: a GPU waits only a twentieth of the time.
    found = bootstrap.resampled(split.labels, expit(logits), split.known, once)
    return Validation(split.attributes, loss, {name: found[name][0] for name in VALIDATED_FIGURES})
