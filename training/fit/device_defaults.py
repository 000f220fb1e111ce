"""Defaults that depend on the device, for the settings that neither a flag nor the recipe gives."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from training.fit.config import TrainConfig
from training.fit.record.run_state import read_state
from training.fit.runtime.distributed import Process

_ON_CUDA = {"precision": "auto", "batch_size": 0}


def device_defaults(config: TrainConfig, left_open: Collection[str], process: Process) -> dict[str, Any]:
    """Choose the settings that are left to the device.

    On a CUDA GPU a run computes in bfloat16 or float16 and, if it is a single process, with as large a batch as fits
    into memory; elsewhere as by TrainConfig's own defaults. A resumed run keeps what it began with, on any device.

    Args:
        config: Settings of the run.
        left_open: Names of the settings to choose, from config.left_open.
        process: This process.

    Returns:
        The settings by name; those that are left out stay as they are.

    Raises:
        TrainingError: The run's state cannot be read.
    """
    path = Path(config.save_dir) / "last.pt"
    if config.resume and path.is_file():
        before = read_state(path).get("config", {})
        return {name: before[name] for name in left_open if name in before}
    if process.device.type != "cuda":
        return {}
    return {name: _ON_CUDA[name] for name in left_open if name != "batch_size" or process.count == 1}
