"""Annotate many pictures in order, in one process per core; on a GPU, all processes share one network."""

import sys
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch

from demo.annotate.picture import annotate_picture
from demo.batch.outcome import Outcome
from demo.batch.workers import KILLED, Workers
from demo.pipeline.analyse import CropPredictor, Pipeline
from demo.pipeline.detect import FaceFinder
from slimnet import Calibration, Predictor

_BATCH_CROPS = 64


def annotate_in_processes(
    files: Sequence[str], weights: Path, network: Predictor, count: int, decisions: str | None = None
) -> Generator[Outcome, None, None]:
    """Annotate pictures in several processes.

    On a GPU, one network in this process reads the crops of all the others in batches. On a CPU batches gain nothing
    (6 ms for a single face, 6 to 7 ms per face in a batch of 8 or 32), so each process has its own network: no crops
    are sent, and no digit of a probability can depend on what else was in the batch.

    Args:
        files: paths of the pictures.
        weights: SlimNet's weights.
        network: a predictor with these weights; if it is on a GPU, it reads the crops of all processes.
        count: number of processes.
        decisions: the operating point to decide the attributes at; None for probabilities.

    Yields:
        The outcome of each picture, in order.

    Raises:
        demo.batch.workers.WorkerError: a process could not start, as when the weights' file has changed since.
    """
    shared = SharedNetwork(network.attributes, network.calibration) if network.device.type != "cpu" else None
    setup = AnnotatorSetup(weights.resolve(), network.sha256, shared, decisions)
    with Workers(setup, count, partial(_predict_together, network)) as workers:
        for file, outcome in zip(files, workers.map(files), strict=True):
            yield outcome or Outcome(file, [], f"{file}: {KILLED}")


@dataclass(frozen=True)
class SharedNetwork:
    """What a process needs to know about a network elsewhere that reads the crops of all processes.

    Attributes:
        attributes: names of the attributes that it predicts.
        calibration: of its weights.
    """

    attributes: tuple[str, ...]
    calibration: Calibration | None


@dataclass(frozen=True)
class AnnotatorSetup:
    """Makes the job of one process: from a file name to its `Outcome`.

    Attributes:
        weights: SlimNet's weights.
        sha256: of the weights' file, in hexadecimal.
        shared: the network that reads the crops of all processes; None if each process has a network of its own.
        decisions: the operating point to decide the attributes at; None for probabilities.
    """

    weights: Path
    sha256: str
    shared: SharedNetwork | None = None
    decisions: str | None = None

    def __call__(self, ask: Callable[[np.ndarray], np.ndarray]) -> Callable[[str], Outcome]:
        """Make the job, inside the process that will run it.

        Args:
            ask: sends crops (N, 218, 178, 3) to the shared network and returns its probabilities (N, attributes).

        Returns:
            A function that annotates the picture at a path.
        """
        torch.set_num_threads(1)  # each core has its own process
        cv2.setNumThreads(1)
        return partial(annotate_picture, self._pipeline(ask), decisions=self.decisions)

    def _pipeline(self, ask: Callable[[np.ndarray], np.ndarray]) -> Pipeline[CropPredictor]:
        if self.shared:
            return Pipeline(_SharedPredictor(self.shared.attributes, self.shared.calibration, ask), FaceFinder())
        pipeline = Pipeline.load(self.weights, "cpu")
        if pipeline.weights != self.sha256:
            sys.exit(f"{self.weights} has changed since the run began")  # a traceback would say no more
        return pipeline


@dataclass(frozen=True)
class _SharedPredictor:
    """Has a network elsewhere read the crops.

    Attributes:
        attributes: names of the attributes that it predicts.
        calibration: of its weights.
        ask: turns crops into probabilities, as `slimnet.Predictor` does.
    """

    attributes: tuple[str, ...]
    calibration: Calibration | None
    ask: Callable[[np.ndarray], np.ndarray]

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        return self.ask(crops)


def _predict_together(network: Predictor, waiting: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Predict the crops (N, 218, 178, 3) of several processes in shared batches; the answers are in the same order."""
    crops = np.concatenate(waiting)
    parts = [network(crops[start : start + _BATCH_CROPS]) for start in range(0, len(crops), _BATCH_CROPS)]
    return np.split(np.concatenate(parts), np.cumsum([len(part) for part in waiting])[:-1])
