"""Milliseconds an image, of the original's way, ours and other engines, in turns within one run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from slimnet import Predictor, SlimNet
from training.benchmark.original import OriginalNetwork

Contender = Callable[[], np.ndarray]  # computes one batch, and gives its probabilities
ORIGINAL, _OURS = "original, eager", "this repository"


@dataclass(frozen=True)
class Latency:
    """What one contender took. milliseconds: the median, an image; None where the engine is not installed.

    times_faster: than the original of the same run. difference: the largest from its probabilities.
    """

    contender: str
    threads: int
    batch: int
    milliseconds: float | None = None
    times_faster: float | None = None
    difference: float | None = None


def measure_latency(weights: Path, device: torch.device, threads: int, batch: int, runs: int) -> list[Latency]:
    """Let every contender compute one batch in turn, `runs` times. Changes torch's thread count while it measures."""
    crops = np.random.default_rng(0).integers(0, 256, (batch, *_input_size(weights), 3), np.uint8)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        found = contenders(weights, device, crops, threads)
        installed = {name: run for name, run in found.items() if run}
        seconds = _in_turns(installed, runs)
        probabilities = {name: run() for name, run in installed.items()}
    finally:
        torch.set_num_threads(before)
    return [
        Latency(
            name,
            threads,
            batch,
            1000 * seconds[name] / batch,
            seconds[ORIGINAL] / seconds[name],
            float(np.abs(probabilities[name] - probabilities[ORIGINAL]).max()),
        )
        if name in installed
        else Latency(name, threads, batch)
        for name in found
    ]


def _in_turns(contenders: dict[str, Contender], runs: int) -> dict[str, float]:
    """The median seconds of each, so that what else the machine does in a while hits all of them alike."""
    for run in contenders.values():
        for _ in range(3):
            run()
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(runs):
        for name, run in contenders.items():
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def _input_size(weights: Path) -> tuple[int, int]:
    preprocessing = SlimNet.load_pretrained(weights).preprocessing
    return preprocessing.height, preprocessing.width


def contenders(weights: Path, device: torch.device, crops: np.ndarray, threads: int) -> dict[str, Contender | None]:
    """Every way to compute the crops' probabilities; None for an engine that is not installed. The original alone is
    handed them normalised."""
    predictor = Predictor(weights, str(device))
    found: dict[str, Contender | None] = {
        ORIGINAL: _original(weights, device, crops),
        f"{_OURS} ({predictor.engine})": lambda: predictor(crops),
    }
    if device.type == "cpu":
        found |= _engines(weights, crops, threads)
    return found


def _original(weights: Path, device: torch.device, crops: np.ndarray) -> Contender:
    model = OriginalNetwork.load_pretrained(weights).eval().to(device)
    x = model.preprocessing.normalise(torch.from_numpy(crops)).contiguous()
    temperatures = torch.tensor(model.calibration.temperatures if model.calibration else 1.0)

    def run() -> np.ndarray:
        with torch.no_grad():
            return torch.sigmoid(model(x.to(device)).cpu() / temperatures).numpy()

    return run


def _engines(weights: Path, crops: np.ndarray, threads: int) -> dict[str, Contender | None]:
    """ONNX Runtime and OpenVINO on the exported graph; the latter also in bfloat16, its choice where a CPU has it."""
    names = ("ONNX Runtime", "OpenVINO, float32", "OpenVINO, bfloat16")
    try:
        from slimnet.onnx_graph import onnx_model
    except ImportError:
        return dict.fromkeys(names)
    graph = onnx_model(SlimNet.load_pretrained(weights)).SerializeToString()
    return {
        names[0]: _onnx_runtime(graph, crops, threads),
        names[1]: _openvino(graph, crops, threads, "f32"),
        names[2]: _openvino(graph, crops, threads, "bf16"),
    }


def _onnx_runtime(graph: bytes, crops: np.ndarray, threads: int) -> Contender | None:
    try:
        import onnxruntime
    except ImportError:
        return None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.force_spinning_stop", "1")  # or its threads would slow the next one down
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    return lambda: session.run(["probabilities"], {"crops": crops})[0]


def _openvino(graph: bytes, crops: np.ndarray, threads: int, precision: str) -> Contender | None:
    try:
        from openvino import Core
    except ImportError:
        return None
    core = Core()
    if precision.upper() not in {*core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"), "F32"}:
        return None
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": precision,
    }
    request = core.compile_model(core.read_model(graph, b""), "CPU", settings).create_infer_request()
    return lambda: request.infer([crops])["probabilities"]
