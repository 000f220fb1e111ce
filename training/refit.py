"""Fit single outputs once more, on frozen features: `python -m training.refit --weights W --attributes A --out R`.

Training weighs all faces alike, so an output can lean on what holds only for most of them. Fitting the last layer
alone, with every group weighing the same, can undo that (Kirichenko et al. 2023, "Last Layer Re-Training is Sufficient
for Robustness to Spurious Correlations", arXiv 2204.02937). The features, and so all other outputs, stay as they are.
They were learnt on the same faces that the output is fitted to, and look better on these than they are. So the output's
regularisation and scale are chosen on faces that the network has not learnt from.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from slimnet import CheckpointError, Predictor, SlimNet
from training.data.celeba import DataError, Split, read_celeba, read_pictures
from training.data.columns import listed
from training.data.counting import counted
from training.data.folders import Folder, different_folders, read_folders
from training.data.groups import TABLE, read_groups
from training.fit.arguments import add_device, given
from training.fit.record.provenance import step_provenance

_BATCH = 64  # pictures that the network reads at once
# Sklearn's C, from very strong to hardly any regularisation, for features of variance 1 and pictures of weight 1.
_STRENGTHS = tuple(10.0**power for power in np.arange(-5, 0.5, 0.5))
_MOST_SCALE = 20.0  # limit of the factor that makes a regularised output surer
_MOST_STEPS = 2000  # of the solver; it needs some hundred
_LEAST_GROUP_SHARE = 0.01  # of the faces with a label; a smaller group, such as men with lipstick, would outweigh all


@dataclass(frozen=True)
class Faces:
    """Faces that one output is fitted to, or judged on.

    Args:
        features: float32 (N, features), the input of the network's last layer.
        labels: bool (N,).
        weights: float64 (N,), how much each face counts.
    """

    features: np.ndarray
    labels: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class Output:
    """One output of the last layer.

    Args:
        weight: float64 (features,).
        bias: What is added to it.
        strength: Sklearn's C that was chosen.
        scale: What the output was multiplied by, since a strongly regularised one is not sure enough.
        loss: Weighted log loss on the faces that it was chosen on.
        loss_before: Loss of the output that the network had, on the same faces.
    """

    weight: np.ndarray
    bias: float
    strength: float
    scale: float
    loss: float
    loss_before: float


def balanced_weights(labels: np.ndarray, origins: np.ndarray) -> np.ndarray:
    """Weigh faces so that every group with every label counts the same, and so each label half, however rare it is.

    Faces of unknown origin are not a group: each weighs as much as the average face with its label.

    Args:
        labels: bool (N,).
        origins: str (N,), the group of each face; empty if unknown.

    Returns:
        float64 (N,), 1 on average.
    """
    weights, known = np.ones(len(labels)), origins.astype(str) != ""
    if not known.any():
        return weights
    _, cells, counts = np.unique(
        np.stack([origins[known].astype(str), labels[known].astype(str)]),
        axis=1,
        return_inverse=True,
        return_counts=True,
    )
    weights[known] = known.sum() / (len(counts) * counts[cells.ravel()])
    for alike in (labels, ~labels):
        if (alike & known).any():
            weights[alike & ~known] = weights[alike & known].mean()
    return weights / weights.mean()


def groups_by_labels(labels: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Group faces by further labels, such as whether somebody wears make-up.

    Args:
        labels: bool (N,), of the output.
        others: bool (N, M), the labels to group by; M may be 0.

    Returns:
        str (N,), the group of each face. A group with few of a label's faces joins the largest group of that label.
    """
    found = np.array(["".join("01"[value] for value in row.astype(int)) for row in others], dtype=str)
    for alike in (labels, ~labels):
        names, counts = np.unique(found[alike], return_counts=True)
        for name in names[counts < _LEAST_GROUP_SHARE * alike.sum()]:
            found[alike & (found == name)] = names[counts.argmax()]
    return found


def fit_output(train: Faces, valid: Faces, weight: np.ndarray, bias: float) -> Output:
    """Fit a logistic regression, with the regularisation and scale that are best on other faces.

    Args:
        train: Faces to fit to, with both labels among them.
        valid: Faces that the network has not learnt from.
        weight: float (features,), of the network's present output.
        bias: Of the network's present output.

    Returns:
        The output with the lowest loss on `valid`.
    """
    scaler = StandardScaler().fit(train.features)
    inputs = scaler.transform(train.features)
    before = _loss(valid, _logits(valid, weight, bias))
    found = []
    for strength in tqdm(_STRENGTHS, "fitting", disable=None, leave=False):
        fitted = LogisticRegression(C=strength, max_iter=_MOST_STEPS)
        fitted.fit(inputs, train.labels, sample_weight=train.weights)
        mine = fitted.coef_[0].astype(np.float64) / scaler.scale_
        offset = float(fitted.intercept_[0] - mine @ scaler.mean_)
        scale, loss = _best_scale(valid, _logits(valid, mine, offset))
        found.append(Output(scale * mine, scale * offset, strength, scale, loss, before))
    return min(found, key=lambda output: output.loss)


