"""The training loop: steps, validation, checkpoints, and going on where a run was cut off."""

from __future__ import annotations

import ctypes
import json
import math
import platform
import time
import zipfile
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
from slimnet.atomic import replace_text, replacement
from slimnet.inference import fold_batch_norm
from training.data.augment import Augmentation
from training.data.cache import Pictures
from training.data.celeba import Split
from training.data.loader import EpochBatches, Look, TrainingSet, batches_per_epoch, load
from training.data.mixup import mixup
from training.fit.config import FREE_ON_RESUME, TrainConfig
from training.fit.distributed import Process
from training.fit.ema import MovingAverage
from training.fit.interruption import Interruption
from training.fit.losses import LOSSES
from training.fit.precision import compute_type
from training.fit.transfer import Beginning


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
    """A split's decoded pictures and labels."""

    pictures: Pictures
    split: Split


class Trainer:
    """One run of training, from its first step or from where it was cut off.

    targets: what the network is to say of the training pictures, (N, attributes) from 0 to 1, nan where that is not
    known; their labels unless given. interruption: what is asked to stop the run; nothing unless given.
    """

    def __init__(
        self, config: TrainConfig, train: Labelled, valid: Labelled, process: Process,
        targets: np.ndarray | None = None, interruption: Interruption | None = None,
    ) -> None:  # fmt: skip
        self.config, self.train_data, self.valid_data, self.process = config, train, valid, process
        self.targets = train.split.targets if targets is None else targets
        self.interruption = interruption or Interruption()
        self.folder = Path(config.save_dir)
        self.network = build_network(config, train.split.attributes).to(process.device)
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
        self.asked_to_stop = False
        self.started = time.monotonic() - self.position.seconds
        self.saved = time.monotonic()

    @property
    def kept(self) -> SlimNet:
        """The network that validation judges and that is saved: the average where there is one."""
        return self.average.network if self.average else self.network

    def run(self) -> None:
        """Train to the end. Raises TrainingError when the loss is no longer finite, Interrupted once the state is
        saved when the run is asked to stop."""
        self.look_at_clock()
        if self.finished and not self.position.batch:
            self.say_finished()
            return
        keep_freed_memory()
        with self.interruption.held():
            self.train()

    def train(self) -> None:
        if self.process.writes:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.keep_epochs(self.position.epoch)
        if not self.config.resume:
            self.save_state()  # a run that is killed before its first regular save can be resumed as well
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

    def say_finished(self) -> None:
        if self.process.writes:
            position = self.position
            print(
                f"this run is finished: {position.epoch} epochs in {position.seconds / 60:.1f} minutes, the best mean "
                f"accuracy {100 * position.best:.2f} %; raise --{'minutes' if self.config.minutes else 'num_epochs'} "
                "to go on"
            )

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
            if self.asked_to_stop:
                self.save_state()
                self.process.wait()  # else torchrun ends the one that writes when another has left
                raise self.interruption.reason
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
        loss = LOSSES[self.config.loss](logits.float(), targets) * self.weight(targets)
        # In one message to the other processes: the loss, and whether any is asked to stop, so that all do.
        told = torch.stack([loss.detach(), loss.new_tensor(float(self.interruption.asked))])
        summed, stops = self.process.total(told).tolist()
        value = summed / self.process.count
        if not math.isfinite(value):
            raise TrainingError(
                f"the loss is {value} in epoch {position.epoch + 1}, step {position.step + 1}: training stopped. "
                f"The last good weights are kept in {self.folder}; try a lower --learning_rate"
            )
        self.optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.asked_to_stop = stops > 0 or (self.process.count == 1 and self.interruption.asked)
        position.step += 1
        position.batch += 1
        position.images += len(labels) * self.process.count
        position.loss_sum += value
        if self.average:
            self.average.update(self.network, position.step)
        return value

    def weight(self, targets: Tensor) -> float | Tensor:
        """What this process's mean loss counts, so that the mean over the processes is that over all known labels."""
        if self.process.count == 1 or self.train_data.split.known.all():
            return 1.0
        mine = (~targets.isnan()).sum().float()
        return mine * self.process.count / self.process.total(mine.clone()).clamp(min=1)

    def end_epoch(self) -> dict[str, float]:
        """Validate, write the epoch's metrics and checkpoints; returns the metrics."""
        position = self.position
        rate = self.learning_rate()
        self.save_state()  # so that a run may be stopped while it is judged, which takes minutes
        with self.interruption.released():
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
            self.keep_epochs(position.epoch - 1, json.dumps({"epoch": position.epoch, **metrics}) + "\n")
            tqdm.write(
                f"epoch {position.epoch}: training loss {metrics['train/loss']:.4f}, validation loss {valid_loss:.4f}, "
                f"mean accuracy {100 * accuracy:.2f} % (best {100 * position.best:.2f} %)"
            )
        self.save_state()
        return metrics

    @torch.inference_mode()
    def validate(self) -> tuple[float, float]:
        """Loss and accuracy on the validation split, of the kept network: of each attribute over the images with a
        known label, then the mean over the attributes that have any."""
        device = self.process.device
        # Each process has its own statistics of batch norm; judged are the writer's, which are the ones that are saved.
        self.process.take_from_writer(self.kept.buffers())
        network = fold_batch_norm(self.kept)
        pictures, targets = self.valid_data.pictures.array, self.valid_data.split.targets
        sums = torch.zeros((3, targets.shape[1]), dtype=torch.float64)
        mine = np.arange(len(targets))[self.process.rank :: self.process.count]
        for indices in np.array_split(mine, max(1, len(mine) // 64)):
            x = network.preprocessing.normalise(torch.from_numpy(pictures[indices]).to(device))
            target = torch.from_numpy(targets[indices]).to(device)
            known, logits = ~target.isnan(), network(x)
            costs = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
            right = (logits > 0) == (target > 0)
            for row, values in zip(sums, (costs, right, known), strict=True):
                row += torch.where(known, values, 0).sum(dim=0).cpu()
        costs, right, known = self.process.total(sums).cpu()
        loss, correct = ((row / known)[known > 0].mean().item() for row in (costs, right))
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
        height, width = crop_size(config, self.network, early=progress < config.early_share)
        return Look(height, width, changed=config.augment and progress < 1 - config.plain_share)

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
        try:
            with replacement(self.folder / "last.pt") as part:
                torch.save(state, part)
        except RuntimeError as error:  # not an OSError: torch's zip writer raises this on a full disk
            raise TrainingError(f"{self.folder} cannot be written to ({error}); once it can, --resume") from error
        self.kept.save(self.folder / "last.safetensors")

    def restore(self) -> None:
        """Take up the state in last.pt. Raises TrainingError when it cannot be read or is of another run."""
        path = self.folder / "last.pt"
        try:
            state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
            mine, theirs = asdict(self.config), state["config"]
            theirs = {**asdict(TrainConfig()), **theirs}  # a run from before a flag was added did as its default does
            position = Position(**state["position"])
            free = FREE_ON_RESUME | longer(position, theirs, mine)
            differing = [k for k in mine if k not in free and mine[k] != theirs[k]]
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
            self.position = position
        except TrainingError:
            raise
        except Exception as error:
            # torch writes a zip file, whose table of contents comes last; of its absence torch tells in riddles.
            fault = (
                f"cannot be read ({error})"
                if zipfile.is_zipfile(path)
                else f"is cut off, at {path.stat().st_size:,} bytes"
            )
            raise TrainingError(
                f"{path} {fault}. Copy it again if it was copied; else begin in another --save_dir, "
                f"by --init_from {path.with_suffix('.safetensors')} with the weights as they were last"
            ) from error

    def keep_epochs(self, count: int, more: str = "") -> None:
        """Keep the metrics of the first epochs, one a line, and add more lines: later ones are of epochs that a
        restored state has not finished, which are written again."""
        path = self.folder / "metrics.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)[:count] if path.is_file() else []
        if lines or more or path.is_file():
            replace_text(path, "".join(lines) + more)


def longer(position: Position, before: dict[str, Any], now: dict[str, Any]) -> set[str]:
    """The settings that make a finished run go on: its end, where that has been put off.

    A run that is not finished keeps its end, for its schedule depends on it.
    """
    end, done = ("minutes", position.seconds / 60) if before["minutes"] else ("num_epochs", position.epoch)
    return {end} if before[end] <= done and not position.batch and now[end] > before[end] else set()


def build_network(config: TrainConfig, attributes: tuple[str, ...]) -> SlimNet:
    """The network of a run's first step: random by the seed, but for what --init_from brings.

    Raises CheckpointError when that cannot be used.
    """
    torch.manual_seed(config.seed)
    network = SlimNet(
        config.filter_counts,
        (config.conv_filters, config.conv_filter_size, config.conv_filter_stride),
        config.num_classes,
        config.depth_multiplier,
        attributes=attributes,
    )
    if config.init_from and not config.resume:
        Beginning.load(config.init_from, attributes).give(network)
    return network


def crop_size(config: TrainConfig, network: SlimNet, early: bool) -> tuple[int, int]:
    """Height and width of training crops, in the early share of the run or after it."""
    height, width = network.preprocessing.height, network.preprocessing.width
    if not early:
        return height, width
    return config.early_height, round(width * config.early_height / height)


def check_crops(config: TrainConfig, network: SlimNet) -> None:
    """Raise TrainingError when this network cannot read crops of the sizes that the run will have."""
    least = network.least_side
    for early in (True, False) if config.early_share else (False,):
        height, width = crop_size(config, network, early)
        if min(height, width) < least:
            raise TrainingError(
                f"crops {height} high and {width} wide are too small for this network, which needs {least} on each "
                f"side: {'use a larger --early_height' if early else 'shorten --filter_counts'}"
            )


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
