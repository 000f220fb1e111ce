"""Whether the maps look where the attribute is: `python -m training.explain --weights W --data_dir D --out maps.json`.

On faces of the validation split that have an attribute, it measures how much of the positive evidence lies in the
attribute's part of the face, and deletion and insertion, against Grad-CAM and a network with shuffled weights; see
training.measure.maps.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from slimnet import CheckpointError, SlimNet
from slimnet.files.atomic import replace_text
from slimnet.paths import WEIGHTS
from training.data.celeba import SPLITS, DataError
from training.data.counting import counted
from training.fit.arguments import RESAMPLES, Range, add_data_dirs, add_resamples, check_numbers, given, given_path
from training.measure.maps import LEAST_FACES, AttributeMaps, MapJudge
from training.measure.predictions import identify, read_splits
from training.report.maps import where_it_looks


@dataclass(frozen=True, kw_only=True)
class MapEvaluation:
    """How good the maps of some weights are.

    Attributes:
        weights: The file's name as "file", and its SHA-256 as "sha256".
        split: Name of the split.
        resamples: Bootstrap samples behind the intervals.
        changed_faces: Maximum number of faces of each attribute that were changed for deletion and insertion.
        attributes: The figures of each attribute that has a place in the face and enough faces.
    """

    weights: dict[str, str]
    split: str
    resamples: int
    changed_faces: int
    attributes: tuple[AttributeMaps, ...]


def evaluate(
    weights: str, data_dirs: Sequence[str], split: str = "valid", faces: int = 100, changed_faces: int = 20,
    resamples: int = 1000,
) -> MapEvaluation:  # fmt: skip
    """Judge the maps of some weights on a split of CelebA.

    Args:
        weights: The weights' file, .safetensors or .pth.
        data_dirs: Folders in CelebA's form, joined.
        split: "train", "valid" or "test".
        faces: Maximum number of faces with an attribute.
        changed_faces: How many of them are changed for deletion and insertion, at most; 0 for none.
        resamples: Bootstrap samples behind the intervals.

    Raises:
        CheckpointError: The weights cannot be read, or give no finite outputs.
        DataError: The data cannot be used, or no attribute can be judged.
    """
    model = _load(weights)
    splits = read_splits(model.attributes, weights, data_dirs)
    judge = MapJudge(model, splits[split], faces, changed_faces, resamples)
    judged = []
    with counted("judging attributes", len(judge.attributes)) as advance:
        for attribute in judge.attributes:
            judged.append(judge.judge(attribute))
            advance(1)
    return MapEvaluation(
        weights=identify(Path(weights)),
        split=split,
        resamples=resamples,
        changed_faces=changed_faces,
        attributes=tuple(judged),
    )


def _load(weights: str) -> SlimNet:
    """Load a network in eval mode, and try it on a random crop, as Predictor does: maps hide outputs like nan.

    Raises:
        CheckpointError: The weights cannot be read, or give no finite outputs.
    """
    model = SlimNet.load_pretrained(weights).eval()
    size = model.preprocessing.height, model.preprocessing.width
    crop = np.random.default_rng(0).integers(0, 256, (1, *size, 3), np.uint8)
    with torch.no_grad():
        logits = model(model.preprocessing.normalise(torch.from_numpy(crop)))
    if not logits.isfinite().all():
        raise CheckpointError(f"{weights}: its weights are damaged: they are so large that its answers are not finite")
    return model


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: Without the program's name; None for the program's own.

    Returns:
        The exit status: 0, or 1 if something went wrong.
    """
    parser = argparse.ArgumentParser("python -m training.explain", description="Judge the maps of weights.")
    parser.add_argument(
        "--weights", type=given, default=str(WEIGHTS), help=".safetensors or .pth; default: the shipped ones"
    )
    add_data_dirs(parser)
    parser.add_argument("--split", choices=tuple(SPLITS), default="valid", help="which pictures (default: %(default)s)")
    parser.add_argument("--out", type=given_path, help="write the figures there too, as JSON")
    parser.add_argument("--faces", default=100, type=int, help="that have an attribute, at most (default: %(default)s)")
    parser.add_argument(
        "--changed_faces",
        default=20,
        type=int,
        help="of them, for deletion and insertion, at most; 0: none (default: %(default)s)",
    )
    add_resamples(parser)
    options = parser.parse_args(arguments)
    check_numbers(
        parser,
        options,
        faces=Range(LEAST_FACES, 1_000_000),
        changed_faces=Range(0, 1_000_000),
        resamples=RESAMPLES,
    )
    try:
        if options.out:
            options.out.parent.mkdir(parents=True, exist_ok=True)  # fail before the work, not after it
        found = evaluate(
            options.weights, options.data_dir, options.split, options.faces, options.changed_faces, options.resamples
        )
        written = json.dumps(asdict(found), indent=1) + "\n"
        print(where_it_looks(json.loads(written)))
        if options.out:
            replace_text(options.out, written)
    except (CheckpointError, DataError, OSError, ValueError) as error:
        print(f"training.explain: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
