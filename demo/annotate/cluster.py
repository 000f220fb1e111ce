"""Annotate many pictures with Ray Data, on more than one machine: ``python -m demo.annotate ... --ray [ADDRESS]``."""

import logging
import os
import pickle
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from demo.annotate.processes import AnnotatorSetup, SharedNetwork
from demo.batch.outcome import Outcome
from demo.batch.workers import WorkerError
from demo.paths import ROOT
from slimnet import Predictor

# Results arrive in blocks.
_BLOCK_PICTURES = 16
_MAX_BLOCKS = 10_000


def annotate_on_ray(
    files: Sequence[str],
    weights: Path,
    sha256: str,
    device: str,
    address: str | None,
    workers: int | None,
    decisions: str | None,
) -> Generator[Outcome, None, None]:
    """Annotate pictures on a cluster, with the same jobs as `demo.annotate.processes.annotate_in_processes`.

    Args:
        files: pictures; like the weights and this repository, they have the same paths on every machine.
        weights: SlimNet's weights.
        sha256: of the weights' file, in hexadecimal.
        device: "cpu" ignores GPUs; otherwise each GPU of the cluster runs a network that reads the crops of all jobs.
        address: of the cluster, as ray.init takes it; None for this machine's cluster, or a local one.
        workers: number of jobs; None for one on each core of the cluster.
        decisions: the operating point to decide the attributes at; None for probabilities.

    Yields:
        The outcome of each picture, in order.

    Raises:
        WorkerError: Ray cannot be started or reached, or a job's process died twice on the same pictures.
    """
    import ray

    if not files:
        return
    _connect(address)
    cluster = ray.cluster_resources()
    gpus = 0 if device == "cpu" else int(cluster.get("GPU", 0))
    try:
        networks = [ray.remote(num_gpus=1, num_cpus=0)(_Network).remote(weights.resolve(), sha256) for _ in range(gpus)]
        shared = ray.get(networks[0].describe.remote()) if networks else None
        count = max(1, min(len(files), int(cluster.get("CPU", 0)), workers or len(files)))
        pictures = ray.data.from_items(
            [{"file": os.fsencode(file)} for file in files],
            override_num_blocks=max(count, min(_MAX_BLOCKS, len(files) // _BLOCK_PICTURES)),
        )
        outcomes = pictures.map(
            _Job,
            fn_constructor_args=(AnnotatorSetup(weights.resolve(), sha256, shared, decisions), Path.cwd(), networks),
            compute=ray.data.ActorPoolStrategy(size=count),
            num_cpus=1,
            max_task_retries=1,  # Ray Data would retry for ever what kills its process (valid for Ray up to 2.63)
        )
        for row in outcomes.iter_rows():
            yield pickle.loads(row["outcome"])
    except ray.exceptions.RayError as error:
        raise WorkerError(f"Ray: {error}") from error


def _connect(address: str | None) -> None:
    import ray

    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    if not ray.is_initialized():
        try:
            ray.init(address, log_to_driver=False, runtime_env={"env_vars": {"PYTHONPATH": path}})
        except Exception as error:  # Ray raises almost any type
            raise WorkerError(f"Ray cannot be started or reached: {error}") from error
    context = ray.data.DataContext.get_current()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False  # demo.annotate shows its own
    logging.getLogger("ray.data").setLevel(logging.WARNING)


class _Job:
    """An actor that annotates one picture at a time. File names are sent as bytes, since they need not be UTF-8."""

    def __init__(self, setup: AnnotatorSetup, folder: Path, networks: list[Any]) -> None:
        os.chdir(folder)  # names may be relative
        self._networks = networks
        try:
            self._annotate = setup(self._ask)
        except SystemExit as error:  # Ray would start another process
            raise RuntimeError(str(error)) from None

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        return {"outcome": pickle.dumps(self._annotate(os.fsdecode(row["file"])))}

    def _ask(self, crops: np.ndarray) -> np.ndarray:
        import ray

        return ray.get(self._networks[os.getpid() % len(self._networks)].read.remote(crops))


class _Network:
    """An actor that has a GPU."""

    def __init__(self, weights: Path, sha256: str) -> None:
        self._network = Predictor(weights)
        if self._network.sha256 != sha256:
            raise RuntimeError(f"{weights} has changed since the run began, or is another file there")

    def describe(self) -> SharedNetwork:
        return SharedNetwork(self._network.attributes, self._network.calibration)

    def read(self, crops: np.ndarray) -> np.ndarray:
        return self._network(crops)
