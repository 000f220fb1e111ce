"""Where photos are read: on GPUs that a Space borrows (ZeroGPU of Hugging Face), or else by the frames' pipeline."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path

import gradio  # noqa: F401 (spaces cannot be imported from within gradio, which tries to)
import numpy as np

from demo.interruption import waiting
from demo.pipeline.analyse import ExplainingPredictor, Pipeline
from slimnet import Predictor
from slimnet.explain import Explanation

# Imported even if no photo is analysed: on ZeroGPU that has to happen before anything touches CUDA.
try:
    import spaces
except ImportError:
    spaces = None

# Longest loan of a GPU, in seconds: half of it to start, the rest for 10,000 faces. Shorter loans are served first.
_LOAN = 20
# Frames and photos have two threads each. With a single copy of the face models, two photos would wait for each other
# most of the time, and a core would be idle.
_FACE_MODEL_COPIES = 2
_LOG = logging.getLogger(__name__)


def on_zero_gpu() -> bool:
    """Whether this is a Space on ZeroGPU, which lends its GPUs for one call at a time, in a separate process."""
    return spaces is not None and os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")


def pipelines(weights: str | Path, device: str) -> tuple[Pipeline[Predictor], Pipeline[ExplainingPredictor]]:
    """Make the pipelines for live frames and for photos.

    They are one and the same, except on ZeroGPU. There frames stay on the CPU, because getting a GPU takes longer than
    a frame may, and GPUs are only available for minutes a day.

    Args:
        weights: SlimNet's weights.
        device: where the network runs, as for `Pipeline.load`; ignored on ZeroGPU.

    Returns:
        The pipeline for live frames, then the one for photos.

    Raises:
        slimnet.CheckpointError: the weights are missing, damaged or foreign.
        demo.pipeline.mediapipe.face_models.FaceModelError: a face model is missing or damaged.
    """
    if not on_zero_gpu():
        pipeline = Pipeline.load(weights, device, _FACE_MODEL_COPIES)
        return pipeline, pipeline
    live = Pipeline.load(weights, "cpu", _FACE_MODEL_COPIES)
    return live, Pipeline(LentGpuPredictor(live.predictor), live.finder)


class LentGpuPredictor:
    """Borrows a GPU for each call, and uses the CPU if none is available.

    Only the network runs there: the GPU's process is a fork, in which MediaPipe's threads don't exist.

    Args:
        on_cpu: predicts if there is no GPU.

    Attributes:
        attributes: names of the attributes, as `on_cpu` has them.
        calibration: how far each attribute can be trusted; None for weights that were never measured.
        sha256: of the weights' file.
    """

    def __init__(self, on_cpu: Predictor) -> None:
        self.attributes = on_cpu.attributes
        self.calibration = on_cpu.calibration
        self.sha256 = on_cpu.sha256
        self._on_cpu = on_cpu
        self._on_gpu: Predictor | None = None  # in the GPU's process
        self._lent = spaces.GPU(duration=_LOAN)(self._read)

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        """Predict the attributes of aligned crops, on a GPU if one is available.

        Args:
            crops: (N, 218, 178, 3), uint8, RGB.

        Returns:
            (N, attributes) float32 probabilities in [0, 1].
        """
        if not len(crops):
            return self._on_cpu(crops)
        try:
            with waiting():  # for a GPU
                return self._lent(crops)
        except Exception as error:  # the quota is spent, no GPU is free, the process was ended: its type doesn't say
            _LOG.warning("No GPU for %d faces (%s): the CPU reads them.", len(crops), error)
            return self._on_cpu(crops)

    def with_features(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Predict the attributes of aligned crops, and keep what `explain_features` needs, on the CPU.

        Args:
            crops: (N, 218, 178, 3), uint8, RGB; at least one.

        Returns:
            As Predictor.with_features.
        """
        return self._on_cpu.with_features(crops)

    def explain_features(self, features: np.ndarray, attributes: Sequence[int]) -> Explanation:
        """Say which places spoke for some attributes and which against them, on the CPU.

        Args:
            features: from `with_features`.
            attributes: indices of the attributes to explain.

        Returns:
            As Predictor.explain_features.
        """
        return self._on_cpu.explain_features(features, attributes)

    def _read(self, crops: np.ndarray) -> np.ndarray:
        """Read the crops in the process that has the GPU, which keeps its network for the next call."""
        self._on_gpu = self._on_gpu or Predictor(self._on_cpu.path)
        return self._on_gpu(crops)
