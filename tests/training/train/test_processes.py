import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from slimnet import SlimNet
from tests.fakes import celeba
from tests.paths import ROOT
from tests.training.train.runs import flags, metrics
from training import train
from training.data.augment import Augmentation
from training.data.cache import decoded
from training.data.celeba import read_celeba
from training.data.draws import Draws
from training.data.loader import CropSpec, EpochBatches, Sample, TrainingSet
from training.fit.build import build_network, build_optimizer
from training.fit.config import parse_config
from training.fit.errors import TrainingError
from training.fit.runtime.distributed import Process

Ended = subprocess.CompletedProcess[str]


def in_two_processes(options: list[str], program: Sequence[str] = ("-m", "training.train")) -> Ended:
    """Run training.train, or a script, by torchrun in two processes, each of one thread, and wait for its end."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [*command, *program, *options], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300
    )


# Trains as the command does, but the process that writes fails before its third step.
FAILS = """
from training import train
from training.fit import trainer as engine
from training.fit.errors import TrainingError
step = engine.Trainer.step
def some(self, *arguments):
    if self.process.writes and self.progress.step == 2:
        raise TrainingError("no space is left")
    step(self, *arguments)
engine.Trainer.step = some
train.leave(train.main())
"""


def expected_after_one_step(data: Path, save: Path, processes: int) -> tuple[float, SlimNet]:
    """Loss and weights after one step on a batch of 8 shared by this many processes, computed without them."""
    config = parse_config(flags(data, save, "--batch_size", "8", "--learning_rate", "0.01", "--num_epochs", "1"))
    split = read_celeba(data)["train"]
    network = build_network(config, split.attributes)
    pictures = decoded(split, config.cache_dir, network.preprocessing, 1)
    dataset = TrainingSet(pictures, split.targets, Augmentation(), 0)
    optimizer = build_optimizer(config, network)
    losses, counts = [], []
    spec = CropSpec(218, 178, augment=False)
    for rank in range(processes):
        batch: list[Sample] = next(iter(EpochBatches(Draws.once(8), 8, 0, 0, 0, rank, processes, lambda _batch: spec)))
        crops, labels = (torch.stack(part) for part in zip(*(dataset[sample] for sample in batch), strict=True))
        network.train()
        logits = network(network.preprocessing.normalise(crops))
        known = ~labels.isnan()
        losses.append(
            torch.nn.functional.binary_cross_entropy_with_logits(logits[known], labels[known], reduction="sum")
        )
        counts.append(known.sum())
    loss = torch.stack(losses).sum() / torch.stack(counts).sum()
    loss.backward()
    optimizer.step()
    assert isinstance(network, SlimNet)
    return loss.item(), network


def valid_loss(network: SlimNet, data: Path, cache: Path) -> float:
    """The mean over the attributes, of each over its known labels."""
    split = read_celeba(data)["valid"]
    pictures = decoded(split, cache, network.preprocessing, 1)
    with torch.no_grad():
        logits = network.eval()(network.preprocessing.normalise(torch.from_numpy(np.array(pictures.array))))
    known = torch.from_numpy(split.known)
    losses = torch.nn.functional.binary_cross_entropy_with_logits(
        logits, torch.from_numpy(split.labels).float(), reduction="none"
    )
    return ((losses * known).sum(0) / known.sum(0)).mean().item()


def test_two_processes_make_one_step_of_the_whole_batch(tmp_path: Path) -> None:
    """The mean is over all known labels of the batch, however the processes share them."""
    data = celeba.with_gaps(celeba.write(tmp_path / "data", sizes={0: 8, 1: 6, 2: 2}), share=0.5)
    save = tmp_path / "run"
    options = "--batch_size 8 --learning_rate 0.01 --num_epochs 1".split()
    ended = in_two_processes(flags(data, save, *options))
    assert ended.returncode == 0, ended.stderr
    loss, network = expected_after_one_step(data, save, processes=2)
    (found,) = metrics(save)  # one line, since only one process writes
    assert found["train/loss"] == pytest.approx(loss, abs=1e-5)
    assert found["images"] == 8
    weights = SlimNet.load_pretrained(save / "last.safetensors")
    # Both processes judge exactly the saved weights, although each saw other images.
    assert found["valid/loss"] == pytest.approx(valid_loss(weights, data, tmp_path / "cache"), abs=1e-6)
    np.testing.assert_allclose(weights.fc.weight.detach(), network.fc.weight.detach(), atol=1e-4)


@pytest.mark.parametrize(("local_rank", "decodes_first"), [(0, True), (1, False)])
def test_the_first_process_of_each_machine_decodes(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, local_rank: int, decodes_first: bool
) -> None:
    found_at_wait = []
    cache = tmp_path / "cache"
    monkeypatch.setattr(Process, "wait", lambda _self: found_at_wait.append(len(list(cache.glob("*.rgb")))))
    splits = read_celeba(data)
    second_machines = Process(2 + local_rank, 4, torch.device("cpu"), local_rank)
    train.prepare([splits["train"], splits["valid"]], parse_config(flags(data, tmp_path / "run")), second_machines)
    assert found_at_wait == [2 if decodes_first else 0]


def test_one_processs_fault_is_said_once_and_ends_all(tmp_path: Path, data: Path) -> None:
    read_celeba(data)["train"].paths[0].write_bytes(b"no picture")
    ended = in_two_processes(flags(data, tmp_path / "run"))
    assert ended.returncode != 0
    assert ended.stderr.count("1 pictures that are damaged") == 1
    assert "[rank1]: Traceback" not in ended.stderr


def test_one_that_fails_between_steps_ends_the_others_without_a_traceback(tmp_path: Path, data: Path) -> None:
    script = tmp_path / "fails.py"
    script.write_text(FAILS, encoding="utf-8")
    ended = in_two_processes(flags(data, tmp_path / "run"), [str(script)])
    assert ended.returncode != 0
    assert ended.stderr.count("no space is left") == 1
    assert "[rank1]: Traceback" not in ended.stderr


def test_a_fault_is_the_last_that_torchrun_says(tmp_path: Path, data: Path) -> None:
    ended = in_two_processes(flags(data, tmp_path / "run", "--data_dir", str(tmp_path / "none")))
    assert ended.returncode != 0
    *_, last, frame = ended.stderr.splitlines()
    assert "training.train: there is no list_attr_celeba.csv" in last
    assert set(frame) == {"="}
    assert ended.stderr.count("there is no list_attr_celeba.csv") == 1


@pytest.mark.parametrize(("size", "why"), [("5", "evenly by 2 processes"), ("0", "give a size that 2 can share")])
def test_a_batch_that_cannot_be_shared_is_refused_before_the_work(
    tmp_path: Path, data: Path, size: str, why: str
) -> None:
    config = parse_config(flags(data, tmp_path / "run", "--batch_size", size))
    with pytest.raises(TrainingError, match=why):
        train.train(config, Process(0, 2, torch.device("cpu")))
    assert not (tmp_path / "cache").exists()
