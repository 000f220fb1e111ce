"""What fits into a GPU's memory: the batch of a training step, and whether the pictures fit beside it."""

import copy
from pathlib import Path

import torch

from training.fit.build import build_network
from training.fit.config import TrainConfig
from training.fit.errors import TrainingError
from training.fit.record.run_state import read_state
from training.fit.runtime.distributed import Process
from training.fit.runtime.precision import compute_type
from training.networks.network import Network

_MOST = 1024  # pictures in a batch; with more, there are too few steps for the recipes' learning rates
_CPU_BATCH_SIZE = 128
_FEWEST, _STEPS = 32, 20  # no batch is made smaller than this for the sake of so many steps in an epoch
_SPARE = 0.1  # share of the memory to keep free for later growth


def batch_size_for(config: TrainConfig, attributes: tuple[str, ...], process: Process, pictures: int) -> int:
    """Return the batch size for a run without a fixed one: the largest power of two that fits into the GPU's memory.

    It is at most 1,024, and less for so few pictures that an epoch would have too few steps; 128 without a GPU; and
    unchanged for a resumed run.

    Args:
        config: Settings of the run.
        attributes: Names of the outputs.
        process: This process, which must be alone.
        pictures: How many an epoch draws.

    Raises:
        TrainingError: Memory is too small for two pictures.
    """
    if config.resume:
        return int(read_state(Path(config.save_dir) / "last.pt")["config"]["batch_size"])
    if process.device.type != "cuda":
        return _CPU_BATCH_SIZE
    network = build_network(config, attributes).to(process.device)
    dtype = compute_type(config.precision, process.device)
    size = _MOST
    while size > _FEWEST and pictures < _STEPS * size:
        size //= 2
    while size > 1 and not _fits(network, size, dtype):
        size //= 2
    if size == 1:
        raise TrainingError(f"{process.device} has too little memory to train: use --device cpu")
    return size


def _fits(network: Network, batch_size: int, dtype: torch.dtype) -> bool:
    """Return whether a training step fits, with some memory to spare."""
    torch.cuda.empty_cache()
    try:
        try_step(network, batch_size, dtype)
    except torch.OutOfMemoryError:
        return False
    free, whole = torch.cuda.mem_get_info(next(network.parameters()).device)
    return free >= _SPARE * whole


def try_step(network: Network, batch_size: int, dtype: torch.dtype) -> None:
    """Compute gradients for blank crops of full size, so that torch allocates the memory that training will need.

    Args:
        network: Network to train; it is not changed.
        batch_size: Crops in the batch.
        dtype: Number format to compute in.

    Raises:
        torch.OutOfMemoryError: It does not fit.
    """
    trained = copy.deepcopy(network).train()
    device, full = next(trained.parameters()).device, trained.preprocessing
    crops = torch.zeros((batch_size, full.height, full.width, 3), dtype=torch.uint8, device=device)
    with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
        logits = trained(full.normalise(crops))
    logits.float().mean().backward()


def holds(device: torch.device, size: int) -> bool:
    """Return whether a GPU should hold the pictures: if they take at most half of what training leaves free.

    The other half is for augmenting batches. Call this after try_step.

    Args:
        device: Training device.
        size: Bytes of the pictures.
    """
    return device.type == "cuda" and 2 * size <= torch.cuda.mem_get_info(device)[0]
