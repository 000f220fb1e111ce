"""What a training run is made of: one dataclass, the recipes, and the command line on top of it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from training.augment import Augmentation
from training.losses import LOSSES


def option(default: Any, text: str, **more: Any) -> Any:
    """A field that is also a command-line flag; more goes to argparse."""
    return field(default=default, metadata={"help": text, **more})


@dataclass(frozen=True)
class TrainConfig:
    """All that decides a run; the defaults are the paper's plain recipe."""

    data_dir: str = option("data", "CelebA: the tables and img_align_celeba/; may be read-only")
    save_dir: str = option("checkpoints", "where checkpoints, metrics.jsonl and TensorBoard events go")
    save_every: int = option(5, "keep the weights after every so many epochs; 0: never")
    num_epochs: int = option(20, "passes over the training split")
    batch_size: int = option(64, "images a step, over all processes")
    conv_filters: int = option(96, "filters of the first convolution (the paper's 96)")
    conv_filter_size: int = option(7, "its size")
    conv_filter_stride: int = option(2, "its stride", flags=("--conv_stride",))
    filter_counts: tuple[int, ...] = option((16, 32, 48, 64), "filters of each Slim module", type=int, nargs="+")
    depth_multiplier: int = option(1, "filters per channel in every depthwise convolution")
    num_classes: int = option(40, "attributes; must equal the label columns")
    num_workers: int = option(2, "processes that prepare batches; 0: none but the training process")
    weight_decay: float = option(1e-4, "L2 penalty for Adam, decoupled decay for AdamW")
    learning_rate: float = option(1e-4, "learning rate; the peak of a cosine schedule")
    decay_lr_every: int = option(0, "multiply the rate by --lr_decay after every so many epochs; 0: never")
    lr_decay: float = option(0.1, "see --decay_lr_every")
    recipe: str = option(
        "plain", "defaults of the flags below and above: the paper's, or our best", choices=("plain", "best")
    )
    optimizer: str = option("adam", "AdamW leaves norms and biases without decay", choices=("adam", "adamw"))
    schedule: str = option("step", "learning rate: --decay_lr_every, or cosine to nothing", choices=("step", "cosine"))
    warmup: float = option(0.0, "share of the run in which the rate rises from nothing")
    average: float = option(0.0, "decay a step of the moving average of the weights, which is what is kept; 0: none")
    augment: bool = option(False, "flip, turn, scale, shift and recolour training crops")
    augmentation: tuple[str, ...] = option(
        (), "with --augment: changes to its ranges, such as turn=9 erase=0.3; names: training/augment.py",
        type=str, nargs="+", metavar="NAME=NUMBER",
    )  # fmt: skip
    plain_share: float = option(0.0, "share of the run, its end, in which crops are left as they are")
    mixup: float = option(0.0, "alpha of the Beta distribution of mixup's shares; 0: no mixup")
    label_smoothing: float = option(0.0, "how much of a target is one half")
    loss: str = option("cross_entropy", "what is minimised; see training/losses.py", choices=tuple(LOSSES))
    precision: str = option(
        "float32",
        "auto: bfloat16 where the processor or GPU has it, else float16 on a GPU",
        choices=("float32", "auto"),
    )
    early_share: float = option(0.0, "share of the run at --early_height, for speed")
    early_height: int = option(163, "height of the crops in the early share; the width follows")
    minutes: float = option(0.0, "time budget: the schedule ends with it, whatever --num_epochs says; 0: none")
    save_minutes: float = option(5.0, "write last.pt this often, beside every epoch's end")
    device: str = option("auto", "auto, cpu, cuda or mps")
    cache_dir: str = option("cache", "where decoded pictures are kept (116 kB each)")
    seed: int = option(0, "of the first weights, the order and the augmentation")
    init_from: str = option("", "weights to begin with, .safetensors or .pth")
    teachers: tuple[str, ...] = option((), "weights whose mean opinion softens the labels", type=str, nargs="+")
    teacher_share: float = option(0.5, "the opinion's share of a target; the label's is the rest")
    resume: bool = option(
        False,
        "go on with the run in --save_dir: exactly, unless --minutes goes by the clock",
    )

    def __post_init__(self) -> None:
        for name in ("num_epochs", "batch_size", "num_classes", "early_height"):
            if getattr(self, name) < 1:
                raise ValueError(f"--{name} must be at least 1, got {getattr(self, name)}")
        for name in ("warmup", "average", "early_share", "plain_share", "label_smoothing"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"--{name} is a share from 0 up to, but not, 1; got {getattr(self, name)}")
        if not 0 < self.teacher_share <= 1:
            raise ValueError(f"--teacher_share is a share over 0 up to 1; got {self.teacher_share}")
        for name in (
            "save_every", "num_workers", "decay_lr_every", "minutes", "save_minutes", "learning_rate", "mixup", "seed",
        ):  # fmt: skip
            if getattr(self, name) < 0:
                raise ValueError(f"--{name} must not be negative, got {getattr(self, name)}")
        Augmentation.with_changes(self.augmentation)
        if not self.augment and (self.augmentation or self.plain_share):
            raise ValueError("--augmentation and --plain_share are for runs with --augment")


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

# These may differ when a run is resumed; everything else decides what is computed.
FREE_ON_RESUME = {"data_dir", "save_dir", "save_every", "num_workers", "save_minutes", "device", "cache_dir", "resume"}


def parse_config(arguments: Sequence[str] | None = None) -> TrainConfig:
    """Read the command line; a flag that is given wins over its recipe, the recipe over the plain defaults."""
    parser = argparse.ArgumentParser(
        "python -m training.train",
        description="Train SlimNet on CelebA.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    for item in fields(TrainConfig):
        extra = dict(item.metadata)
        names = [f"--{item.name}", *extra.pop("flags", ())]
        if isinstance(item.default, bool):
            parser.add_argument(*names, action=argparse.BooleanOptionalAction, default=item.default, **extra)
        else:
            parser.add_argument(*names, **{"type": type(item.default), "default": item.default, **extra})
    # Without --help, which is to tell the recipe's defaults.
    asked = sys.argv[1:] if arguments is None else arguments
    recipe = parser.parse_known_args([text for text in asked if text not in ("-h", "--help")])[0].recipe
    parser.set_defaults(**RECIPES[recipe])
    given = vars(parser.parse_args(arguments))
    values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in given.items()}
    try:
        return TrainConfig(**values)
    except ValueError as error:
        parser.error(str(error))