def _best_scale(faces: Faces, logits: np.ndarray) -> tuple[float, float]:
    """Find the scale of an output with the lowest loss, and that loss."""
    best = minimize_scalar(
        lambda log_scale: _loss(faces, np.exp(log_scale) * logits),
        bounds=(-np.log(_MOST_SCALE), np.log(_MOST_SCALE)),
        method="bounded",
    )
    return float(np.exp(best.x)), float(best.fun)


def _logits(faces: Faces, weight: np.ndarray, bias: float) -> np.ndarray:
    """An output of the last layer: float64 (N,)."""
    return faces.features.astype(np.float64) @ weight + bias


def _loss(faces: Faces, logits: np.ndarray) -> float:
    """Weighted log loss."""
    return float(log_loss(faces.labels, expit(logits), sample_weight=faces.weights, labels=[False, True]))


def gather(
    data_dirs: Sequence[str],
    attributes: Sequence[str],
    balance: Sequence[str],
    compute: Callable[[Split, str], np.ndarray],
) -> dict[str, dict[str, Faces]]:
    """Compute the features of every face that has one of the labels.

    If a folder has list_groups.csv, its groups weigh the same with either label; otherwise the groups made by `balance`
    do. A folder counts as much as its training faces times its draws, even on the validation split.

    Args:
        data_dirs: Each FOLDER or FOLDER=DRAWS.
        attributes: Names of the outputs to fit.
        balance: Names of labels; people with and without them weigh the same. An unknown label counts as absent.
        compute: Returns the features of a split's pictures, float32 (N, features); also gets a title.

    Returns:
        The faces by attribute and split, "train" and "valid".

    Raises:
        DataError: A folder cannot be read or is named twice, none labels a name of `balance`, or an attribute lacks
            faces with or without it in one of the splits.
    """
    read = [
        (folder, (folder.path / TABLE).is_file(), read_celeba(folder.path, wanted=(*attributes, *balance)))
        for folder in different_folders(data_dirs)
    ]
    balanced = {name for _, grouped, splits in read if not grouped for name in splits["train"].attributes}
    nowhere = [name for name in balance if name not in balanced]
    if nowhere:
        raise DataError(f"--balance: no folder of --data_dir without {TABLE} labels {listed(nowhere)}")
    parts = {
        part: [_labelled(folder, grouped, splits[part], attributes, balance) for folder, grouped, splits in read]
        for part in ("train", "valid")
    }
    _check_both_labels(parts, attributes)  # before the features, which take minutes
    found: dict[str, dict[str, Faces]] = {name: {} for name in attributes}
    for part, folders in parts.items():
        features = [compute(each.split, f"{each.folder.path.name}, {part}") for each in folders]
        for column, name in enumerate(attributes):
            faces = []
            for number, each in enumerate(folders):
                kept, weights = each.weights(column, balanced=bool(balance))
                learnt = int(parts["train"][number].split.known[:, column].sum())
                weights *= each.folder.draws * (learnt or len(weights)) / max(1, len(weights))
                faces.append(Faces(features[number][kept], each.split.labels[kept, column], weights))
            found[name][part] = _joined(faces)
    return found


