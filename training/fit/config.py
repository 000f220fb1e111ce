"""The settings of a training run: one dataclass, the recipes, and the command line made from it."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from slimnet import Preprocessing
from slimnet.architecture import MAX_CLASSES, MAX_DEPTH_MULTIPLIER, MAX_FILTERS, MAX_SLIM_MODULES
from training.data.augment import Augmentation
from training.fit.arguments import BATCH_SIZE, SHARE, Range, given

_EPOCHS = Range(1, 1_000_000)
_MINUTES = Range(0, 525_600)  # a year
_SIDES = Range(1, Preprocessing().height)  # pixels
_SEEDS = Range(0, 2**63 - 1)  # fits a signed 64-bit integer


KEPT_BY = {"accuracy": "accuracy", "balanced": "balanced_accuracy", "f1": "f1"}  # --keep_best -> its figure


def _option(default: Any, text: str, allowed: Range | None = None, **more: Any) -> Any:
    """Make a dataclass field that is also a command-line flag.

    Args:
        default: Default of the field and the flag.
        text: Help text of the flag.
        allowed: Range of its number, or of each of its numbers.
        **more: Passed on to argparse.
    """
    return field(default=default, metadata={"help": text, "allowed": allowed, **more})


@dataclass(frozen=True)
class TrainConfig:
    """All settings of a run; the defaults are the paper's plain recipe.

    Each field is a command-line flag, and its help text says what it means.

    Raises:
        ValueError: A value can't be used, or a flag has no effect without another; the message names the flag.
    """

    data_dir: tuple[str, ...] = _option(
        ("data",),
        "folders of pictures and labels in CelebA's form, which may be read-only. FOLDER=DRAWS: how often each of its "
        "pictures is drawn in an epoch, such as 0.5 or 2 (else once). The first folder's labels are learnt; columns of "
        "the others are joined by name. The first one with known labels in its validation "
        "split decides which weights are best",
        type=str, nargs="+", metavar="FOLDER[=DRAWS]",
    )  # fmt: skip
    attributes: tuple[str, ...] = _option(
        (), "learn these columns of the labels alone, in this order; --num_classes follows",
        type=str, nargs="+", metavar="NAME",
    )  # fmt: skip
    save_dir: str = _option(
        "checkpoints", "where the run's files go: weights, last.pt, config.json, metrics.jsonl and TensorBoard's"
    )
    save_every: int = _option(
        5, "save the weights of every Nth epoch as epoch_….safetensors; 0: none", Range(0, _EPOCHS.most)
    )
    keep_best: str = _option(
        "accuracy",
        "the validation figure, averaged over the attributes, that decides which epoch's weights are best.safetensors",
        choices=tuple(KEPT_BY),
    )
    num_epochs: int = _option(20, "passes over the training pictures", _EPOCHS)
    batch_size: int = _option(
        64,
        "images a step, over all processes; 0: as many as a CUDA GPU's memory holds, at most 1,024, and less "
        "if an epoch would have under 20 steps; without a CUDA GPU 128. "
        "On a CUDA GPU a single process's default is 0, except with --recipe best",
        Range(0, BATCH_SIZE.most),
    )
    conv_filters: int = _option(96, "filters of the first convolution (the paper's 96)", Range(1, MAX_FILTERS))
    conv_filter_size: int = _option(7, "side of these filters in pixels", _SIDES)
    conv_filter_stride: int = _option(2, "stride of the first convolution", _SIDES, flags=("--conv_stride",))
    filter_counts: tuple[int, ...] = _option(
        (16, 32, 48, 64), "filters of each Slim module", Range(1, MAX_FILTERS), type=int, nargs="+"
    )
    depth_multiplier: int = _option(
        1, "filters per channel in every depthwise convolution", Range(1, MAX_DEPTH_MULTIPLIER)
    )
    num_classes: int = _option(40, "number of attributes; must equal that of the label columns", Range(1, MAX_CLASSES))
    num_workers: int = _option(2, "processes that prepare batches; 0: the training process itself", Range(0, 256))
    weight_decay: float = _option(1e-4, "L2 penalty for Adam, decoupled decay for AdamW", Range(0, 100))
    learning_rate: float = _option(1e-4, "learning rate; at the peak of a cosine schedule", Range(0, 100))
    decay_lr_every: int = _option(0, "multiply the rate by --lr_decay every N epochs; 0: never", Range(0, _EPOCHS.most))
    lr_decay: float = _option(0.1, "the factor for --decay_lr_every", Range(0, 1, over=True))
    recipe: str = _option("plain", "defaults of the other flags: the paper's, or our best", choices=("plain", "best"))
    optimizer: str = _option("adam", "AdamW applies no decay to norms and biases", choices=("adam", "adamw"))
    schedule: str = _option(
        "step", "learning rate: by --decay_lr_every, or along a cosine down to 0", choices=("step", "cosine")
    )
    warmup: float = _option(0.0, "share of the run in which the learning rate rises from 0", SHARE)
    average: float = _option(0.0, "EMA decay per step; the averaged weights are validated and saved (0: off)", SHARE)
    augment: bool = _option(False, "flip, turn, scale, shift, recolour and soften training crops")
    augmentation: tuple[str, ...] = _option(
        (), "with --augment: changes to its ranges, such as turn=9 soften=0.5; names: training/data/augment.py",
        type=str, nargs="+", metavar="NAME=NUMBER",
    )  # fmt: skip
    plain_share: float = _option(0.0, "share of the run, at its end, without augmentation", SHARE)
    precision: str = _option(
        "float32",
        "auto: bfloat16 where the processor or CUDA GPU has it, else float16 on such a GPU, where auto is the default",
        choices=("float32", "auto"),
    )
    early_share: float = _option(0.0, "share of the run, at its start, on smaller crops, for speed", SHARE)
    early_height: int = _option(163, "height in pixels of these smaller crops; the width follows", _SIDES)
    minutes: float = _option(0.0, "time budget, which ends the schedule instead of --num_epochs; 0: none", _MINUTES)
    save_minutes: float = _option(
        5.0, "minutes between saves of last.pt, which is also saved after every epoch", _MINUTES
    )
    device: str = _option("auto", "auto, cpu, cuda or mps")
    pictures_on: str = _option(
        "auto",
        "where pictures are kept and augmented: on the device that trains, or on the host by --num_workers processes; "
        "auto: on a GPU whose memory holds them beside the network",
        choices=("auto", "device", "host"),
    )
    channels_last: bool = _option(True, "memory layout; which is faster depends on the GPU")
    cache_dir: str = _option("cache", "where decoded pictures are kept (116 kB each)")
    seed: int = _option(0, "seed of the initial weights, the order of pictures and the augmentation", _SEEDS)
    init_from: str = _option("", "weights to start from (.safetensors, .pth); outputs are matched by name", type=given)
    frozen_modules: int = _option(
        0,
        "Slim modules at the start, and the first convolution, that stay as --init_from has them: the rest then learns "
        "from many more pictures in the same time; 0: all learn",
        Range(0, MAX_SLIM_MODULES),
    )
    teachers: tuple[str, ...] = _option(
        (),
        "weights, and tables (.csv) of probabilities as demo.annotate writes them: their mean prediction softens the "
        "labels, and replaces unknown ones",
        type=given, nargs="+", metavar="FILE",
    )  # fmt: skip
    teacher_share: float = _option(
        0.5, "the prediction's share of a target where the label is known; the label's is the rest",
        Range(0, 1, over=True),
    )  # fmt: skip
    resume: bool = _option(
        False,
        "continue the run in --save_dir: exactly where as many processes train, except with --minutes, which goes by "
        "the clock",
    )

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if item.metadata["allowed"]:
                for number in value if isinstance(value, tuple) else (value,):
                    item.metadata["allowed"].check(item.name, number)
        if not 1 <= len(self.filter_counts) <= MAX_SLIM_MODULES:
            raise ValueError(f"--filter_counts takes 1 to {MAX_SLIM_MODULES} numbers, got {len(self.filter_counts)}")
        if self.frozen_modules > len(self.filter_counts):
            raise ValueError(f"--frozen_modules {self.frozen_modules}: the network has only {len(self.filter_counts)}")
        for name, folder in (
            *(("data_dir", folder) for folder in self.data_dir),
            ("save_dir", self.save_dir), ("cache_dir", self.cache_dir),
        ):  # fmt: skip
            if not folder.strip():
                raise ValueError(f"--{name} is empty; name a folder, . for this one")
        repeated = sorted({name for name in self.attributes if self.attributes.count(name) > 1})
        if repeated:
            raise ValueError(f"--attributes names {', '.join(repeated)} more than once")
        if self.attributes and self.num_classes != len(self.attributes):
            raise ValueError(
                f"--attributes names {len(self.attributes)}, and --num_classes is {self.num_classes}: leave it out"
            )
        Augmentation.with_changes(self.augmentation)
        self.check_combinations()

    def check_combinations(self) -> None:
        """Check for flags that have no effect without another.

        Raises:
            ValueError: There is one; the message names it and what it needs.
        """
        for names, wanted, there in (
            (("augmentation", "plain_share"), "with --augment", self.augment),
            (("decay_lr_every", "lr_decay"), "with --schedule step: cosine falls by itself", self.schedule == "step"),
            (("lr_decay",), "with --decay_lr_every", bool(self.decay_lr_every)),
            (("early_height",), "with --early_share", bool(self.early_share)),
            (("teacher_share",), "with --teachers", bool(self.teachers)),
            (("frozen_modules",), "with --init_from", bool(self.init_from)),
        ):
            unused = [name for name in names if getattr(self, name) != getattr(TrainConfig, name)]
            if unused and not there:
                raise ValueError(f"--{' and --'.join(unused)}: only for runs {wanted}")


RECIPES: dict[str, dict[str, Any]] = {
    "plain": {},
    "best": {
        "num_epochs": 25,
        "batch_size": 128,
        "learning_rate": 4e-3,
        "weight_decay": 0.05,
        "optimizer": "adamw",
        "schedule": "cosine",
        "warmup": 0.1,
        "average": 0.999,
        "augment": True,
        "precision": "auto",
        "early_share": 0.72,
    },
}

# Defaults on a CUDA GPU differ, see device_defaults.
BY_DEVICE = ("precision", "batch_size")

# These may change when a run is resumed; everything else affects what is computed.
FREE_ON_RESUME = {"data_dir", "save_dir", "save_every", "num_workers", "save_minutes", "device", "cache_dir", "resume"}
FREE_ON_RESUME |= {"pictures_on", "channels_last"}


# Flags of an earlier version, with the defaults that let its runs be resumed.
REMOVED_FLAGS = {"mixup": 0.0, "label_smoothing": 0.0, "loss": "cross_entropy"}


def parse_config(arguments: Sequence[str] | None = None) -> TrainConfig:
    """Read the command line: given flags override the recipe, and the recipe overrides the plain defaults.

    Ends the program with a usage error, as argparse does, if the settings can't be used.

    Args:
        arguments: Words of the command line; the program's own unless given.
    """
    parser = _parser(arguments)
    parsed = vars(parser.parse_args(arguments))
    values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in parsed.items()}
    try:
        return TrainConfig(**values)
    except ValueError as error:
        parser.error(str(error))


def left_open(arguments: Sequence[str] | None = None) -> frozenset[str]:
    """Return which settings of BY_DEVICE neither a flag nor the recipe gives.

    Args:
        arguments: Words that parse_config takes.
    """
    parser = _parser(arguments, **dict.fromkeys(BY_DEVICE))
    parsed = vars(parser.parse_args(arguments))
    return frozenset(name for name in BY_DEVICE if parsed[name] is None)


def _parser(arguments: Sequence[str] | None, **defaults: Any) -> argparse.ArgumentParser:
    """Make the parser, with the defaults of the recipe that the arguments name.

    Args:
        arguments: Words of the command line.
        **defaults: Instead of TrainConfig's own; the recipe goes before them.
    """
    parser = argparse.ArgumentParser(
        "python -m training.train",
        description="Train SlimNet on CelebA.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    for item in fields(TrainConfig):
        extra = {name: value for name, value in item.metadata.items() if name != "allowed"}
        names = [f"--{item.name}", *extra.pop("flags", ())]
        if isinstance(item.default, bool):
            parser.add_argument(*names, action=argparse.BooleanOptionalAction, default=item.default, **extra)
        else:
            # An empty default may mean none, but a given name must not be empty, such as an unset shell variable.
            default = argparse.SUPPRESS if item.default == "" else item.default
            parser.add_argument(*names, **{"type": type(item.default), "default": default, **extra})
    # Without --help, which must show the recipe's defaults.
    asked = sys.argv[1:] if arguments is None else arguments
    early = parser.parse_known_args([text for text in asked if text not in ("-h", "--help")])[0]
    parser.set_defaults(**{**defaults, **RECIPES[early.recipe]})
    if early.attributes:
        parser.set_defaults(num_classes=len(early.attributes))
    return parser
