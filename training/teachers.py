"""Softer targets: what trained networks say about the training pictures, mixed with the annotators' labels.

At least a third of CelebA's images carry a wrong label (Lingenfelter et al. 2022), and a label tells nothing of how
close a case was. The mean of several networks errs elsewhere than the annotators, and says when it doubts (Hinton et
al. 2015, "Distilling the knowledge in a neural network").
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from slimnet import CheckpointError, Predictor
from training.config import TrainConfig
from training.engine import Labelled
from training.predictions import raw_logits
from training.processes import Process

BATCH = 64  # pictures at a time


def targets(config: TrainConfig, train: Labelled, process: Process) -> np.ndarray:
    """Float32 (N, attributes) from 0 to 1: the labels, mixed with what --teachers say by --teacher_share, and then
    with one half by --label_smoothing.

    Raises CheckpointError when a teacher cannot be read or knows other attributes.
    """
    soft: np.ndarray = train.split.labels.astype(np.float32)
    if config.teachers:
        opinion = remembered(config, train, process)
        soft = (1 - config.teacher_share) * soft + config.teacher_share * opinion
    return soft + config.label_smoothing * (0.5 - soft)


def remembered(config: TrainConfig, train: Labelled, process: Process) -> np.ndarray:
    """The teachers' opinion, from the cache where it is known: resuming must not ask again, nor get other answers."""
    path = Path(config.cache_dir) / f"teachers-{fingerprint(config.teachers, train)}.npy"
    # On all machines or on none, since opinion_of needs all processes.
    if process.total(torch.tensor(float(path.is_file()))).item() == process.count:
        return np.load(path)
    opinion = opinion_of(config.teachers, train, process)
    if process.local_rank == 0:
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            np.save(file, opinion)
        part.replace(path)
    return opinion


def fingerprint(teachers: Sequence[str], train: Labelled) -> str:
    """Another one for other weights, pictures or attributes. Raises CheckpointError when weights cannot be read."""
    asked = hashlib.sha256(repr((train.pictures.path.name, train.split.attributes)).encode())
    try:
        for path in teachers:
            asked.update(Path(path).read_bytes())
    except OSError as error:
        raise CheckpointError(f"the teacher {path} cannot be read: {error}") from error
    return asked.hexdigest()[:16]


def opinion_of(teachers: Sequence[str], train: Labelled, process: Process) -> np.ndarray:
    """Float32 (N, attributes): the probability by the mean logit over the teachers, and over each crop and its mirror
    image. The processes share the pictures between them."""
    networks = [teacher(path, train.split.attributes, str(process.device)) for path in teachers]
    total = np.zeros(train.split.labels.shape)
    mine = np.arange(len(total))[process.rank :: process.count]
    with tqdm(total=len(mine), desc="asking teachers", disable=None if process.writes else True) as bar:
        for start in range(0, len(mine), BATCH):
            chosen = mine[start : start + BATCH]
            crops = train.pictures.array[chosen]
            for network in networks:
                for view in (crops, crops[:, :, ::-1]):
                    total[chosen] += raw_logits(network(np.ascontiguousarray(view)), network.calibration)
            bar.update(len(chosen))
    mean = process.total(torch.from_numpy(total / (2 * len(networks))))
    return torch.sigmoid(mean).float().cpu().numpy()


def teacher(path: str, attributes: Sequence[str], device: str = "cpu") -> Predictor:
    """Raises CheckpointError when it cannot be read or its attributes are not those of the data."""
    network = Predictor(path, device)
    if network.attributes != tuple(attributes):
        raise CheckpointError(f"the teacher {path} knows other attributes than the data, or has them in another order")
    return network
