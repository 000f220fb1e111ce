"""Where photos are read: on the GPUs that a Space borrows (ZeroGPU of Hugging Face), or else where frames are."""

import logging
import os
from pathlib import Path
from typing import Any

import gradio  # noqa: F401 (spaces cannot be imported from within gradio, which tries to)
import numpy as np

from demo.pipeline.analyse import Pipeline
from slimnet import Predictor

# Imported even where no photo is analysed: on ZeroGPU it has to come before anything touches CUDA.
try:
    import spaces
except ImportError:
    spaces = None

# A GPU is lent for so long at most, in seconds: half of it to begin, and then 10,000 faces. Short loans come first.
_LOAN = 20
_LOG = logging.getLogger(__name__)


def on_zero_gpu() -> bool:
    """Whether this is a Space whose GPUs are lent for one call at a time, in a process of its own."""
    return spaces is not None and os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")


def pipelines(weights: str | Path, device: str) -> tuple[Pipeline, Pipeline]:
    """What analyses live frames, and what analyses photos. One and the same, except on ZeroGPU: frames stay on the CPU
    there, since a GPU takes longer to get than a frame may last, and is to be had for minutes a day.

    Args:
        weights: SlimNet's weights.
        device: where the network runs, as for `Pipeline`. ZeroGPU decides by itself.

    Raises:
        As `Pipeline` does.
    """
    if not on_zero_gpu():
        pipeline = Pipeline(weights, device)
        return pipeline, pipeline
    pipeline = Pipeline(weights, "cpu")
    return pipeline, pipeline.with_predictor(LentGpuPredictor(weights))


class LentGpuPredictor(Predictor):
    """A predictor that borrows a GPU for each call, and goes on with the CPU where none is to be had.

    Only the network goes there: the GPU's process is a fork, in which MediaPipe's threads do not exist.
    """

    def __init__(self, weights: str | Path) -> None:
        super().__init__(weights, "cpu")
        self._weights = weights
        self._there: Predictor | None = None
        self._lent = spaces.GPU(duration=_LOAN)(self._read)

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        if not len(crops):
            return super().__call__(crops)
        try:
            return self._lent(crops)
        except Exception as error:  # the quota is spent, no GPU is free, the process was ended: no type says which
            _LOG.warning("No GPU for %d faces (%s): the CPU reads them.", len(crops), error)
            return super().__call__(crops)

    def _read(self, crops: np.ndarray) -> Any:
        """The same in the process that has the GPU, which keeps its network for the next call."""
        self._there = self._there or Predictor(self._weights)
        return self._there(crops)
