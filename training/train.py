"""Train SlimNet on CelebA: `python -m training.train --help`; in several processes `torchrun … -m training.train`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from slimnet import CheckpointError, transform
from training.config import TrainConfig, parse_config
from training.data import DataError, Split, decoded, read_celeba
from training.engine import Labelled, Trainer, TrainingError, build_network
from training.processes import Process, joined
from training.teachers import targets, teacher


def train(config: TrainConfig, process: Process) -> None:
    """Run one training. Raises DataError, CheckpointError or TrainingError, before the first step where it can."""
    folder = Path(config.save_dir)
    if not config.resume and (folder / "last.pt").exists():
        raise TrainingError(f"{folder} holds a run: go on with it by --resume, or name another --save_dir")
    if config.batch_size % process.count:
        raise TrainingError(f"--batch_size {config.batch_size} cannot be shared evenly by {process.count} processes")
    if config.resume and not (folder / "last.pt").is_file():
        raise TrainingError(
            f"there is no run to go on with: {folder / 'last.pt'} is missing; start one without --resume"
        )
    folder.mkdir(parents=True, exist_ok=True)
    splits = read_celeba(config.data_dir)
    check_splits(config, splits)
    check_weights(config, splits["train"].attributes)
    labelled, valid = prepare(splits["train"], splits["valid"], config, process)
    Trainer(config, labelled, valid, process, targets(config, labelled, process)).run()


def check_splits(config: TrainConfig, splits: dict[str, Split]) -> None:
    attributes = splits["train"].attributes
    if len(attributes) != config.num_classes:
        raise DataError(
            f"--num_classes is {config.num_classes}, and {config.data_dir} labels {len(attributes)} attributes"
        )
    for name in ("train", "valid"):
        if not len(splits[name]):
            raise DataError(f"{config.data_dir} has no pictures in its {name} split")


def check_weights(config: TrainConfig, attributes: tuple[str, ...]) -> None:
    """Raise CheckpointError or TrainingError for weights that cannot be used: decoding takes minutes."""
    build_network(config, attributes)
    for path in config.teachers:
        teacher(path, attributes)


def prepare(train: Split, valid: Split, config: TrainConfig, process: Process) -> tuple[Labelled, Labelled]:
    """Decode both splits into the cache: by each machine's first process, while the others wait.

    Raises one DataError that tells of both.
    """
    if process.local_rank != 0:
        process.wait()
    faults = []
    pictures = []
    for split in (train, valid):
        try:
            pictures.append(decoded(split, config.cache_dir, transform, max(1, config.num_workers)))
        except DataError as error:  # noqa: PERF203 (each round decodes for minutes)
            faults.append(str(error))
    if faults:
        raise DataError("\n".join(faults))
    if process.local_rank == 0:
        process.wait()
    return Labelled(pictures[0], train), Labelled(pictures[1], valid)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status: 0, 1 for what went wrong, 130 after Ctrl-C."""
    config = parse_config(arguments)
    try:
        with joined(config.device) as process:
            train(config, process)
    except (DataError, CheckpointError, TrainingError, OSError, ValueError) as error:
        print(f"training.train: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nstopped; the same command with --resume goes on from {config.save_dir}", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
