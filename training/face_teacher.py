"""Make a teacher's initial weights: `python -m training.face_teacher --model faceres.json --data_dir D --out W`.

The model is a MobileNet that was trained on faces, from the npm package @vladmandic/human (MIT). Its batch norm, which
was folded into its convolutions, is measured on training crops and put back. `training.train --init_from W` then trains
it on CelebA's attributes, and `--teachers` takes the weights that result.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from tqdm import tqdm

from slimnet import ATTRIBUTES, CheckpointError
from training.data.celeba import DataError, Split, read_celeba, read_pictures
from training.fit.arguments import Range, check_numbers, given
from training.measure.predictions import evenly
from training.networks.mobilenet import MobileNet
from training.networks.pretrained import from_graph, restore_batch_norm
from training.networks.tensorflow_js import read_graph_model

_BATCH = 50  # pictures


def convert(model: str, train: Split, images: int) -> MobileNet:
    """Turn a face network into one that can be trained.

    Args:
        model: JSON file of the TensorFlow.js graph.
        train: Training pictures, and the attributes to learn.
        images: How many of the pictures to measure batch norm on.

    Returns:
        The network, whose outputs are still untrained.

    Raises:
        CheckpointError: The model can't be read, or is not a MobileNet.
        DataError: Pictures are damaged, or there are none.
    """
    if not len(train):
        raise DataError("the train split has no pictures to measure batch norm on")
    network = from_graph(read_graph_model(model), train.attributes)
    images = min(images, len(train))
    batch = min(_BATCH, images)
    sample = evenly(train, images // batch * batch)  # whole batches, since a smaller one would weigh as much
    crops = read_pictures(sample, network.preprocessing, batch)
    bar = tqdm(crops, "batch norm", len(sample) // batch, disable=None)
    restore_batch_norm(network, (network.preprocessing.normalise(torch.from_numpy(batch)) for batch in bar))
    return network


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: Without the program's name; None for the program's own.

    Returns:
        The exit status: 0, or 1 if something went wrong.
    """
    parser = argparse.ArgumentParser(
        "python -m training.face_teacher", description="Make a face network ready to be trained as a teacher."
    )
    parser.add_argument("--model", type=given, required=True, help="the graph's JSON file; its .bin lies beside it")
    parser.add_argument(
        "--data_dir",
        type=given,
        default="data",
        help="CelebA, of which the training split is used (default: %(default)s)",
    )
    parser.add_argument("--out", type=given, required=True, help="weights to write, .safetensors")
    parser.add_argument(
        "--images", default=2000, type=int, help="training crops that batch norm is measured on (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    if Path(options.out).suffix.lower() != ".safetensors":
        parser.error(f"--out must end in .safetensors, got {options.out}")
    check_numbers(parser, options, images=Range(1, 1_000_000))
    try:
        Path(options.out).parent.mkdir(parents=True, exist_ok=True)
        train = read_celeba(options.data_dir, wanted=ATTRIBUTES)["train"]
        convert(options.model, train, options.images).save(options.out)
    except (CheckpointError, DataError, OSError) as error:
        print(f"training.face_teacher: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
