"""Train SlimNet on CelebA: `python -m training.train --help`; in several processes `torchrun … -m training.train`."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from slimnet import CheckpointError, transform
from training.data.cache import LabelledPictures, check_room, decoded, place
from training.data.celeba import DataError, Split, read_celeba, unknown_labels
from training.fit.build import build_network
from training.fit.config import TrainConfig, parse_config
from training.fit.distillation import describe, targets
from training.fit.distributed import Process, joined, report_failure
from training.fit.errors import TrainingError
from training.fit.interruption import Interrupted, Interruption
from training.fit.schedule import check_crops
from training.fit.trainer import Trainer
from training.fit.transfer import Beginning


def train(config: TrainConfig, process: Process, interruption: Interruption | None = None) -> None:
    """Run one training, checking as much as possible before the first step.

    Args:
        config: The options.
        process: This process of those that train together.
        interruption: Set when the run is to stop, which it does after saving; None for a run that isn't watched.

    Raises:
        DataError: The data cannot be used.
        CheckpointError: A file of weights or a checkpoint cannot be read or does not fit.
        TrainingError: The options contradict what is in --save_dir or each other, or training failed.
        KeyboardInterrupt: The run was interrupted.
    """
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
    _check_splits(config, splits)
    for line in (unknown_labels(splits), *_check_weights(config, splits["train"].attributes)):
        if line and process.writes:
            print(line, file=sys.stderr)
    labelled, valid = prepare(splits["train"], splits["valid"], config, process)
    Trainer(config, labelled, valid, process, targets(config, labelled, process), interruption).run()


def _check_splits(config: TrainConfig, splits: dict[str, Split]) -> None:
    """Raise DataError if the splits cannot be trained on."""
    attributes = splits["train"].attributes
    if len(attributes) != config.num_classes:
        raise DataError(
            f"--num_classes is {config.num_classes}, and {config.data_dir} labels {len(attributes)} attributes"
        )
    for name in ("train", "valid"):
        if not len(splits[name]):
            raise DataError(f"{config.data_dir} has no pictures in its {name} split")
    never = splits["train"].never_known()
    if never:
        raise DataError(
            f"no picture of the train split has a known label of {', '.join(never)} (0 beside -1 and 1 means not "
            "known): nothing can be learnt; leave these columns out"
        )
    if not splits["valid"].known.any():
        raise DataError("no label of the valid split is known (0 beside -1 and 1): nothing can be judged")


def _check_weights(config: TrainConfig, attributes: tuple[str, ...]) -> list[str]:
    """Check the crop sizes, the teachers and the initial weights before the minutes that decoding takes.

    Returns what the user should know about the teachers and the initial weights, a line for each.

    Raises:
        CheckpointError: Weights cannot be read or used.
        TrainingError: The options cannot be used.
    """
    check_crops(config, build_network(config, attributes))
    lines = [describe(path, attributes) for path in config.teachers]
    if config.init_from and not config.resume:
        lines.insert(0, Beginning.load(config.init_from, attributes).describe(attributes))
    return [line for line in lines if line]


def prepare(
    train: Split, valid: Split, config: TrainConfig, process: Process
) -> tuple[LabelledPictures, LabelledPictures]:
    """Decode both splits into the cache: by each machine's first process, while the others wait.

    Args:
        train: The training split.
        valid: The validation split.
        config: Names the cache and the number of workers.
        process: This process of those that train together.

    Returns:
        The training pictures and the validation pictures, with their labels.

    Raises:
        DataError: Pictures are damaged, in which case it names those of both splits, or the cache has too little room.
    """
    if process.local_rank == 0:
        check_room([place(split, config.cache_dir, transform) for split in (train, valid)])
    else:
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
    return LabelledPictures(pictures[0], train), LabelledPictures(pictures[1], valid)


def _how_to_go_on(config: TrainConfig, arguments: Sequence[str]) -> str:
    """Write the message for a run that was stopped: the command that resumes it."""
    program = ["python", "-m"]
    if "LOCAL_WORLD_SIZE" in os.environ:
        program += ["torch.distributed.run", "--standalone", "--nproc_per_node", os.environ["LOCAL_WORLD_SIZE"], "-m"]
    saved = (Path(config.save_dir) / "last.pt").is_file()
    resume = ["--resume"] if saved and "--resume" not in arguments else []
    command = shlex.join([*program, "training.train", *arguments, *resume])
    if os.environ.get("LOCAL_WORLD_SIZE") != os.environ.get("WORLD_SIZE"):
        command = "on each machine the same command" + " with --resume" * bool(resume)
    state = "; to go on from what is saved" if saved else " before there was anything to save; to begin again"
    return f"stopped{state}:\n  {command}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: Of the command line, without the program's name; None for the program's own.

    Returns:
        The exit status: 0, 1 if something went wrong, 130 after Ctrl-C, 143 after SIGTERM.
    """
    given = sys.argv[1:] if arguments is None else arguments
    config = parse_config(given)
    try:
        with Interruption().watched() as interruption, joined(config.device) as process:
            train(config, process, interruption)
    except (DataError, CheckpointError, TrainingError, OSError, ValueError) as error:
        report_failure(f"training.train: {error}")
        return 1
    except KeyboardInterrupt as error:
        if os.environ.get("RANK", "0") == "0":
            print(f"\n{_how_to_go_on(config, given)}", file=sys.stderr)
        return error.status if isinstance(error, Interrupted) else 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
