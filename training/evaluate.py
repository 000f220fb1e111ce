"""How good weights are on a split: `python -m training.evaluate --weights W --data_dir D --split test`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from sklearn.metrics import accuracy_score, recall_score
from tqdm import tqdm

from slimnet import CheckpointError, Predictor
from training.data import SPLITS, DataError, Split, read_celeba, read_pictures


@dataclass(frozen=True)
class AttributeScores:
    """One attribute's figures on a split, as shares from 0 to 1.

    accuracy: of the ticks at probability 0.5. balanced_accuracy: mean of the recalls of both classes; of the one class
    where a split holds only one. majority_accuracy: of always saying what the training split mostly says.
    positive_share: of the labels.
    """

    attribute: str
    accuracy: float
    balanced_accuracy: float
    majority_accuracy: float
    positive_share: float


@dataclass(frozen=True)
class Evaluation:
    """Figures of one split. images: how many; attributes: in the labels' order; the others: means over them."""

    split: str
    images: int
    accuracy: float
    balanced_accuracy: float
    majority_accuracy: float
    attributes: tuple[AttributeScores, ...]


def score(split: str, labels: np.ndarray, ticked: np.ndarray, majority: np.ndarray, names: Sequence[str]) -> Evaluation:
    """Compare ticks with labels, both bool (N, attributes); majority: bool (attributes,), the training split's."""
    attributes = []
    for column, name in enumerate(names):
        truth, guess = labels[:, column], ticked[:, column]
        recalls = recall_score(truth, guess, labels=np.unique(truth), average=None)
        attributes.append(
            AttributeScores(
                name,
                float(accuracy_score(truth, guess)),
                float(recalls.mean()),
                float(accuracy_score(truth, np.full(len(truth), majority[column]))),
                float(truth.mean()),
            )
        )

    def mean(figure: str) -> float:
        return float(np.mean([getattr(scores, figure) for scores in attributes]))

    return Evaluation(
        split, len(labels), mean("accuracy"), mean("balanced_accuracy"), mean("majority_accuracy"), tuple(attributes)
    )


def probabilities(predictor: Predictor, split: Split, batch_size: int) -> np.ndarray:
    """Float32 (N, attributes) for every picture of a split. Raises DataError that names damaged pictures."""
    with tqdm(total=len(split), unit="", disable=None) as bar:
        found = []
        for crops in read_pictures(split, predictor.preprocessing, batch_size):
            found.append(predictor(crops))
            bar.update(len(crops))
    return np.concatenate(found)


def evaluate(weights: str, data_dir: str, split: str, batch_size: int = 64, device: str | None = None) -> Evaluation:
    """Evaluate weights on a split of CelebA.

    Raises CheckpointError, or DataError: also when the labels are not those that the weights know.
    """
    predictor = Predictor(weights, device)
    splits = read_celeba(data_dir)
    data = splits[split]
    if data.attributes != predictor.attributes:
        raise DataError(f"{data_dir} labels other attributes, or in another order, than {weights} was trained on")
    if not len(data):
        raise DataError(f"{data_dir} has no pictures in its {split} split")
    majority = (splits["train"] if len(splits["train"]) else data).labels.mean(axis=0) > 0.5
    return score(split, data.labels, probabilities(predictor, data, batch_size) > 0.5, majority, data.attributes)


def table(evaluation: Evaluation) -> str:
    """The figures as text, in per cent, the mean last."""
    rows = [(s.attribute, s.accuracy, s.balanced_accuracy, s.majority_accuracy) for s in evaluation.attributes]
    rows.append(("mean", evaluation.accuracy, evaluation.balanced_accuracy, evaluation.majority_accuracy))
    lines = [f"{evaluation.split} split, {evaluation.images} images", f"{'':20} accuracy  balanced  majority class"]
    lines += [f"{name:20} {100 * a:8.2f}  {100 * b:8.2f}  {100 * m:14.2f}" for name, a, b, m in rows]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser("python -m training.evaluate", description="Evaluate weights on CelebA.")
    parser.add_argument("--weights", default="assets/slimnet_celeba.safetensors", help=".safetensors or .pth")
    parser.add_argument("--data_dir", default="data", help="CelebA: the tables and img_align_celeba/")
    parser.add_argument("--split", default="test", choices=tuple(SPLITS))
    parser.add_argument("--batch_size", default=64, type=int)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args(arguments)
    if options.batch_size < 1:
        parser.error(f"--batch_size must be at least 1, got {options.batch_size}")
    try:
        evaluation = evaluate(options.weights, options.data_dir, options.split, options.batch_size, options.device)
        print(table(evaluation))
        if options.json:
            options.json.write_text(json.dumps(asdict(evaluation), indent=2) + "\n")
    except (CheckpointError, DataError, OSError, ValueError) as error:
        print(f"training.evaluate: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
