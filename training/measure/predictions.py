"""A network's probabilities for the images of a split."""

import hashlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from scipy.special import logit

from slimnet import Calibration, Predictor
from training.data.celeba import SPLITS, DataError, Split, read_celeba, read_pictures, unknown_labels, unknown_people
from training.data.columns import listed
from training.data.counting import counted
from training.data.folders import join, named_twice

Change = Callable[[np.ndarray, int], np.ndarray]


def load(weights: str, data_dirs: Sequence[str], device: str | None) -> tuple[Predictor, dict[str, Split]]:
    """Load weights, and read the joined splits of data folders as `read_splits` does.

    Args:
        weights: File of weights, .safetensors or .pth.
        data_dirs: Folders in CelebA's form, which together label all attributes of the weights.
        device: Device name; None or "auto" for CUDA, then MPS, then the CPU.

    Returns:
        The predictor, and the splits by name, with the labels of the weights' attributes in their order.

    Raises:
        CheckpointError: The weights cannot be read, or give no finite outputs.
        DataError: A folder cannot be read or is named twice, or the folders lack an attribute of the weights.
        ValueError: There is no such kind of device.
    """
    predictor = Predictor(weights, device)
    return predictor, read_splits(predictor.attributes, weights, data_dirs)


def read_splits(attributes: Sequence[str], weights: str, data_dirs: Sequence[str]) -> dict[str, Split]:
    """Read the joined splits of data folders; note on stderr how many labels and whose faces are unknown, if any.

    Like training.train, it joins the folders' label columns by name: what a folder does not label is unknown there.

    Args:
        attributes: The weights' attributes.
        weights: Their file, for messages.
        data_dirs: Folders in CelebA's form, which together label all the attributes.

    Returns:
        The splits by name, with the labels of the attributes in their order.

    Raises:
        DataError: A folder cannot be read or is named twice, or the folders lack an attribute.
    """
    twice = named_twice([Path(folder) for folder in data_dirs])
    if twice:
        raise DataError(f"--data_dir names {', '.join(twice)} twice, whose pictures would count twice")
    found = [read_celeba(folder, wanted=attributes) for folder in data_dirs]
    labelled = {name for splits in found for name in splits["train"].attributes}
    missing = [name for name in attributes if name not in labelled]
    if missing:
        raise DataError(
            f"{' and '.join(data_dirs)} labels other attributes than {weights} was trained on: it lacks "
            f"{listed(missing)}. --data_dir takes several folders, which together need to label all"
        )
    splits = {name: join([splits[name].with_attributes(attributes) for splits in found]) for name in SPLITS}
    people = [f"{folder}: {line}" for folder in data_dirs if (line := unknown_people(folder))]
    for line in (unknown_labels(splits), *people):
        if line:
            print(line, file=sys.stderr)
    return splits


def identify(weights: Path) -> dict[str, str]:
    """Identify a file of weights, to record which weights some figures belong to.

    Args:
        weights: The file.

    Returns:
        Its name as "file", and its SHA-256 in hexadecimal as "sha256".
    """
    return {"file": weights.name, "sha256": hashlib.sha256(weights.read_bytes()).hexdigest()}


def probabilities(
    predictor: Predictor, split: Split, batch_size: int, change: Change | None = None, title: str = "reading pictures"
) -> np.ndarray:
    """Predict the probabilities of every image of a split.

    Args:
        predictor: The network.
        split: The images.
        batch_size: Images per batch.
        change: Called with each crop, uint8 RGB (H, W, 3), and its index in the split; returns the crop to predict
            instead.
        title: Label of the progress bar.

    Returns:
        float32 (N, attributes).

    Raises:
        DataError: Images are damaged or have another size; the message names them.
    """
    with counted(title, len(split)) as advance:
        found = np.zeros((len(split), len(predictor.attributes)), np.float32)
        done = 0
        for crops in read_pictures(split, predictor.preprocessing, batch_size):
            if change:
                crops = np.stack([change(crop, number) for number, crop in enumerate(crops, start=done)])
            found[done : done + len(crops)] = predictor(crops)
            done += len(crops)
            advance(len(crops))
    return found


def raw_logits(probabilities: np.ndarray, calibration: Calibration | None) -> np.ndarray:
    """Recover the network's logits from the predictor's probabilities.

    float32 can't tell a probability above 1 - 6e-8 from 1, so logits are capped there, at about 16.6 times the
    temperature.

    Args:
        probabilities: float32 (N, attributes), from a Predictor with this calibration.
        calibration: Its temperatures are undone; None if the weights have none.

    Returns:
        float64 (N, attributes), the logits without temperatures.
    """
    inner = np.clip(probabilities.astype(np.float64), 1e-30, 1 - 2.0**-24)
    return logit(inner) * np.array(calibration.temperatures if calibration else 1.0)


def evenly(split: Split, images: int) -> Split:
    """Take at most `images` images of a split, evenly spaced.

    Args:
        split: The images to choose from.
        images: The maximum number; all are kept if there are fewer.
    """
    kept = np.unique(np.linspace(0, len(split) - 1, min(images, len(split))).round().astype(int))
    return split.only(kept)
