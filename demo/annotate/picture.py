"""Annotate many pictures in order: in this process, or in one process for each core with one network on the GPU."""

import os
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch

from demo.annotate.processes import Workers
from demo.pictures.decode import PictureError, open_picture
from demo.pipeline.analyse import Pipeline
from demo.pipeline.errors import FAILURES, reason
from demo.pipeline.table import face_rows
from slimnet import Predictor

# A process takes as long to start as it takes for about so many pictures.
_PICTURES_WORTH_A_PROCESS = 16
# Crops that go through the network at once.
_BATCH = 64


@dataclass(frozen=True)
class Outcome:
    """What came of one picture: a row of the table for each face, or why there is none to be had.

    Attributes:
        file: as it was named.
        rows: as `demo.pipeline.table.face_rows` makes them.
        failure: None where the picture was analysed; else a sentence for people that begins with the file.
    """

    file: str
    rows: list[list[str]]
    failure: str | None = None


def annotate_picture(pipeline: Pipeline, file: str) -> Outcome:
    """Open a picture and find its faces and their attributes."""
    try:
        return Outcome(file, face_rows(pipeline.analyse(open_picture(file), thorough=True), file))
    except (PictureError, *FAILURES) as error:
        return Outcome(file, [], f"{file}: {reason(error)}")


def annotate_in_processes(
    files: Sequence[str], weights: Path, device: str, count: int
) -> Generator[Outcome, None, None]:
    """The outcome of each picture, in order, by so many processes that open pictures and find faces.

    On a GPU one network, in this process, reads the crops of all others in batches. On a CPU a batch gains nothing
    (6 ms a face alone, 6 to 7 in a batch of 8 or 32), so that each process has a network of its own: no crop travels,
    and no digit of a probability can depend on what else was in the batch.

    Raises:
        demo.annotate.processes.WorkerError: a process could not start.
    """
    network = Predictor(weights, device)
    setup = AnnotatorSetup(weights.resolve(), shares_network=network.device.type != "cpu")
    with Workers(setup, count, partial(_predict_together, network)) as workers:
        for file, outcome in zip(files, workers.map(files), strict=True):
            yield outcome or Outcome(file, [], f"{file}: its process was killed twice, mostly for want of memory")


def worker_count(pictures: int) -> int:
    """How many processes are worth their start: up to one for each core that this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, pictures // _PICTURES_WORTH_A_PROCESS))


@dataclass(frozen=True)
class AnnotatorSetup:
    """Makes the job of one process: from the name of a file to its `Outcome`."""

    weights: Path
    shares_network: bool

    def __call__(self, ask: Callable[[np.ndarray], np.ndarray]) -> Callable[[str], Outcome]:
        torch.set_num_threads(1)  # each core has a process of its own
        cv2.setNumThreads(1)
        pipeline = Pipeline(self.weights, "cpu")
        if self.shares_network:
            pipeline = pipeline.with_predictor(_SharedPredictor(self.weights, ask))
        return partial(annotate_picture, pipeline)


class _SharedPredictor(Predictor):
    """A predictor that has the main process read its crops."""

    def __init__(self, weights: Path, ask: Callable[[np.ndarray], np.ndarray]) -> None:
        super().__init__(weights, "cpu")
        self._ask = ask

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        return self._ask(crops)


def _predict_together(network: Predictor, waiting: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The probabilities for the crops of several processes, which go through the network together."""
    crops = np.concatenate(waiting)
    parts = [network(crops[start : start + _BATCH]) for start in range(0, len(crops), _BATCH)]
    return np.split(np.concatenate(parts), np.cumsum([len(part) for part in waiting])[:-1])
