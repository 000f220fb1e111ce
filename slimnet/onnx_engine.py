"""ONNX Runtime as the engine on a CPU. Importing this module needs the packages onnx and onnxruntime."""

from __future__ import annotations

import numpy as np
import onnxruntime
import torch
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, RuntimeException

from slimnet.model import SlimNet
from slimnet.onnx_graph import onnx_model

AT_ONCE = 8  # crops: more are no faster each, and take 15 MB each


class OnnxNetwork:
    """A network on the CPU, with as many threads as torch has when it is made; safe to call from several threads."""

    device = torch.device("cpu")
    engine = "ONNX Runtime"

    def __init__(self, model: SlimNet) -> None:
        onnxruntime.disable_telemetry_events()  # its builds for Windows have some
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        # Waiting threads sleep: by default they spin, and take the processor from whatever else works on a frame.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            onnx_model(model).SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        """Turn uint8 RGB crops (N, height, width, 3) into float32 probabilities (N, attributes).

        Raises MemoryError, or RuntimeError for another failure of the engine.
        """
        parts = (np.ascontiguousarray(crops[start : start + AT_ONCE]) for start in range(0, len(crops), AT_ONCE))
        try:
            return np.concatenate([self._session.run(["probabilities"], {"crops": part})[0] for part in parts])
        except (Fail, RuntimeException) as error:  # which are no RuntimeErrors, as torch's are
            if any(sign in str(error) for sign in ("Failed to allocate memory", "bad_alloc", "bad allocation")):
                raise MemoryError("not enough memory") from error
            raise RuntimeError(str(error)) from error
