"""How many crops a second the exported network reads in an inference server: processes that only know ONNX Runtime."""

import json
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch

from demo.benchmark.server import NotServedError
from slimnet import Predictor
from slimnet.export import main as export

# Another program: it gets the file, and knows nothing about this project.
_SERVER = """
import json, sys, time
import numpy as np, onnxruntime
file, batch, height, width, attributes = sys.argv[1], *map(int, sys.argv[2:6])
seconds = float(sys.argv[6])
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
crops = np.random.default_rng(0).integers(0, 256, (batch, height, width, 3), np.uint8)
answer = session.run(["probabilities"], {"crops": crops})[0]
assert answer.shape == (batch, attributes) and 0 <= answer.min() <= answer.max() <= 1
sys.stdout.write("ready\\n"); sys.stdout.flush(); sys.stdin.readline()
count, began = 0, time.monotonic()
while time.monotonic() < began + seconds:
    session.run(["probabilities"], {"crops": crops})
    count += batch
print(json.dumps(count / (time.monotonic() - began)))
"""


def report_onnx(workers: list[int], batches: list[int], seconds: float, weights: Path) -> None:
    """Measure, and print a line for each batch size: the page's own network, then each number of processes.

    Args:
        workers: numbers of processes, each with one thread.
        batches: batch sizes, in crops.
        seconds: how long each is measured.
        weights: SlimNet's weights.

    Raises:
        NotServedError: the network cannot be exported, or a process cannot read crops with it.
    """
    torch.set_num_threads(1)  # as demo.server.command does
    predictor = Predictor(weights, "cpu")
    sizes = predictor.height, predictor.width, len(predictor.attributes)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "slimnet.onnx"
        if export(["--weights", str(weights), "--out", str(file)]):
            raise NotServedError(f"{weights} cannot be exported to ONNX, for the reason above")
        for batch in batches:
            rates = [f"slimnet.Predictor {_predictor_rate(predictor, batch, seconds):.0f} crops/s"]
            for count in workers:
                found = crop_rates(file, sizes, count, batch, seconds)
                rates.append(f"{count} processes {sum(found):.0f} crops/s ({min(found):.0f} to {max(found):.0f} each)")
            print(f"{batch} crops at a time: {', '.join(rates)}", flush=True)


def _predictor_rate(predictor: Predictor, batch: int, seconds: float) -> float:
    """Crops a second of the page's own network, on one thread as in the page."""
    crops = np.random.default_rng(0).integers(0, 256, (batch, predictor.height, predictor.width, 3), np.uint8)
    predictor(crops)
    count, began = 0, time.monotonic()
    while time.monotonic() < began + seconds:
        predictor(crops)
        count += batch
    return count / (time.monotonic() - began)


def crop_rates(file: Path, sizes: tuple[int, int, int], workers: int, batch: int, seconds: float) -> list[float]:
    """Crops a second of each process, with all running at the same time.

    Args:
        file: the network, written by `slimnet.export`.
        sizes: height and width of its crops, and its number of attributes.
        workers: number of processes.
        batch: how many crops each reads at a time.
        seconds: how long each reads crops.

    Raises:
        NotServedError: a process ended early.
    """
    command = [sys.executable, "-I", "-c", _SERVER, str(file), *map(str, (batch, *sizes, seconds))]
    with ExitStack() as stack:
        servers = [stack.enter_context(_server(command, file.parent)) for _ in range(workers)]
        for server in servers:
            stack.callback(server.kill)  # or else the others would go on if one ends early
        for server in servers:
            assert server.stdout
            if server.stdout.readline() != "ready\n":
                raise NotServedError("a process of ONNX Runtime ended before it was ready, for the reason above")
        said = _all_go(servers)
        if any(server.returncode for server in servers):
            raise NotServedError("a process of ONNX Runtime ended while it read crops, for the reason above")
    return [float(json.loads(rate)) for rate in said]


def _server(command: list[str], folder: Path) -> subprocess.Popen[str]:
    """Start a process that reads crops once it is told to begin."""
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", cwd=folder)


def _all_go(servers: list[subprocess.Popen[str]]) -> list[str]:
    """Let all begin, and return what each says at its end."""
    for server in servers:
        assert server.stdin
        server.stdin.write("\n")
        server.stdin.flush()
    return [server.communicate()[0] for server in servers]
