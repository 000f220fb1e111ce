"""A run's state on disk: what --resume continues from, and the metrics of the finished epochs."""

import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from slimnet.files.atomic import replace_text, replacement
from training.fit.config import FREE_ON_RESUME, REMOVED_FLAGS, TrainConfig
from training.fit.errors import TrainingError


@dataclass
class Progress:
    """How far a run has come.

    Args:
        epoch: Finished epochs.
        batch: Optimiser steps done in the current epoch.
        step: Optimiser steps done in total.
        images: Training images seen.
        loss_sum: Sum of the current epoch's losses, one for each step.
        best: Highest mean of --keep_best's figure in validation so far, from 0 to 1; -1 before the first validation.
        seconds: Time spent so far.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    images: int = 0
    loss_sum: float = 0.0
    best: float = -1.0
    seconds: float = 0.0


def write_state(path: Path, state: dict[str, Any]) -> None:
    """Write a run's state atomically.

    Args:
        path: File to write.
        state: Tensors, numbers and text that read_state can read.

    Raises:
        TrainingError: The disk is full.
    """
    try:
        with replacement(path) as part:
            torch.save(state, part)
    except RuntimeError as error:  # torch's zip writer raises this, not OSError, on a full disk
        raise TrainingError(f"{path.parent} cannot be written to ({error}); once it can, --resume") from error


def read_state(path: Path) -> dict[str, Any]:
    """Read what write_state wrote, onto the CPU; its "position" becomes a Progress.

    Args:
        path: File to read.

    Raises:
        TrainingError: The file cannot be read.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        return {**state, "position": Progress(**state["position"])}
    except PermissionError as error:
        raise TrainingError(f"{path} cannot be read: {error.strerror or error}") from error
    except Exception as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> TrainingError:
    """Return the error for an unusable state, with advice on what to do.

    Args:
        path: File of the state.
        error: What reading or using it raised.
    """
    # torch writes a zip file, whose table of contents comes last; torch's own message does not say if that is missing.
    whole = zipfile.is_zipfile(path)
    fault = f"cannot be read ({error})" if whole else f"is cut off, at {path.stat().st_size:,} bytes"
    return TrainingError(
        f"{path} {fault}. Copy it again if it was copied; else begin in another --save_dir, "
        f"by --init_from {path.with_suffix('.safetensors')} with the weights as they were last"
    )


def check_same_run(
    path: Path, state: dict[str, Any], config: TrainConfig, fingerprint: str, choice_fingerprint: str
) -> None:
    """Check that a state belongs to a run with these settings and data.

    Args:
        path: File that the state was read from.
        state: State from read_state.
        config: Settings to continue with.
        fingerprint: Fingerprint of the training data.
        choice_fingerprint: Fingerprint of the validation pictures that decide which weights are best.

    Raises:
        TrainingError: It belongs to another run.
    """
    now = asdict(config)
    before = {**asdict(TrainConfig()), **state["config"]}  # a run from before a flag existed did what its default does
    free = FREE_ON_RESUME | _later_end(state["position"], before, now)
    changes = [
        f"--{name} was {before[name]}, is {now[name]}" for name in now if name not in free and now[name] != before[name]
    ]
    changes += [
        f"--{name} was {before[name]}, is gone"
        for name, default in REMOVED_FLAGS.items()
        if before.get(name, default) != default
    ]
    if changes:
        raise TrainingError(f"{path} is of a run with other settings: {', '.join(changes)}")
    if state.get("data", fingerprint) != fingerprint:
        raise TrainingError(
            f"{path} is of a run on other pictures or labels than {' '.join(config.data_dir)}, "
            "or with other weights of these folders"
        )
    if state.get("valid", choice_fingerprint) != choice_fingerprint:
        raise TrainingError(
            f"{path} is of a run whose best weights were chosen on other validation pictures or labels than those of "
            f"{config.data_dir[0]}, so that its figures cannot be compared with new ones"
        )


def _later_end(progress: Progress, before: dict[str, Any], now: dict[str, Any]) -> set[str]:
    """Return the settings that let a finished run continue: its end, if that is later now.

    An unfinished run keeps its end, since its schedule depends on it.
    """
    end, done = ("minutes", progress.seconds / 60) if before["minutes"] else ("num_epochs", progress.epoch)
    return {end} if before[end] <= done and not progress.batch and now[end] > before[end] else set()


def check_finite(network: nn.Module, folder: Path) -> None:
    """Check that the weights are finite, so that bad ones never overwrite good ones.

    Args:
        network: Network to check.
        folder: Where the last good weights are, for the message.

    Raises:
        TrainingError: Some weights are not finite.
    """
    finite = torch.stack([torch.isfinite(value).all() for value in network.state_dict().values()])
    if not finite.all():  # read once, since each read waits for the GPU
        raise TrainingError(
            f"the weights are no longer finite: training stopped. The last good ones are kept in {folder}; "
            "try a lower --learning_rate"
        )


def write_metrics(path: Path, epochs: int, more: str = "") -> None:
    """Keep the first lines of a metrics file, one for each finished epoch, and add more.

    Later lines are from epochs that a restored state has not finished; they will be written again.

    Args:
        path: File of the metrics.
        epochs: Number of lines to keep.
        more: Lines to add, each with its line end.
    """
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)[:epochs] if path.is_file() else []
    if lines or more or path.is_file():
        replace_text(path, "".join(lines) + more)
