"""The training loop: steps, validation, checkpoints, and resuming."""

import json
import math
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import convert_conv2d_weight_memory_format
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from slimnet.files.atomic import replace_text
from training.data.augment import Augmentation
from training.data.folders import RunData
from training.data.loader import CropSpec, EpochBatches, HostLoader, Loader, TrainingSet, batches_per_epoch
from training.data.on_device import DeviceLoader, DevicePictures
from training.fit.build import build_network, build_optimizer, freeze, restore_optimizer
from training.fit.config import KEPT_BY, TrainConfig
from training.fit.device_memory import holds, try_step
from training.fit.ema import ExponentialMovingAverage
from training.fit.errors import TrainingError
from training.fit.losses import cross_entropy
from training.fit.record.provenance import provenance, run_description
from training.fit.record.reporting import ProgressLog, describe_run, scalars
from training.fit.record.run_state import (
    Progress,
    check_finite,
    check_same_run,
    read_state,
    unreadable,
    write_metrics,
    write_state,
)
from training.fit.runtime.distributed import Process
from training.fit.runtime.interruption import Interruption
from training.fit.runtime.memory import keep_freed_memory
from training.fit.runtime.precision import compute_type
from training.fit.schedule import Schedule
from training.fit.validation import Validation, validate
from training.networks.network import Network

_STEPS_BETWEEN_READS = 16  # when losses come from a GPU


