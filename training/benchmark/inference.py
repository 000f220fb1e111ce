"""Milliseconds per image for the original's way, ours and other engines, taking turns within one run."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from slimnet import Predictor, SlimNet
from slimnet.inference import Inference
from training.benchmark.original import OriginalNetwork

Contender = Callable[[], np.ndarray]  # computes one batch, and returns its probabilities
ORIGINAL, _OURS = "original, eager", "this repository"


@dataclass(frozen=True)
class Latency:
    """How long one contender took.

    Attributes:
        contender: Its name.
        threads: Number of threads that torch and the engine may use.
        batch: Crops in a batch.
        milliseconds: Median time per image; None if the engine is not installed.
        times_faster: Speed as a multiple of the original's in the same run; None as above.
        difference: Largest absolute difference from the original's probabilities; None as above.
    """

    contender: str
    threads: int
    batch: int
    milliseconds: float | None = None
    times_faster: float | None = None
    difference: float | None = None


def measure_latency(weights: Path, device: torch.device, threads: int, batch: int, runs: int) -> list[Latency]:
    """Let all contenders take turns at computing the same batch, several times.

    Changes torch's thread count while it measures.

    Args:
        weights: The weights' file.
        device: Where torch computes; the other engines take part only on a CPU.
        threads: Number of threads for torch and the other engines.
        batch: Random crops in a batch.
        runs: Timed batches of each contender, after three to warm up; the median counts.

    Returns:
        The latency of each contender, including those that are not installed.

    Raises:
        CheckpointError: The weights cannot be read.
    """
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
    """Time the contenders in turn, so that other work on the machine slows all equally: median seconds of each."""
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
    """Height and width of the network's crops."""
    preprocessing = SlimNet.load_pretrained(weights).preprocessing
    return preprocessing.height, preprocessing.width


def contenders(weights: Path, device: torch.device, crops: np.ndarray, threads: int) -> dict[str, Contender | None]:
    """Set up every way to compute the crops' probabilities.

    Only the original gets the crops already normalised.

    Args:
        weights: The weights' file.
        device: Where torch computes; the other engines are added only on a CPU.
        crops: uint8 RGB (N, height, width, 3).
        threads: Number of threads for the other engines.

    Returns:
        The contenders by name; None for an engine that is not installed, or a precision that the CPU lacks.

    Raises:
        CheckpointError: The weights cannot be read.
    """
    predictor = Predictor(weights, str(device))
    found: dict[str, Contender | None] = {
        ORIGINAL: _original(weights, device, crops),
        f"{_OURS} ({predictor.engine})": lambda: predictor(crops),
    }
    if device.type == "cpu":
        found |= _engines(weights, crops, threads)
    return found


def _original(weights: Path, device: torch.device, crops: np.ndarray) -> Contender:
    """Set up the original network in torch, with the crops normalised beforehand."""
    model = OriginalNetwork.load_pretrained(weights).eval().to(device)
    x = model.preprocessing.normalise(torch.from_numpy(crops)).contiguous()
    temperatures = torch.tensor(model.calibration.temperatures if model.calibration else 1.0)

    def run() -> np.ndarray:
        with torch.no_grad():
            return torch.sigmoid(model(x.to(device)).cpu() / temperatures).numpy()

    return run


def _engines(weights: Path, crops: np.ndarray, threads: int) -> dict[str, Contender | None]:
    """Set up ONNX Runtime and OpenVINO on the exported graph; OpenVINO also in bfloat16, its default if supported."""
    names = ("ONNX Runtime", "OpenVINO, float32", "OpenVINO, bfloat16")
    try:
        from slimnet.onnx.graph import onnx_model
    except ImportError:
        return dict.fromkeys(names)
    graph = onnx_model(Inference(SlimNet.load_pretrained(weights))).SerializeToString()
    return {
        names[0]: _onnx_runtime(graph, crops, threads),
        names[1]: _openvino(graph, crops, threads, "f32"),
        names[2]: _openvino(graph, crops, threads, "bf16"),
    }


def _onnx_runtime(graph: bytes, crops: np.ndarray, threads: int) -> Contender | None:
    """Set up ONNX Runtime on the CPU; None if it is not installed."""
    try:
        import onnxruntime
    except ImportError:
        return None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.force_spinning_stop", "1")  # else its threads slow the next one down
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    return lambda: session.run(["probabilities"], {"crops": crops})[0]


def _openvino(graph: bytes, crops: np.ndarray, threads: int, precision: str) -> Contender | None:
    """Set up OpenVINO on the CPU; None if it is not installed or the CPU lacks the precision."""
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
