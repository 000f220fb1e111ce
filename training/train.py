"""Train SlimNet on CelebA: `python -m training.train --help`; in several processes `torchrun … -m training.train`."""

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from slimnet import CheckpointError, transform
from training.data.cache import Pictures, decoded_together
from training.data.celeba import DataError, Split
from training.data.folders import RunSplits, read_folders
from training.fit.build import build_network
from training.fit.config import TrainConfig, left_open, parse_config
from training.fit.device_defaults import device_defaults
from training.fit.device_memory import batch_size_for
from training.fit.distillation import check_teachers, targets
from training.fit.errors import TrainingError
from training.fit.record.input_files import input_files
from training.fit.runtime.distributed import Process, joined, leave, report_failure
from training.fit.runtime.interruption import Interrupted, Interruption
from training.fit.schedule import check_crops
from training.fit.trainer import Trainer
from training.fit.transfer import Beginning


def train(config: TrainConfig, process: Process, interruption: Interruption | None = None) -> None:
    """Run one training, checking as much as possible before the first step.

    Args:
        config: The options.
        process: This process, one of those that train together.
        interruption: Set when the run should stop, which it does after saving; None for a run that isn't watched.

    Raises:
        DataError: The data cannot be used.
        CheckpointError: A file of weights or a checkpoint cannot be read or does not fit.
        TrainingError: The options contradict --save_dir or each other, or training failed.
        KeyboardInterrupt: The run was interrupted.
    """
    _check_run(config, process)
    Path(config.save_dir).mkdir(parents=True, exist_ok=True)
    splits = read_folders(config.data_dir, config.attributes)
    for line in (*splits.notes, *_check(config, splits)):
        if process.writes:
            print(line, file=sys.stderr)
    files = input_files(config)
    data = splits.with_pictures(prepare([*splits.train, *splits.valid.values()], config, process))
    soft = targets(config, data.train, process, splits.others)
    if not config.batch_size:
        config = replace(
            config, batch_size=batch_size_for(config, splits.train[0].attributes, process, len(splits.draws))
        )
    try:
        Trainer(config, data, process, soft, interruption, files).run()
    except torch.OutOfMemoryError as error:
        raise TrainingError(
            f"{process.device} has too little memory for --batch_size {config.batch_size}: {_way_out(config)} ({error})"
        ) from error
    except RuntimeError as error:
        if not (str(error).startswith("DataLoader worker") or "shared memory" in str(error)):
            raise
        raise TrainingError(
            f"a process that prepares batches has ended, perhaps for want of memory ({error}). Go on by --resume with "
            "fewer --num_workers, or 0; in a container, with more shared memory, as by docker run --shm-size 1g"
        ) from error


def _check_run(config: TrainConfig, process: Process) -> None:
    """Check that the run can begin, or go on, in its folder and with these processes.

    Raises:
        TrainingError: It cannot.
    """
    folder = Path(config.save_dir)
    if not config.resume and (folder / "last.pt").exists():
        raise TrainingError(f"{folder} holds a run: go on with it by --resume, or name another --save_dir")
    if not config.resume and (folder / "best.safetensors").exists():
        raise TrainingError(f"{folder} holds best.safetensors of an earlier run: move it, or name another --save_dir")
    if not config.batch_size and process.count > 1:
        raise TrainingError(f"--batch_size 0 is for a single process; give a size that {process.count} can share")
    if config.batch_size % process.count:
        raise TrainingError(f"--batch_size {config.batch_size} cannot be shared evenly by {process.count} processes")
    if config.resume and not (folder / "last.pt").is_file():
        raise TrainingError(
            f"there is no run to go on with: {folder / 'last.pt'} is missing; start one without --resume"
        )


def _way_out(config: TrainConfig) -> str:
    """Say what needs less memory. A run that has been saved keeps its batch size."""
    ways = ["--pictures_on host"] * (config.pictures_on != "host")
    if (Path(config.save_dir) / "last.pt").is_file():
        ways = [f"go on by --resume with {way}" for way in ways]
        fresh = (
            f"begin another run by --init_from {Path(config.save_dir) / 'last.safetensors'}, in another --save_dir, "
        )
        ways.append(f"{fresh}with a smaller --batch_size")
    elif config.batch_size > 1:
        ways.insert(0, f"try --batch_size {config.batch_size // 2}")
    return ", or ".join(ways) or "use --device cpu"


