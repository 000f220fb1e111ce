"""Average the weights of several runs: `python -m training.soup --weights A B --data_dir D --out S`.

Runs that share their beginning lie in one valley, and its middle does better than its sides (Wortsman et al. 2022,
"Model soups"). Batch norm's statistics are not averaged but taken anew, on training crops as they are: those of a
run describe crops that augmentation had changed, so one run alone gains by this too.
"""

from __future__ import annotations

import argparse
import copy
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from slimnet import CheckpointError, SlimNet, choose_device
from training.arguments import given
from training.data.celeba import DataError, Split, read_celeba, read_pictures
from training.fit.ranges import Range, check_numbers

BATCH = 100  # pictures that batch norm judges together


def average(networks: Sequence[SlimNet]) -> SlimNet:
    """A network whose weights are the mean of those of the given ones.

    Raises ValueError when they differ in shape, attributes or preprocessing.
    """
    first = networks[0]
    for other in networks[1:]:
        if (other.architecture, other.attributes, other.preprocessing) != (
            first.architecture, first.attributes, first.preprocessing,
        ):  # fmt: skip
            raise ValueError("only weights of the same shape, attributes and preprocessing can be averaged")
    states = [network.state_dict() for network in networks]
    mean = {
        name: torch.stack([state[name] for state in states]).mean(dim=0) if value.is_floating_point() else value
        for name, value in states[0].items()
    }
    averaged = copy.deepcopy(first)
    averaged.calibration = None  # which was measured on other weights
    averaged.load_state_dict(mean)
    return averaged


@torch.no_grad()
def settle_batch_norm(network: SlimNet, split: Split, images: int, seed: int = 0, device: str | None = None) -> None:
    """Take the statistics of every batch norm anew, over so many random crops of a split, each as it is; in whole
    batches, since a smaller last one would weigh as much as the others.

    Raises DataError for damaged pictures.
    """
    batch = min(BATCH, len(split))
    order = np.random.default_rng(seed).permutation(len(split))[: min(images, len(split)) // batch * batch]
    sample = split.only(order)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None  # a plain mean over the batches
    place = choose_device(device)
    network.to(place).train()
    with tqdm(total=len(sample), desc="batch norm", disable=None) as bar:
        for crops in read_pictures(sample, network.preprocessing, batch):
            network(network.preprocessing.normalise(torch.from_numpy(crops).to(place)))
            bar.update(len(crops))
    network.cpu().eval()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser("python -m training.soup", description="Average the weights of several runs.")
    parser.add_argument(
        "--weights", type=given, nargs="+", required=True, help="one file or more, .safetensors or .pth"
    )
    parser.add_argument("--data_dir", type=given, default="data", help="CelebA, of which the training split is used")
    parser.add_argument("--out", type=given, required=True, help="weights to write, .safetensors or .pth")
    parser.add_argument("--images", default=4000, type=int, help="training crops for batch norm's statistics")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    options = parser.parse_args(arguments)
    if Path(options.out).suffix not in (".safetensors", ".pth"):
        parser.error(f"--out must end in .safetensors or .pth, got {options.out}")
    check_numbers(parser, options, images=Range(BATCH, 10_000_000))
    try:
        Path(options.out).parent.mkdir(parents=True, exist_ok=True)  # before the work, should it not be possible
        network = average([SlimNet.load_pretrained(path) for path in options.weights])
        settle_batch_norm(network, read_celeba(options.data_dir)["train"], options.images, device=options.device)
        network.save(options.out)
    except (CheckpointError, DataError, OSError, ValueError) as error:
        print(f"training.soup: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
