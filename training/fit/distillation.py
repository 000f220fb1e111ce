"""Distillation: mixes the labels with trained networks' (teachers') predictions for the training pictures.

At least a third of CelebA's images have a wrong label (Lingenfelter et al. 2022), and a label does not say how close a
case was. The mean of several networks makes different errors from the annotators, and is unsure of close cases (Hinton
et al. 2015, "Distilling the knowledge in a neural network"). If a label is unknown, the teachers stand in for it.
"""

import hashlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from slimnet import CheckpointError, Predictor, transform
from slimnet.files.atomic import replacement
from slimnet.inference import fold_batch_norm
from training.data.cache import LabelledPictures
from training.data.celeba import Split
from training.data.columns import listed, places
from training.data.counting import counted
from training.data.teacher_table import is_table, table_attributes, table_logits
from training.fit.config import TrainConfig
from training.fit.runtime.distributed import Process
from training.fit.runtime.precision import compute_type
from training.measure.predictions import raw_logits
from training.networks.mobilenet import MobileNet, holds_mobilenet

_BATCH = 64  # pictures at a time


@dataclass(frozen=True)
class _Teacher:
    """A network that teaches.

    Attributes:
        attributes: Names of its outputs.
        logits: Turns uint8 RGB crops (N, height, width, 3) into logits without temperatures, float64 (N, attributes).
    """

    attributes: tuple[str, ...]
    logits: Callable[[np.ndarray], np.ndarray]


class TeacherCheck(NamedTuple):
    """What teachers know.

    Attributes:
        taught: Attributes that any of them knows.
        lines: What the user should know about them.
    """

    taught: set[str]
    lines: list[str]


def targets(config: TrainConfig, train: LabelledPictures, process: Process, others: Sequence[Path] = ()) -> np.ndarray:
    """Return the training targets: the labels, mixed with the teachers' predictions by --teacher_share.

    If the label is unknown, the prediction alone is the target; if there is no prediction, the label is.

    Args:
        config: Settings of the run.
        train: Training pictures and labels.
        process: This process.
        others: Pictures outside the training split that a table may describe.

    Returns:
        float32 (N, attributes) from 0 to 1; nan if neither the label nor a prediction is known.

    Raises:
        CheckpointError: A teacher cannot be read, knows none of the attributes, or reads crops of another size.
        DataError: A table of probabilities cannot be used.
    """
    labels = train.split.targets
    if not config.teachers:
        return labels
    opinion = _remembered(config, train, process, others)
    mixed = (1 - config.teacher_share) * labels + config.teacher_share * opinion
    return np.where(np.isnan(opinion), labels, np.where(np.isnan(labels), opinion, mixed))


def _remembered(config: TrainConfig, train: LabelledPictures, process: Process, others: Sequence[Path]) -> np.ndarray:
    """Return the teachers' predictions, from the cache if they are there.

    A resumed run must not ask the teachers again, or get other answers.
    """
    path = Path(config.cache_dir) / f"teachers-{_fingerprint(config.teachers, train, others)}.npy"
    # Either all machines ask or none does, since opinion_of needs all processes.
    if process.total(torch.tensor(float(path.is_file()))).item() == process.count:
        return np.load(path)
    opinion = opinion_of(config.teachers, train, process, others=others)
    if process.local_rank == 0:
        with replacement(path) as part, part.open("wb") as file:
            np.save(file, opinion)
    return opinion


def _fingerprint(teachers: Sequence[str], train: LabelledPictures, others: Sequence[Path]) -> str:
    """Return a hash that differs for different weights, pictures or attributes.

    Raises:
        CheckpointError: A teacher's file cannot be read.
    """
    asked = hashlib.sha256(repr((train.pictures.name, train.split.attributes)).encode())
    if any(map(is_table, teachers)):
        asked.update(repr([path.name for path in others]).encode())
    try:
        for path in teachers:
            asked.update(Path(path).read_bytes())
    except OSError as error:
        raise CheckpointError(f"the teacher {path} cannot be read: {error}") from error
    return asked.hexdigest()[:16]