def _defines(valid: Split, keep_best: str) -> bool:
    """Whether balanced accuracy, or F1, can be computed for any attribute of a validation split."""
    there, missing = valid.labels & valid.known, ~valid.labels & valid.known
    either = there.any(axis=0) & missing.any(axis=0) if keep_best == "balanced" else there.any(axis=0)
    return bool(either.any())


def _check(config: TrainConfig, splits: RunSplits) -> list[str]:
    """Check crop sizes, teachers, initial weights and labels before decoding, which takes minutes.

    Returns what the user should know about the initial weights and the teachers, a line for each.

    Raises:
        CheckpointError: Weights cannot be read or used.
        DataError: The training split, or a teacher's table of probabilities, cannot be used.
        TrainingError: The options cannot be used.
    """
    split, valid = splits.joined(), next(iter(splits.valid.values()))
    attributes = split.attributes
    keep = config.keep_best
    if keep != "accuracy" and not _defines(valid, keep):
        raise DataError(
            f"--keep_best {keep} needs validation pictures with{' and without' * (keep == 'balanced')} one of the "
            "attributes, and there are none: take accuracy"
        )
    if len(attributes) != config.num_classes:
        raise DataError(
            f"--num_classes is {config.num_classes}, and {config.data_dir[0]} labels {len(attributes)} attributes"
        )
    check_crops(config, build_network(config, attributes))
    taught, lines = check_teachers(config.teachers, split, splits.others)
    never = [name for name in split.never_known() if name not in taught]
    if never:
        raise DataError(
            f"no picture of the train split has a known label of {', '.join(never)} (an empty one, or 0 beside -1 and "
            "1, is not known), and no teacher knows it: nothing can be learnt; leave these columns out"
        )
    if config.init_from and not config.resume:
        lines.insert(0, Beginning.load(config.init_from, attributes).describe(attributes))
    return lines


def prepare(splits: Sequence[Split], config: TrainConfig, process: Process) -> list[Pictures]:
    """Decode splits into the cache, each into its own file. Each machine's first process does it while the others wait.

    Args:
        splits: Splits with pictures.
        config: Has the cache folder and the number of workers.
        process: This process, one of those that train together.

    Returns:
        The pictures of each split.

    Raises:
        DataError: Pictures are damaged, and the message counts those of all splits, or the cache has too little room.
    """
    if process.local_rank:
        process.wait()
    pictures = decoded_together(splits, config.cache_dir, transform, max(1, config.num_workers))
    if process.local_rank == 0:
        process.wait()
    return pictures


def _how_to_go_on(config: TrainConfig, arguments: Sequence[str]) -> str:
    """Write the message for a stopped run: the command that resumes it."""
    program = [sys.executable, "-m"]
    if "LOCAL_WORLD_SIZE" in os.environ:
        program += ["torch.distributed.run", "--standalone", "--nproc_per_node", os.environ["LOCAL_WORLD_SIZE"], "-m"]
    saved = (Path(config.save_dir) / "last.pt").is_file()
    resume = ["--resume"] if saved and "--resume" not in arguments else []
    join = subprocess.list2cmdline if sys.platform == "win32" else shlex.join  # cmd.exe knows no single quotes
    command = join([*program, "training.train", *arguments, *resume])
    if os.environ.get("LOCAL_WORLD_SIZE") != os.environ.get("WORLD_SIZE"):
        command = "on each machine the same command" + " with --resume" * bool(resume)
    state = "; to go on from what is saved" if saved else " before there was anything to save; to begin again"
    return f"stopped{state}:\n  {command}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: Without the program's name; None for the program's own.

    Returns:
        The exit status: 0, 1 if something went wrong, 130 after Ctrl-C, 143 after SIGTERM.
    """
    given = sys.argv[1:] if arguments is None else arguments
    config = parse_config(given)
    try:
        with Interruption().watched() as interruption, joined(config.device) as process:
            config = replace(config, **device_defaults(config, left_open(given), process))
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
    leave(main())
