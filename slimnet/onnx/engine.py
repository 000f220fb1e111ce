"""ONNX Runtime as the engine on a CPU. Importing this module needs the packages onnx and onnxruntime."""

import numpy as np
import onnxruntime
import torch
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, RuntimeException

from slimnet.inference import Inference
from slimnet.onnx.graph import onnx_model

_MAX_BATCH_CROPS = 8  # larger batches are no faster per crop, and each crop takes 15 MB


class OnnxNetwork:
    """A slimnet.predictor.Network that runs on ONNX Runtime, on the CPU; safe to call from several threads.

    It has its own threads, as many as torch has when it is created.

    Args:
        inference: the network, folded.

    Attributes:
        device: always the CPU.
        engine: always "ONNX Runtime".
    """

    device = torch.device("cpu")
    engine = "ONNX Runtime"

    def __init__(self, inference: Inference) -> None:
        onnxruntime.disable_telemetry_events()  # its Windows builds have some
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        # Waiting threads sleep. By default they spin, which takes processor time from the frame's other work.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            onnx_model(inference).SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        """Compute probabilities.

        Args:
            crops: uint8 RGB (N, height, width, 3), at least one.

        Returns:
            float32 (N, attributes), 0 to 1.

        Raises:
            MemoryError: there is too little memory.
            RuntimeError: the engine failed in another way.
        """
        return self._run(crops, "probabilities")[0]

    def maps(self, crops: np.ndarray) -> np.ndarray:
        """Divide the log-odds of the probabilities among the places of the crops.

        Args:
            crops: uint8 RGB (N, height, width, 3), at least one.

        Returns:
            float32 (N, attributes, h, w), as in slimnet.explain.Explanation.

        Raises:
            MemoryError: there is too little memory.
            RuntimeError: the engine failed in another way.
        """
        return self._run(crops, "maps")[0]

    def with_features(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Compute probabilities, and the features that explain them.

        Args:
            crops: uint8 RGB (N, height, width, 3), at least one.

        Returns:
            As slimnet.inference.Inference.with_features.

        Raises:
            MemoryError: there is too little memory.
            RuntimeError: the engine failed in another way.
        """
        probabilities, features = self._run(crops, "probabilities", "features")
        return probabilities, features

    def _run(self, crops: np.ndarray, *outputs: str) -> list[np.ndarray]:
        starts = range(0, len(crops), _MAX_BATCH_CROPS)
        batches = (np.ascontiguousarray(crops[start : start + _MAX_BATCH_CROPS]) for start in starts)
        try:
            results = [self._session.run(outputs, {"crops": batch}) for batch in batches]
            return [np.concatenate(parts) for parts in zip(*results, strict=True)]
        except (Fail, RuntimeException) as error:  # unlike torch's errors, these are not RuntimeErrors
            if any(sign in str(error) for sign in ("Failed to allocate memory", "bad_alloc", "bad allocation")):
                raise MemoryError("not enough memory") from error
            raise RuntimeError(str(error)) from error