def opinion_of(
    teachers: Sequence[str], train: LabelledPictures, process: Process, weights: Sequence[float] | None = None,
    others: Sequence[Path] = (),
) -> np.ndarray:  # fmt: skip
    """Return the teachers' predictions for the training pictures; the processes share the work.

    Args:
        teachers: Files of weights, and tables of probabilities.
        train: Training pictures and labels.
        process: This process.
        weights: How much each teacher counts in the mean, over 0; None: all the same.
        others: Pictures outside the training split that a table may describe.

    Returns:
        float32 (N, attributes): the probability for the mean logit over the teachers that know the picture's
        attribute, where a network's logit is the mean over the crop and its mirror image; nan if no teacher knows it.

    Raises:
        CheckpointError: A teacher cannot be read, knows none of the attributes, or reads crops of another size.
        DataError: A table of probabilities cannot be used.
    """
    attributes = train.split.attributes
    total, known = np.zeros((2, *train.split.labels.shape))  # known: the sum of the weights of those that know it
    mine = np.arange(len(total))[process.rank :: process.count]
    networks = []
    for path, weight in zip(teachers, weights or [1.0] * len(teachers), strict=True):
        if is_table(path):
            logits = table_logits(path, train.split, others)
            total[mine] += weight * np.nan_to_num(logits[mine])
            known += weight * ~np.isnan(logits)
        else:
            network = _network(path, attributes, str(process.device))
            wanted, there = np.array(places(attributes, network.attributes)).T
            networks.append((network, weight, wanted, there))
            known[:, wanted] += weight
    if networks and process.writes:  # takes many minutes without a GPU, and a log shows no progress bar
        print(f"asking the teachers about {len(total):,} pictures", file=sys.stderr, flush=True)
    with counted("asking the teachers", len(mine), reports=process.writes) as advance:
        for start in range(0, len(mine) if networks else 0, _BATCH):
            chosen = mine[start : start + _BATCH]
            crops = train.pictures.take(chosen)
            for network, weight, wanted, there in networks:
                for view in (crops, crops[:, :, ::-1]):
                    logits = network.logits(np.ascontiguousarray(view))[:, there]
                    if not np.isfinite(logits).all():
                        raise CheckpointError("a teacher's answers are not finite: its weights are damaged")
                    total[np.ix_(chosen, wanted)] += weight / 2 * logits
            advance(len(chosen))
    mean = process.total(torch.from_numpy(total)).cpu() / torch.from_numpy(known)  # 0 / 0 gives nan
    return torch.sigmoid(mean).float().numpy()


def known_attributes(teachers: Sequence[str]) -> tuple[str, ...]:
    """Return what teachers know: the names of networks' outputs and of tables' columns, each once, in their order.

    Args:
        teachers: Files of weights, and tables of probabilities.

    Raises:
        CheckpointError: A file of weights cannot be read.
        DataError: A table cannot be read.
    """
    names = (table_attributes(path) if is_table(path) else _opened(path).attributes for path in teachers)
    return tuple(dict.fromkeys(chain.from_iterable(names)))


def _opened(path: str, device: str = "cpu") -> MobileNet | Predictor:
    """Open a teacher that is a network; raises CheckpointError if it cannot be read."""
    return MobileNet.load(path) if holds_mobilenet(path) else Predictor(path, device)


def _network(path: str, attributes: Sequence[str], device: str = "cpu") -> _Teacher:
    """Load a teacher that is a network.

    Raises:
        CheckpointError: It cannot be read, knows none of the attributes, or reads crops of another size.
    """
    network = _opened(path, device)
    if not places(attributes, network.attributes):
        raise CheckpointError(f"the teacher {path} knows other attributes than the data: none of {listed(attributes)}")
    crop = network.preprocessing
    if (crop.height, crop.width) != (transform.height, transform.width):
        raise CheckpointError(f"the teacher {path} reads crops of {crop.width}x{crop.height} pixels")
    if isinstance(network, MobileNet):
        return _Teacher(network.attributes, partial(_mobilenet_logits, fold_batch_norm(network.to(device))))
    return _Teacher(network.attributes, lambda crops: raw_logits(network(crops), network.calibration))


@torch.inference_mode()
def _mobilenet_logits(network: MobileNet, crops: np.ndarray) -> np.ndarray:
    """Compute the logits of crops, uint8 RGB (N, height, width, 3): float64 (N, attributes)."""
    device = network.fc.weight.device
    x = network.preprocessing.normalise(torch.from_numpy(crops).to(device))
    format_ = compute_type("auto", device)  # in bfloat16 a processor takes half the time, and a target needs no more
    with torch.autocast(device.type, dtype=format_, enabled=format_ != torch.float32):
        return network(x).cpu().double().numpy()


def check_teachers(teachers: Sequence[str], split: Split, others: Sequence[Path] = ()) -> TeacherCheck:
    """Check teachers before decoding, which takes minutes.

    Args:
        teachers: Files of weights, and tables of probabilities.
        split: The pictures to ask them about.
        others: Other pictures that a table may describe.

    Returns:
        What they know, and what the user should know about them.

    Raises:
        CheckpointError: A teacher cannot be read, knows none of the attributes, or reads crops of another size.
        DataError: A table of probabilities cannot be used.
    """
    taught: set[str] = set()
    lines = []
    for path in teachers:
        answers = ""
        if is_table(path):
            known = ~np.isnan(table_logits(path, split, others))
            asked = [name for name, column in zip(split.attributes, known.T, strict=True) if column.any()]
            pictures = int(known.any(axis=1).sum())
            answers = f" and answers for {pictures:,} of {len(split):,} pictures" if pictures < len(split) else ""
        else:
            found = _network(path, split.attributes).attributes
            asked = [name for name in split.attributes if name in found]
        unknown = [name for name in split.attributes if name not in asked]
        if unknown or answers:
            gaps = f"; it does not know {listed(unknown)}" if unknown else ""
            lines.append(f"the teacher {path} is asked for {listed(asked)}{answers}{gaps}")
        taught |= set(asked)
    return TeacherCheck(taught, lines)
