"""Average the weights of several runs: `python -m training.soup --weights A B --data_dir D --out S`.

Runs with the same initial weights end in one valley of the loss, and its middle does better than its sides (Wortsman et
al. 2022, "Model soups"). Batch norm's statistics are not averaged but measured again, on training crops as they are:
a run's own describe augmented crops, so even one run alone gains by this. If runs also saw other sets, `--images 0`
averages them like the rest: measured on CelebA alone, they would no longer suit the other sets.
"""

import argparse
import copy
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch.optim.swa_utils import update_bn
from tqdm import tqdm

from slimnet import CheckpointError, SlimNet, choose_device
from training.data.celeba import DataError, Split, read_celeba, read_pictures
from training.fit.arguments import Range, add_device, check_numbers, given
from training.fit.record.provenance import step_provenance

_BATCH = 100  # pictures per batch-norm batch
_SEED = 0  # of the choice of these pictures


def average(networks: Sequence[SlimNet]) -> SlimNet:
    """Average the weights of several networks.

    Args:
        networks: At least one; they are not changed.

    Returns:
        A new network without a calibration, whose provenance lists theirs. Anything not floating-point, such as batch
        norm's counters, comes from the first.

    Raises:
        ValueError: The networks differ in shape, attributes or preprocessing.
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
    averaged.calibration = None  # it was measured on other weights
    known = [network.provenance for network in networks]
    averaged.provenance = {"average_of": known} if any(known) else None
    averaged.load_state_dict(mean)
    return averaged


def settle_batch_norm(network: SlimNet, split: Split, images: int, device: str | None = None) -> None:
    """Measure the statistics of every batch norm again, on random crops of a split without augmentation.

    Args:
        network: Changed in place; on the CPU and in evaluation mode afterwards.
        split: Pictures to choose from.
        images: How many at most; whole batches only, since a smaller one would weigh as much.
        device: auto, cpu, cuda or mps; None is auto.

    Raises:
        DataError: Pictures are damaged, or there are none.
    """
    if not len(split):
        raise DataError("the train split has no pictures to measure batch norm on; --images 0 does without")
    batch = min(_BATCH, len(split))
    order = np.random.default_rng(_SEED).permutation(len(split))[: min(images, len(split)) // batch * batch]
    sample = split.only(order)
    place = choose_device(device)
    batches = tqdm(
        read_pictures(sample, network.preprocessing, batch),
        desc="batch norm",
        total=len(sample) // batch,
        disable=None,
    )
    inputs = (network.preprocessing.normalise(torch.from_numpy(crops).to(place)) for crops in batches)
    update_bn(inputs, network.to(place))  # a plain mean over the batches
    network.cpu().eval()


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m training.soup", description="Average the weights of several runs.")
    parser.add_argument(
        "--weights", type=given, nargs="+", required=True, help="one file or more, .safetensors or .pth"
    )
    parser.add_argument(
        "--data_dir",
        type=given,
        default="data",
        help="CelebA, of which the training split is used (default: %(default)s)",
    )
    parser.add_argument("--out", type=given, required=True, help="weights to write, .safetensors or .pth")
    parser.add_argument(
        "--images",
        default=4000,
        type=int,
        help="training crops for batch norm's statistics; 0: their mean, as it is (default: %(default)s)",
    )
    add_device(parser)
    options = parser.parse_args(arguments)
    if Path(options.out).suffix.lower() not in (".safetensors", ".pth"):
        parser.error(f"--out must end in .safetensors or .pth, got {options.out}")
    if 0 < options.images < _BATCH:
        parser.error(f"--images must be at least {_BATCH}, or 0 for the mean of the statistics, got {options.images}")
    check_numbers(parser, options, images=Range(0, 10_000_000))
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: Without the program's name; None for the program's own.

    Returns:
        The exit status: 0, or 1 if something went wrong.
    """
    options = _parse(arguments)
    try:
        Path(options.out).parent.mkdir(parents=True, exist_ok=True)  # fail before the work, not after it
        network = average([SlimNet.load_pretrained(path) for path in options.weights])
        data = {}
        if options.images:
            split = read_celeba(options.data_dir, wanted=network.attributes)["train"]
            settle_batch_norm(network, split, options.images, device=options.device)
            data["train"] = split.with_attributes(network.attributes).fingerprint()
        used = step_provenance(options.weights, data)
        network.provenance = {"averaged": {"images": options.images}, **used, **(network.provenance or {})}
        network.save(options.out)
    except (CheckpointError, DataError, OSError, ValueError) as error:
        print(f"training.soup: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
