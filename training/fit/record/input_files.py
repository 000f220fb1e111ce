"""The files that a run learns from beside its pictures: teachers and initial weights, identified by their content."""

from pathlib import Path
from typing import Any

from training.fit.config import TrainConfig
from training.fit.errors import TrainingError
from training.fit.record.run_state import read_state
from training.measure.predictions import identify


def input_files(config: TrainConfig) -> dict[str, Any]:
    """Identify the files that a run learns from.

    Args:
        config: Its settings.

    Returns:
        "teachers", a list in order, and "init_from", if the run has them: each file's name as "file", and its SHA-256
        as "sha256". A resumed run no longer needs its initial weights, so they come from its state, and are absent if
        that is from an older version that didn't record them.

    Raises:
        TrainingError: The state to resume from can't be read, or a teacher has changed since.
        OSError: A file cannot be read.
    """
    files: dict[str, Any] = {}
    if config.teachers:
        files["teachers"] = [identify(Path(teacher)) for teacher in config.teachers]
    if config.resume:
        path = Path(config.save_dir) / "last.pt"
        state = read_state(path)
        before = state.get("files", {})
        if state.get("config", {}).get("teachers") == config.teachers:  # otherwise another run's: reported later
            _check_unchanged(config.teachers, files.get("teachers", []), before.get("teachers", []), path)
        return {**files, **before}
    if config.init_from:
        files["init_from"] = identify(Path(config.init_from))
    return files


def _check_unchanged(
    teachers: tuple[str, ...], now: list[dict[str, str]], before: list[dict[str, str]], path: Path
) -> None:
    """Check that teachers have not changed; `before` is empty if the run's state did not record them.

    Raises:
        TrainingError: One has changed.
    """
    for teacher, found, known in zip(teachers, now, before, strict=False):
        if found["sha256"] != known["sha256"]:
            raise TrainingError(
                f"the teacher {teacher} is no longer the file that the run in {path.parent} learns from (its SHA-256 "
                f"was {known['sha256'][:12]}…, is {found['sha256'][:12]}…): put the former file back there; else begin "
                f"in another --save_dir, by --init_from {path.with_suffix('.safetensors')} with the weights as they "
                "were last"
            )