@dataclass(frozen=True)
class _Labelled:
    """The faces of a folder's split that have one of the labels to fit.

    Attributes:
        folder: Where they are.
        split: The faces, with the labels to fit.
        others: Labels by whose presence they are balanced, bool (N, labels).
        origins: Group of each face, (N,); None if the folder has no table of groups.
    """

    folder: Folder
    split: Split
    others: np.ndarray
    origins: np.ndarray | None

    def weights(self, column: int, balanced: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return which faces have a label, bool (N,), and how much each of these weighs, float (n,)."""
        kept = self.split.known[:, column]
        labels = self.split.labels[kept, column]
        groups = groups_by_labels(labels, self.others[kept]) if self.origins is None else self.origins[kept]
        weighed = balanced or self.origins is not None
        return kept, balanced_weights(labels, groups) if weighed else np.ones(len(labels))


def _labelled(
    folder: Folder, grouped: bool, split: Split, attributes: Sequence[str], balance: Sequence[str]
) -> _Labelled:
    """Find the faces with labels, and their groups; raises DataError if the table of groups has gaps."""
    wanted = np.flatnonzero(split.with_attributes(attributes).known.any(axis=1))
    kept, others = split.with_attributes(attributes).only(wanted), split.with_attributes(balance).only(wanted).labels
    names = [path.name for path in kept.paths]
    return _Labelled(folder, kept, others, read_groups(folder.path, names).origins if grouped else None)


def _check_both_labels(parts: Mapping[str, Sequence[_Labelled]], attributes: Sequence[str]) -> None:
    """Check that there are faces with and without each attribute in each split.

    Raises:
        DataError: There are not.
    """
    for column, name in enumerate(attributes):
        for part, folders in parts.items():
            labels = np.concatenate([each.split.labels[each.split.known[:, column], column] for each in folders])
            if labels.all() or not labels.any():
                raise DataError(
                    f"--data_dir: faces with and without {name} in the {part} split are needed, but {len(labels)} are "
                    "labelled alike"
                )


def _joined(parts: Sequence[Faces]) -> Faces:
    """Return the faces of all folders as one."""
    return Faces(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in ("features", "labels", "weights"))
    )


def pooled_features(predictor: Predictor, network: SlimNet, split: Split, title: str) -> np.ndarray:
    """Compute what the last layer reads.

    Args:
        predictor: Computes all except the last module, fast.
        network: The same weights.
        split: Pictures.
        title: Label of the progress bar.

    Returns:
        float32 (N, features).

    Raises:
        DataError: Pictures are damaged or have another size.
    """
    last = network.architecture.slim_modules
    found = [np.zeros((0, network.fc.in_features), np.float32)]
    with counted(title, len(split)) as advance, torch.inference_mode():
        for crops in read_pictures(split, network.preprocessing, _BATCH):
            _, before = predictor.with_features(crops)
            maps = network.advance(torch.from_numpy(before), last)
            found.append(network.global_pool(network.pool(maps)).flatten(1).numpy())
            advance(len(crops))
    return np.concatenate(found)


def refit(
    weights: str, data_dirs: Sequence[str], attributes: Sequence[str], balance: Sequence[str], device: str | None
) -> SlimNet:
    """Fit some outputs of a network once more, and print what changed.

    Args:
        weights: File of weights, .safetensors or .pth.
        data_dirs: Each FOLDER or FOLDER=DRAWS.
        attributes: Names of the outputs.
        balance: As for `gather`.
        device: Device name; None or "auto" for CUDA, then MPS, then the CPU.

    Returns:
        The network, without its calibration, which was measured on the old outputs.

    Raises:
        CheckpointError: The weights cannot be read.
        DataError: A folder cannot be read, or lacks labels.
        ValueError: The network has no such output, one is named twice, or there is no such kind of device.
    """
    network, predictor = SlimNet.load_pretrained(weights).eval(), Predictor(weights, device)
    repeated = sorted({name for name in attributes if attributes.count(name) > 1})
    if repeated:
        raise ValueError(f"--attributes names {listed(repeated)} more than once")
    unknown = [name for name in attributes if name not in network.attributes]
    if unknown:
        raise ValueError(f"--attributes: {weights} has no {listed(unknown)}, but {listed(network.attributes)}")
    misspelt = [name for name in balance if name not in network.attributes]
    if misspelt:
        raise ValueError(f"--balance: {weights} knows no {listed(misspelt)}, but {listed(network.attributes)}")
    faces = gather(
        data_dirs, attributes, balance, lambda split, title: pooled_features(predictor, network, split, title)
    )
    for name, parts in faces.items():
        row = network.attributes.index(name)
        weight, bias = network.fc.weight[row].detach().numpy(), network.fc.bias[row].item()
        output = fit_output(parts["train"], parts["valid"], weight, bias)
        print(
            f"{name}: log loss on {len(parts['valid'].labels):,} validation faces {output.loss_before:.4f} -> "
            f"{output.loss:.4f}, fitted to {len(parts['train'].labels):,} with C = {output.strength:.1g}, made "
            f"{output.scale:.2f} times as sure"
        )
        with torch.no_grad():
            network.fc.weight[row] = torch.from_numpy(output.weight)
            network.fc.bias[row] = output.bias
    network.calibration = None
    data = read_folders(data_dirs, tuple(dict.fromkeys((*attributes, *balance)))).fingerprints()
    network.provenance = {
        "refitted": list(attributes), "balanced": list(balance), **step_provenance([weights], data),
        "from": network.provenance,
    }  # fmt: skip
    return network


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: Without the program's name; None for the program's own.

    Returns:
        The exit status: 0, or 1 if something went wrong.
    """
    parser = argparse.ArgumentParser("python -m training.refit", description="Fit single outputs on frozen features.")
    parser.add_argument("--weights", type=given, required=True, help="weights to begin with, .safetensors or .pth")
    parser.add_argument("--attributes", nargs="+", required=True, metavar="NAME", help="outputs to fit")
    parser.add_argument(
        "--data_dir", type=given, nargs="+", default=["data"], metavar="FOLDER[=DRAWS]",
        help="folders in CelebA's form, with a train and a valid split among them; where one has list_groups.csv its "
        "groups weigh the same (default: data)",
    )  # fmt: skip
    parser.add_argument(
        "--balance", nargs="+", default=[], metavar="NAME",
        help="labels, such as Heavy_Makeup: those who have them and those who have not weigh the same, and so do those "
        "with and without the output's own label, for an output that leans on them; in folders without list_groups.csv",
    )  # fmt: skip
    parser.add_argument("--out", type=given, required=True, help="weights to write, .safetensors or .pth")
    add_device(parser)
    options = parser.parse_args(arguments)
    if Path(options.out).suffix.lower() not in (".safetensors", ".pth"):
        parser.error(f"--out must end in .safetensors or .pth, got {options.out}")
    try:
        Path(options.out).parent.mkdir(parents=True, exist_ok=True)  # fail before the work, not after it
        refit(options.weights, options.data_dir, options.attributes, options.balance, options.device).save(options.out)
    except (CheckpointError, DataError, OSError, ValueError) as error:
        print(f"training.refit: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
