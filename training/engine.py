"""The training loop: steps, validation, checkpoints, and going on where a run was cut off."""

from __future__ import annotations

import ctypes
import json
import math
import platform
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import convert_conv2d_weight_memory_format
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from slimnet import SlimNet
from slimnet.inference import fold_batch_norm
from training.augment import Augmentation
from training.average import MovingAverage
from training.config import FREE_ON_RESUME, TrainConfig
from training.data import Pictures, Split
from training.loader import EpochBatches, Look, TrainingSet, batches_per_epoch, load
from training.losses import LOSSES
from training.mixup import mixup
from training.precision import compute_type
from training.processes import Process


class TrainingError(RuntimeError):
    """The run cannot go on; the message says why and what is kept."""


@dataclass
class Position:
    """Where a run stands. step: optimiser steps done; batch: of these, in this epoch; seconds: spent so far."""

    epoch: int = 0
    batch: int = 0
    step: int = 0
    images: int = 0
    loss_sum: float = 0.0
    best: float = -1.0
    seconds: float = 0.0


@dataclass(frozen=True)
class Labelled:
    """A split's decoded pictures and labels (bool (N, attributes))."""

    pictures: Pictures
    split: Split


class Trainer:
    """One run of training, from its first step or from where it was cut off.

    targets: what the network is to say of the training pictures, (N, attributes) from 0 to 1; their labels unless
    given.
    """

    def __init__(
        self, config: TrainConfig, train: Labelled, valid: Labelled, process: Process, targets: np.ndarray | None = None
    ) -> None:
        self.config, self.train_data, self.valid_data, self.process = config, train, valid, process
        self.targets = train.split.labels if targets is None else targets
        self.folder = Path(config.save_dir)
        self.network = build_network(config, train.split.attributes).to(process.device)
        self.check_crops()
        convert_conv2d_weight_memory_format(self.network, torch.channels_last)
        self.optimizer = build_optimizer(config, self.network)
        self.average = MovingAverage(self.network, config.average) if config.average else None
        # float16 loses small gradients unless the loss is scaled; for the other formats this does nothing.
        dtype = compute_type(config.precision, process.device)
        self.scaler = torch.amp.GradScaler(process.device.type, enabled=dtype == torch.float16)
        self.autocast = torch.autocast(process.device.type, dtype, enabled=dtype != torch.float32)
        self.position = Position()
        if config.resume:
            self.restore()
        self.wrapped: nn.Module = self.network
        if process.count > 1:
            self.wrapped = DistributedDataParallel(self.network)
        self.steps_per_epoch = batches_per_epoch(len(train.split), config.batch_size)
        self.progress = 0.0
        self.started = time.monotonic() - self.position.seconds
        self.saved = time.monotonic()

    @property
    def kept(self) -> SlimNet:
        """The network that validation judges and that is saved: the average where there is one."""
        return self.average.network if self.average else self.network

    def run(self) -> None:
        """Train to the end. Raises TrainingError when the loss is no longer finite."""
        keep_freed_memory()
        if self.process.writes:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.forget_later_epochs()
        if not self.config.resume:
            self.save_state()  # a run that is killed before its first regular save can be resumed as well
        self.look_at_clock()
        writer = SummaryWriter(str(self.folder / "tensorboard")) if self.process.writes else None
        while self.position.batch or not self.finished:  # an epoch that was begun is always ended and judged
            self.train_epoch()
            metrics = self.end_epoch()
            if writer:
                for name, value in metrics.items():
                    writer.add_scalar(name, value, self.position.epoch)
                writer.flush()
        if writer:
            writer.close()

    @property
    def finished(self) -> bool:
        return self.progress >= 1 or (not self.config.minutes and self.position.epoch >= self.config.num_epochs)

    # One epoch

    def train_epoch(self) -> None:
        config, position = self.config, self.position
        batches = EpochBatches(
            len(self.train_data.split), config.batch_size, config.seed, position.epoch, position.batch,
            self.process.rank, self.process.count, self.look_of_batch,
        )  # fmt: skip
        pictures = TrainingSet(
            self.train_data.pictures, self.targets, Augmentation.with_changes(config.augmentation), config.seed
        )
        self.wrapped.train()
        bar = tqdm(
            load(pictures, batches, config.num_workers),
            desc=f"epoch {position.epoch + 1}",
            initial=position.batch,
            total=self.steps_per_epoch,
            disable=None if self.process.writes else True,
        )
        for crops, labels in bar:
            loss = self.step(crops, labels)
            bar.set_postfix(loss=f"{loss:.4f}", refresh=False)
            self.look_at_clock()
            if time.monotonic() - self.saved >= 60 * config.save_minutes:
                self.save_state()
            if self.progress >= 1:
                break

    def step(self, crops: Tensor, labels: Tensor) -> float:
        """One step on uint8 (n, H, W, 3) and float32 (n, attributes); the mean loss over all processes."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate()
        device, position = self.process.device, self.position
        x = self.network.preprocessing.normalise(crops.to(device, non_blocking=True))
        targets = labels.to(device, non_blocking=True)
        if self.config.mixup:
            rng = np.random.default_rng((self.config.seed, position.step, self.process.rank))
            x, targets = mixup(x, targets, self.config.mixup, rng)
        with self.autocast:
            logits = self.wrapped(x)
        loss = LOSSES[self.config.loss](logits.float(), targets)
        value = float(self.process.total(loss.detach().clone())) / self.process.count
        if not math.isfinite(value):
            raise TrainingError(
                f"the loss is {value} in epoch {position.epoch + 1}, step {position.step + 1}: training stopped. "
                f"The last good weights are kept in {self.folder}; try a lower --learning_rate"
            )
        self.optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        position.step += 1
        position.batch += 1
        position.images += len(labels) * self.process.count
        position.loss_sum += value
        if self.average:
            self.average.update(self.network, position.step)
        return value

    def end_epoch(self) -> dict[str, float]:
        """Validate, write the epoch's metrics and checkpoints; returns the metrics."""
        position = self.position
        rate = self.learning_rate()
        valid_loss, accuracy = self.validate()
        metrics = {
            "train/loss": position.loss_sum / max(position.batch, 1),
            "valid/loss": valid_loss,
            "valid/accuracy": accuracy,
            "learning_rate": rate,
            "minutes": (time.monotonic() - self.started) / 60,
            "images": float(position.images),
        }
        position.epoch, position.batch, position.loss_sum = position.epoch + 1, 0, 0.0
        better = accuracy > position.best
        position.best = max(position.best, accuracy)
        self.look_at_clock()
        if self.process.writes:
            check_finite(self.kept, self.folder)
            if better:
                self.kept.save(self.folder / "best.safetensors")
            if self.config.save_every and position.epoch % self.config.save_every == 0:
                self.kept.save(self.folder / f"epoch_{position.epoch:03d}.safetensors")
            with (self.folder / "metrics.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps({"epoch": position.epoch, **metrics}) + "\n")
            tqdm.write(
                f"epoch {position.epoch}: training loss {metrics['train/loss']:.4f}, validation loss {valid_loss:.4f}, "
                f"mean accuracy {100 * accuracy:.2f} % (best {100 * position.best:.2f} %)"
            )
        self.save_state()
        return metrics

    @torch.inference_mode()
    def validate(self) -> tuple[float, float]:
        """Mean loss and mean accuracy over images and attributes on the validation split, of the kept network."""
        device = self.process.device
        # Each process has its own statistics of batch norm; judged are the writer's, which are the ones that are saved.
        self.process.take_from_writer(self.kept.buffers())
        network = fold_batch_norm(self.kept)
        pictures, labels = self.valid_data.pictures.array, self.valid_data.split.labels
        sums = torch.zeros(2, dtype=torch.float64)
        mine = np.arange(len(labels))[self.process.rank :: self.process.count]
        for indices in np.array_split(mine, max(1, len(mine) // 64)):
            x = network.preprocessing.normalise(torch.from_numpy(pictures[indices]).to(device))
            target = torch.from_numpy(labels[indices]).to(device)
            logits = network(x)
            sums[0] += F.binary_cross_entropy_with_logits(logits, target.float(), reduction="sum").item()
            sums[1] += ((logits > 0) == target).sum().item()
        loss, correct = (self.process.total(sums) / labels.size).tolist()
        return loss, correct

    # Schedules

    def look_at_clock(self) -> None:
        """How much of the run is over, from 0 to 1: by steps, or by time where there is a budget."""
        self.position.seconds = time.monotonic() - self.started
        if self.config.minutes:
            self.progress = min(1.0, self.process.from_writer(self.position.seconds) / (60 * self.config.minutes))
        else:
            self.progress = self.progress_at(self.position.step)

    def progress_at(self, step: int) -> float:
        return step / (self.steps_per_epoch * self.config.num_epochs)

    def learning_rate(self) -> float:
        config = self.config
        if config.schedule == "step":
            rate = config.learning_rate
            if config.decay_lr_every:
                rate *= config.lr_decay ** (self.position.epoch // config.decay_lr_every)
            return rate * min(1.0, (self.progress + 1e-3) / config.warmup) if config.warmup else rate
        if self.progress < config.warmup:
            return config.learning_rate * (self.progress + 1e-3) / (config.warmup + 1e-3)
        return (
            config.learning_rate * (1 + math.cos(math.pi * (self.progress - config.warmup) / (1 - config.warmup))) / 2
        )

    def look_of_batch(self, batch: int) -> Look:
        """What the crops in a batch of this epoch are like: by its own step, since workers run ahead."""
        config = self.config
        step = self.position.epoch * self.steps_per_epoch + batch
        progress = self.progress if config.minutes else self.progress_at(step)
        height, width = self.size(early=progress < config.early_share)
        return Look(height, width, changed=config.augment and progress < 1 - config.plain_share)

    def size(self, early: bool) -> tuple[int, int]:
        """Height and width of crops."""
        height, width = self.network.preprocessing.height, self.network.preprocessing.width
        if not early:
            return height, width
        return self.config.early_height, round(width * self.config.early_height / height)

    def check_crops(self) -> None:
        """Raise TrainingError when this network cannot read crops of the sizes that the run will have."""
        least = self.network.least_side
        for early in (True, False) if self.config.early_share else (False,):
            height, width = self.size(early)
            if min(height, width) < least:
                raise TrainingError(
                    f"crops {height} high and {width} wide are too small for this network, which needs {least} on each "
                    f"side: {'use a larger --early_height' if early else 'shorten --filter_counts'}"
                )

    # Checkpoints

    def save_state(self) -> None:
        """Write all that is needed to go on, atomically, to last.pt."""
        self.saved = time.monotonic()
        if not self.process.writes:
            return
        check_finite(self.network, self.folder)
        state = {
            "config": asdict(self.config),
            "position": asdict(self.position),
            "network": self.network.state_dict(),
            "average": self.average.network.state_dict() if self.average else None,
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "data": self.train_data.split.fingerprint(),
        }
        part = self.folder / "last.pt.part"
        try:
            torch.save(state, part)
        except RuntimeError as error:  # not an OSError: torch's zip writer raises this on a full disk
            part.unlink(missing_ok=True)
            raise TrainingError(f"{self.folder} cannot be written to ({error}); once it can, --resume") from error
        part.replace(self.folder / "last.pt")
        self.kept.save(self.folder / "last.safetensors")

    def restore(self) -> None:
        """Take up the state in last.pt. Raises TrainingError when it cannot be read or is of another run."""
        path = self.folder / "last.pt"
        try:
            state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
            mine, theirs = asdict(self.config), state["config"]
            theirs = {**asdict(TrainConfig()), **theirs}  # a run from before a flag was added did as its default does
            differing = [k for k in mine if k not in FREE_ON_RESUME and mine[k] != theirs[k]]
            if differing:
                raise TrainingError(
                    f"{path} is of a run with other settings: "
                    + ", ".join(f"--{name} was {theirs[name]}, is {mine[name]}" for name in differing)
                )
            if state.get("data", self.train_data.split.fingerprint()) != self.train_data.split.fingerprint():
                raise TrainingError(f"{path} is of a run on other pictures or labels than {self.config.data_dir} holds")
            self.network.load_state_dict(state["network"])
            if self.average:
                self.average.network.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
            if state.get("scaler"):  # empty from a device where nothing is scaled
                self.scaler.load_state_dict(state["scaler"])
            self.position = Position(**state["position"])
        except TrainingError:
            raise
        except Exception as error:
            raise TrainingError(f"{path} cannot be read ({error}); start anew in another --save_dir") from error

    def forget_later_epochs(self) -> None:
        """Drop the metrics of epochs that the restored state has not finished: they will be written again."""
        path = self.folder / "metrics.jsonl"
        if path.is_file():
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            lines = lines[: self.position.epoch]  # one for each epoch
            part = path.with_suffix(".part")
            part.write_text("".join(lines), encoding="utf-8")
            part.replace(path)


def build_network(config: TrainConfig, attributes: tuple[str, ...]) -> SlimNet:
    """The network of a run's first step: of --init_from, or random by the seed."""
    torch.manual_seed(config.seed)
    network = SlimNet(
        config.filter_counts,
        (config.conv_filters, config.conv_filter_size, config.conv_filter_stride),
        config.num_classes,
        config.depth_multiplier,
        attributes=attributes,
    )
    if config.init_from and not config.resume:
        first = SlimNet.load_pretrained(config.init_from)
        if first.architecture != network.architecture:
            raise TrainingError(
                f"{config.init_from} is of another shape: {first.architecture}, not {network.architecture}"
            )
        network.load_state_dict(first.state_dict())
    return network


def build_optimizer(config: TrainConfig, network: nn.Module) -> torch.optim.Optimizer:
    """Adam on everything, as the paper; or AdamW, whose decay spares biases and norms (1-D parameters)."""
    if config.optimizer == "adam":
        return torch.optim.Adam(network.parameters(), config.learning_rate, weight_decay=config.weight_decay)
    matrices = [p for p in network.parameters() if p.ndim > 1]
    vectors = [p for p in network.parameters() if p.ndim <= 1]
    return torch.optim.AdamW(
        [{"params": matrices, "weight_decay": config.weight_decay}, {"params": vectors, "weight_decay": 0.0}],
        config.learning_rate,
    )


def check_finite(network: nn.Module, folder: Path) -> None:
    """Raise TrainingError rather than write weights that are not finite over good ones."""
    if not all(torch.isfinite(value).all() for value in network.state_dict().values()):
        raise TrainingError(
            f"the weights are no longer finite: training stopped. The last good ones are kept in {folder}; "
            "try a lower --learning_rate"
        )


def keep_freed_memory() -> None:
    """Let glibc keep freed memory: its large activations would go back to the system and be zeroed anew each step.

    A fifth of the training time on a 2-core CPU (measured: 77 against 93 images per CPU-second).
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        m_trim_threshold, m_top_pad, m_mmap_max = -1, -2, -4  # from malloc.h
        libc.mallopt(m_mmap_max, 0)
        libc.mallopt(m_trim_threshold, 2**31 - 1)
        libc.mallopt(m_top_pad, 256 * 1024 * 1024)
