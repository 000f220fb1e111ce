"""Distillation: the predictions of trained networks (teachers) for the training pictures, mixed with the labels.

At least a third of CelebA's images carry a wrong label (Lingenfelter et al. 2022), and a label does not say how
close a case was. The mean of several networks makes other errors than the annotators, and is unsure of close cases
(Hinton et al. 2015, "Distilling the knowledge in a neural network").
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from slimnet import CheckpointError, Predictor, transform
from slimnet.atomic import replacement
from training.data.cache import LabelledPictures
from training.fit.config import TrainConfig
from training.fit.distributed import Process
from training.fit.transfer import listed, places
from training.measure.predictions import raw_logits

_BATCH = 64  # pictures at a time


def targets(config: TrainConfig, train: LabelledPictures, process: Process) -> np.ndarray:
    """Return the training targets: the labels, mixed with the teachers' predictions by --teacher_share.

    Attributes that no teacher knows keep their labels.

    Args:
        config: Settings of the run.
        train: Training pictures and labels.
        process: This process.

    Returns:
        float32 (N, attributes) from 0 to 1; nan where the label is not known, even if a teacher predicts it.

    Raises:
        CheckpointError: A teacher cannot be read, knows none of the attributes, or reads crops of another size.
    """
    soft = train.split.targets
    if config.teachers:
        opinion = _remembered(config, train, process)
        mixed = (1 - config.teacher_share) * soft + config.teacher_share * opinion
        soft = np.where(np.isnan(opinion), soft, mixed)
    return soft


def _remembered(config: TrainConfig, train: LabelledPictures, process: Process) -> np.ndarray:
    """Return the teachers' predictions, from the cache where they are there.

    A resumed run must not ask the teachers again, nor get other answers.
    """
    path = Path(config.cache_dir) / f"teachers-{_fingerprint(config.teachers, train)}.npy"
    # On all machines or on none, since opinion_of needs all processes.
    if process.total(torch.tensor(float(path.is_file()))).item() == process.count:
        return np.load(path)
    opinion = opinion_of(config.teachers, train, process)
    if process.local_rank == 0:
        with replacement(path) as part, part.open("wb") as file:
            np.save(file, opinion)
    return opinion


def _fingerprint(teachers: Sequence[str], train: LabelledPictures) -> str:
    """Return a hash that differs for other weights, pictures or attributes.

    Raises:
        CheckpointError: A teacher's file cannot be read.
    """
    asked = hashlib.sha256(repr((train.pictures.path.name, train.split.attributes)).encode())
    try:
        for path in teachers:
            asked.update(Path(path).read_bytes())
    except OSError as error:
        raise CheckpointError(f"the teacher {path} cannot be read: {error}") from error
    return asked.hexdigest()[:16]


def opinion_of(teachers: Sequence[str], train: LabelledPictures, process: Process) -> np.ndarray:
    """Return the teachers' predictions for the training pictures, which the processes share between them.

    Args:
        teachers: Weights files.
        train: Training pictures and labels.
        process: This process.

    Returns:
        float32 (N, attributes): the probability by the mean logit over the teachers that know the attribute, and over
        each crop and its mirror image; nan where no teacher knows the attribute.

    Raises:
        CheckpointError: A teacher cannot be read, knows none of the attributes, or reads crops of another size.
    """
    attributes = train.split.attributes
    networks = [_teacher(path, attributes, str(process.device)) for path in teachers]
    joined = [np.array(places(attributes, network.attributes)).T for network in networks]
    known = np.bincount(np.concatenate([mine for mine, _ in joined]), minlength=len(attributes))
    total = np.zeros(train.split.labels.shape)
    mine = np.arange(len(total))[process.rank :: process.count]
    with tqdm(total=len(mine), desc="asking teachers", disable=None if process.writes else True) as bar:
        for start in range(0, len(mine), _BATCH):
            chosen = mine[start : start + _BATCH]
            crops = train.pictures.array[chosen]
            for network, (wanted, there) in zip(networks, joined, strict=True):
                for view in (crops, crops[:, :, ::-1]):
                    logits = raw_logits(network(np.ascontiguousarray(view)), network.calibration)
                    total[np.ix_(chosen, wanted)] += logits[:, there]
            bar.update(len(chosen))
    mean = process.total(torch.from_numpy(total)).cpu() / torch.from_numpy(2 * known)  # 0 / 0 is nan
    return torch.sigmoid(mean).float().numpy()


def _teacher(path: str, attributes: Sequence[str], device: str = "cpu") -> Predictor:
    """Load a teacher.

    Raises:
        CheckpointError: It cannot be read, knows none of the attributes, or reads crops of another size.
    """
    network = Predictor(path, device)
    if not places(attributes, network.attributes):
        raise CheckpointError(f"the teacher {path} knows other attributes than the data: none of {listed(attributes)}")
    if (network.height, network.width) != (transform.height, transform.width):
        raise CheckpointError(f"the teacher {path} reads crops of {network.width}x{network.height} pixels")
    return network


def describe(path: str, attributes: Sequence[str]) -> str:
    """Describe in one line which attributes a teacher is asked for, and which it does not know.

    Args:
        path: The teacher's weights file.
        attributes: The data's attributes.

    Returns:
        The line; empty where the teacher knows all attributes.

    Raises:
        CheckpointError: The teacher cannot be read, knows none of the attributes, or reads crops of another size.
    """
    known = _teacher(path, attributes).attributes
    if set(attributes) <= set(known):
        return ""
    asked, others = ([name for name in attributes if (name in known) is there] for there in (True, False))
    return f"the teacher {path} is asked for {listed(asked)}; it does not know {listed(others)}"