class Trainer:
    """One training run, from its first step or from where it was interrupted.

    Args:
        config: Settings of the run.
        data: Training and validation pictures.
        process: This process.
        targets: Training targets, float32 (N, attributes) from 0 to 1, nan if unknown; the labels unless given.
        interruption: Notes signals that ask the run to stop; none unless given.
        files: Its teachers and initial weights, from input_files; not recorded unless given.

    Attributes:
        config: As given.
        data: Training and validation pictures.
        process: As given.
        targets: Training targets.
        all_targets_known: Whether all targets are known.
        interruption: As given, or one that no signal reaches.
        folder: Where checkpoints and metrics are written.
        description: Settings, data, files and commit, for config.json.
        network: Network to train.
        frozen: Its parts that are not trained.
        optimizer: Its optimiser.
        ema: Moving average of its weights; None if off.
        dtype: Number format of the forward and backward pass.
        scaler: Gradient scaler; enabled for float16 only.
        autocast: Context in which the forward pass computes.
        progress: How far the run has come.
        wrapped: The network as called in a step, under DDP if there are several processes.
        steps_per_epoch: Optimiser steps in an epoch.
        schedule: Learning rate and crops over the run.
        fraction: Fraction of the run that is over, from 0 to 1.
        held_validation: Validation pictures held on the device, if any, by folder name.
        losses: Losses of the last steps, not read yet; float32 scalars on the device.
        steps_between_reads: How often to read them: a GPU has to finish its work for that, and then idles until it gets
            more.
        asked_to_stop: Whether a signal has asked any process to stop.
        started_at: Start of the run by time.monotonic, in seconds; moved back by the time spent before it was resumed.
        saved_at: When the state was last saved, by time.monotonic, in seconds.
        log: Reports progress if there is no terminal.

    Raises:
        TrainingError: The run cannot be resumed.
        CheckpointError: --init_from cannot be used.
    """

    def __init__(
        self, config: TrainConfig, data: RunData, process: Process,
        targets: np.ndarray | None = None, interruption: Interruption | None = None,
        files: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        self.config, self.data, self.process = config, data, process
        self.targets = data.train.split.targets if targets is None else targets
        self.all_targets_known = not np.isnan(self.targets).any()
        self.interruption = interruption or Interruption()
        self.folder = Path(config.save_dir)
        self.network = build_network(config, data.train.split.attributes).to(process.device)
        self.description = run_description(config, data, files or {})
        self.network.provenance = provenance(self.description)
        if config.channels_last:
            convert_conv2d_weight_memory_format(self.network, torch.channels_last)
        self.frozen = freeze(self.network, config.frozen_modules)
        self.optimizer = build_optimizer(config, self.network)
        self.ema = ExponentialMovingAverage(self.network, config.average) if config.average else None
        # float16 loses small gradients unless the loss is scaled; for other formats this does nothing.
        self.dtype = compute_type(config.precision, process.device)
        self.scaler = torch.amp.GradScaler(process.device.type, enabled=self.dtype == torch.float16)
        self.autocast = torch.autocast(process.device.type, self.dtype, enabled=self.dtype != torch.float32)
        self.progress = Progress()
        if config.resume:
            self.restore()
        self.wrapped: nn.Module = self.network
        if process.count > 1:
            self.wrapped = DistributedDataParallel(self.network)
        self.steps_per_epoch = batches_per_epoch(len(data.draws), config.batch_size)
        full = self.network.preprocessing
        self.schedule = Schedule(config, self.steps_per_epoch, full.height, full.width)
        self.fraction = 0.0
        self.held_validation: dict[str, DevicePictures] = {}
        self.losses: list[Tensor] = []
        self.steps_between_reads = 1 if process.device.type == "cpu" else _STEPS_BETWEEN_READS
        self.asked_to_stop = False
        self.started_at = time.monotonic() - self.progress.seconds
        self.saved_at = time.monotonic()
        self.log = ProgressLog(process.writes, self.steps_per_epoch)

    @property
    def eval_network(self) -> Network:
        """The network to validate and save: the EMA, if there is one."""
        return self.ema.network if self.ema else self.network

    def run(self) -> None:
        """Train to the end; if the run is already finished, only say so.

        Raises:
            TrainingError: The loss or a weight is no longer finite, or the state cannot be written.
            Interrupted: The run was asked to stop; its state is saved, unless it was asked twice.
            ConnectionError: Another process has ended.
        """
        self.look_at_clock()
        if self.finished and not self.progress.batch:
            self.say_finished()
            return
        keep_freed_memory()
        with self.interruption.held():
            self.train()

    def train(self) -> None:
        """Train and validate epoch by epoch, from the current position to the end of the run."""
        if self.process.writes:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_metrics(self.folder / "metrics.jsonl", self.progress.epoch)
            replace_text(self.folder / "config.json", json.dumps(self.description, indent=2) + "\n")
        loader = self.open_loader()  # before the first save, so that a smaller batch may follow if memory runs out
        if not self.config.resume:
            self.save_state()  # so that even a run killed before its first regular save can be resumed
        line = describe_run(self.config, self.data, self.process, self.dtype, self.steps_per_epoch)
        self.log.begin(line, self.progress, self.fraction)
        writer = SummaryWriter(str(self.folder / "tensorboard")) if self.process.writes else None
        while self.progress.batch or not self.finished:  # an epoch once begun is always completed and validated
            self.train_epoch(loader)
            trained, over = self.progress.seconds, self.fraction
            metrics = self.end_epoch()
            self.log.leave_out(self.progress.seconds - trained, self.fraction - over)
            if writer:
                for name, value in scalars(metrics):
                    writer.add_scalar(name, value, self.progress.epoch)
                writer.flush()
        if writer:
            writer.close()

    def say_finished(self) -> None:
        """Print that the run is finished, its best figure, and how to continue it."""
        if self.process.writes:
            progress, figure = self.progress, KEPT_BY[self.config.keep_best].replace("_", " ")
            print(
                f"this run is finished: {progress.epoch} epochs in {progress.seconds / 60:.1f} minutes, the best mean "
                f"{figure} {100 * progress.best:.2f} %; raise --{'minutes' if self.config.minutes else 'num_epochs'} "
                "to go on"
            )

    @property
    def finished(self) -> bool:
        """Whether the time budget or the number of epochs is used up."""
        return self.fraction >= 1 or (not self.config.minutes and self.progress.epoch >= self.config.num_epochs)

    def open_loader(self) -> Loader:
        """Put the pictures where they stay during the run, and return the loader for their training batches.

        Raises:
            torch.OutOfMemoryError: They or a training step don't fit into the device's memory.
        """
        config, device = self.config, self.process.device
        data = TrainingSet(
            self.data.train.pictures, self.targets, Augmentation.with_changes(config.augmentation), config.seed
        )
        on_device = config.pictures_on == "device"
        if device.type == "cuda":
            torch.backends.cudnn.benchmark = True  # crops have only one or two sizes in a run
            try_step(self.network, config.batch_size // self.process.count, self.dtype)
            size = sum(split.pictures.size for split in (self.data.train, *self.data.valid.values()))
            on_device |= config.pictures_on == "auto" and holds(device, size)
        if not on_device:
            return HostLoader(data, config.num_workers, pin=device.type == "cuda")
        self.held_validation = {name: DevicePictures(split.pictures, device) for name, split in self.data.valid.items()}
        return DeviceLoader(data, device)

    # One epoch

    def train_epoch(self, loader: Loader) -> None:
        """Train for the rest of the current epoch, or until the time budget is used up.

        Args:
            loader: Makes the batches.

        Raises:
            TrainingError: The loss or a weight is no longer finite, or the state cannot be written.
            Interrupted: The run was asked to stop; its state is saved.
        """
        config, progress = self.config, self.progress
        batches = EpochBatches(
            self.data.draws, config.batch_size, config.seed, progress.epoch, progress.batch,
            self.process.rank, self.process.count, self.crop_spec_of_batch,
        )  # fmt: skip
        self.wrapped.train()
        for part in self.frozen:
            part.eval()
        bar = tqdm(
            loader.epoch(batches),
            desc=f"epoch {progress.epoch + 1}",
            initial=progress.batch,
            total=self.steps_per_epoch,
            disable=None if self.process.writes else True,
        )
        for crops, labels in bar:
            self.step(crops, labels)
            if len(self.losses) >= self.steps_between_reads:
                bar.set_postfix(loss=f"{self.read_losses():.4f}", refresh=False)
            self.look_at_clock()
            if not self.losses:
                self.log.step(self.progress, self.fraction)
                self.save_where_due()
            if self.fraction >= 1:
                break
        if self.losses:
            self.read_losses()
            self.look_at_clock()
            self.save_where_due()

    def save_where_due(self) -> None:
        """Save the state if the last save is old, or if the run has been asked to stop, which it then does.

        Raises:
            TrainingError: A weight is not finite, or the state cannot be written.
            Interrupted: The run was asked to stop.
        """
        if self.asked_to_stop:
            self.save_state()
            self.process.wait()  # otherwise torchrun would end the writing process once another has left
            raise self.interruption.reason
        if time.monotonic() - self.saved_at >= 60 * self.config.save_minutes:
            self.save_state()

    def step(self, crops: Tensor, labels: Tensor) -> None:
        """Take one optimiser step; adds its loss to those not read yet.

        Args:
            crops: uint8 RGB (n, H, W, 3).
            labels: Targets, float32 (n, attributes) from 0 to 1, nan if unknown.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = self.schedule.learning_rate(self.fraction, self.progress.epoch)
        device, progress = self.process.device, self.progress
        pinned = device.type == "cuda"  # elsewhere batches are not, and MPS would read them after they are gone
        x = self.network.preprocessing.normalise(crops.to(device, non_blocking=pinned))
        if not self.config.channels_last:
            x = x.contiguous()
        targets = labels.to(device, non_blocking=pinned)
        loss_weight = self.loss_weight(targets)
        self.optimizer.zero_grad(set_to_none=True)
        with self.process.exchanging_gradients():
            with self.autocast:
                logits = self.wrapped(x)
            loss = cross_entropy(logits.float(), targets) * loss_weight
            self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.losses.append(loss.detach())
        progress.step += 1
        progress.batch += 1
        progress.images += len(labels) * self.process.count
        if self.ema:
            self.ema.update(progress.step)

    def read_losses(self) -> float:
        """Read the losses since the last time, at least one, and whether any process has been asked to stop.

        Nothing may be saved between a step and this.

        Returns:
            The last step's mean loss over all processes.

        Raises:
            TrainingError: A loss is not finite.
        """
        progress = self.progress
        # One message to the other processes has the losses, and whether any process was asked to stop, so that all do.
        message = torch.stack([*self.losses, self.losses[0].new_tensor(float(self.interruption.asked))])
        *sums, stops = self.process.total(message).tolist()
        self.losses.clear()
        self.asked_to_stop = stops > 0 or (self.process.count == 1 and self.interruption.asked)
        for step, summed in enumerate(sums, progress.step - len(sums) + 1):
            value = summed / self.process.count
            if not math.isfinite(value):
                raise TrainingError(
                    f"the loss is {value} in epoch {progress.epoch + 1}, step {step}: training stopped. "
                    f"The last good weights are kept in {self.folder}; try a lower --learning_rate"
                )
            progress.loss_sum += value
        return value

    def loss_weight(self, targets: Tensor) -> float | Tensor:
        """Return the factor for this process's mean loss that makes DDP's average weigh all known labels equally.

        Args:
            targets: This process's targets, float32 (n, attributes), nan if unknown.

        Returns:
            1, or a float32 scalar if some labels are unknown and there are several processes.
        """
        if self.process.count == 1 or self.all_targets_known:
            return 1.0
        mine = (~targets.isnan()).sum().float()
        return mine * self.process.count / self.process.total(mine.clone()).clamp(min=1)

    def end_epoch(self) -> dict[str, Any]:
        """Validate, and write the epoch's metrics and checkpoints.

        Returns:
            The metrics by name; those of attributes are nested.

        Raises:
            TrainingError: A weight is no longer finite, or the state cannot be written.
            Interrupted: The run was asked to stop during validation.
        """
        progress = self.progress
        rate = self.schedule.learning_rate(self.fraction, self.progress.epoch)
        self.save_state()  # validation takes minutes, and the run may be stopped meanwhile
        with self.interruption.released():
            first, *others = self.validate().items()
        metrics = {
            "train/loss": progress.loss_sum / max(progress.batch, 1),
            **first[1].as_metrics("valid"),
            "learning_rate": rate,
            "minutes": (time.monotonic() - self.started_at) / 60,
            "images": float(progress.images),
        }
        for name, found in others:
            metrics |= found.as_metrics(f"valid/{name}")
        progress.epoch, progress.batch, progress.loss_sum = progress.epoch + 1, 0, 0.0
        score = float(np.nan_to_num(first[1].mean(KEPT_BY[self.config.keep_best])))
        better = score > progress.best
        progress.best = max(progress.best, score)
        self.look_at_clock()
        if self.process.writes:
            self.write_epoch(metrics, better)
        self.save_state()
        return metrics

    def write_epoch(self, metrics: dict[str, Any], better: bool) -> None:
        """Write the metrics of an epoch, and its weights if they are to be kept.

        Args:
            metrics: The epoch's metrics.
            better: Whether its weights are the best so far.

        Raises:
            TrainingError: A weight is no longer finite.
        """
        epoch, figure = self.progress.epoch, KEPT_BY[self.config.keep_best]
        check_finite(self.eval_network, self.folder)
        if better:
            self.eval_network.save(self.folder / "best.safetensors")
        if self.config.save_every and epoch % self.config.save_every == 0:
            self.eval_network.save(self.folder / f"epoch_{epoch:03d}.safetensors")
        write_metrics(self.folder / "metrics.jsonl", epoch - 1, json.dumps({"epoch": epoch, **metrics}) + "\n")
        tqdm.write(
            f"epoch {epoch}: training loss {metrics['train/loss']:.4f}, validation loss {metrics['valid/loss']:.4f}, "
            f"mean {figure.replace('_', ' ')} {100 * (metrics[f'valid/{figure}'] or 0):.2f} % "
            f"(best {100 * self.progress.best:.2f} %)"
        )

    def validate(self) -> dict[str, Validation]:
        """Measure eval_network on each validation split, by the name of its folder."""
        # Each process has its own batch-norm statistics; the writer's are validated, since they are saved.
        self.process.take_from_writer(self.eval_network.buffers())
        return {
            name: validate(self.eval_network, split, self.process, self.held_validation.get(name))
            for name, split in self.data.valid.items()
        }

    def look_at_clock(self) -> None:
        """Update the fraction of the run that is over: by steps, or by time if there is a budget.

        Processes share the time only when they have just shared losses, since both make them wait.
        """
        self.progress.seconds = time.monotonic() - self.started_at
        if self.config.minutes and self.losses:
            return
        if self.config.minutes:
            self.fraction = min(1.0, self.process.from_writer(self.progress.seconds) / (60 * self.config.minutes))
        else:
            self.fraction = self.schedule.fraction_at(self.progress.step)

    def crop_spec_of_batch(self, batch: int) -> CropSpec:
        """Return size and augmentation of the crops in a batch: for the batch's own step, since workers run ahead.

        With a time budget it goes by the clock instead.

        Args:
            batch: Number of the batch in the current epoch, from 0.
        """
        step = self.progress.epoch * self.steps_per_epoch + batch
        return self.schedule.crop_spec(self.fraction if self.config.minutes else self.schedule.fraction_at(step))

    # Checkpoints

    def save_state(self) -> None:
        """Write everything needed to resume to last.pt, atomically, and the weights to last.safetensors.

        Only the process of rank 0 writes.

        Raises:
            TrainingError: A weight is not finite, or the state cannot be written.
        """
        self.saved_at = time.monotonic()
        if not self.process.writes:
            return
        check_finite(self.network, self.folder)
        state = {
            "config": asdict(self.config),
            "position": asdict(self.progress),
            "network": self.network.state_dict(),
            "average": self.ema.network.state_dict() if self.ema else None,
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "data": self.data.fingerprint(),
            "valid": self.data.choice_fingerprint(),
            "files": self.description.get("files", {}),
        }
        write_state(self.folder / "last.pt", state)
        self.eval_network.save(self.folder / "last.safetensors")

    def restore(self) -> None:
        """Continue from the state in last.pt.

        Raises:
            TrainingError: It can't be read, or belongs to another run.
        """
        path = self.folder / "last.pt"
        state = read_state(path)
        try:
            check_same_run(path, state, self.config, self.data.fingerprint(), self.data.choice_fingerprint())
            self.network.load_state_dict(state["network"])
            if self.ema:
                self.ema.network.load_state_dict(state["average"])
            restore_optimizer(self.optimizer, state["optimizer"])
            if state.get("scaler"):  # empty if saved on a device without scaling
                self.scaler.load_state_dict(state["scaler"])
        except TrainingError:
            raise
        except Exception as error:
            if not (self.folder / "last.safetensors").is_file():  # which tells what kind of network it is
                raise TrainingError(f"{path} needs last.safetensors beside it: copy that, too") from error
            raise unreadable(path, error) from error
        self.progress = state["position"]
