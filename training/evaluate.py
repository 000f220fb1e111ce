"""How good weights are on a split: `python -m training.evaluate --weights W --data_dir D --split test`.

--out fills a folder: everything as JSON, tables, a page of results and pictures. --outside instead measures how good
the weights are on people unlike CelebA's, by origin, gender and age, and writes outside.json.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy.special import expit

from slimnet import CheckpointError
from slimnet.files.atomic import replace_text
from slimnet.paths import WEIGHTS
from training.data.celeba import SPLITS, DataError
from training.fit.arguments import (
    BATCH_SIZE,
    RESAMPLES,
    Range,
    add_batch_size,
    add_data_dirs,
    add_device,
    add_resamples,
    check_numbers,
    given,
    given_path,
)
from training.measure import (
    bootstrap,
    calibration_error,
    metrics,
    operating_points,
    outside,
    robustness,
    scores,
    subgroups,
)
from training.measure.operating_points import PointScores
from training.measure.outside import OutsideSet
from training.measure.predictions import identify, load, probabilities, raw_logits
from training.measure.scores import AttributeScores, Scores
from training.report.outside import who_it_fails
from training.report.tables import percent


@dataclass(frozen=True, kw_only=True)
class Evaluation(Scores):
    """Figures of one split: the means over the attributes, and each attribute's.

    Attributes:
        split: Name of the split.
        images: Number of pictures in it.
        resamples: Bootstrap samples behind the intervals.
        attributes: The figures of each attribute, in the order of the labels.
        operating_points: How good the decisions are at each of the weights' operating points; empty if they have none.
    """

    split: str
    images: int
    resamples: int
    attributes: tuple[AttributeScores, ...]
    operating_points: tuple[PointScores, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FullEvaluation(Evaluation):
    """An evaluation with calibration, subgroups and robustness.

    Attributes:
        weights: The file's name as "file", and its SHA-256 as "sha256".
        before: Reliability diagram without the weights' temperatures.
        served: Reliability diagram with them.
        log_loss: Without the temperatures and with them.
        divisions: Figures by groups of people, for each way of dividing them.
        robustness: Accuracy on damaged crops; None if it was not measured.
    """

    weights: dict[str, str]
    before: calibration_error.Diagram
    served: calibration_error.Diagram
    log_loss: calibration_error.LogLoss
    divisions: tuple[subgroups.Division, ...]
    robustness: robustness.Robustness | None


class Evaluator:
    """Weights on a split of CelebA, with predictions that are computed only once.

    Args:
        weights: The weights' file, .safetensors or .pth.
        data_dirs: Folders in CelebA's form, joined.
        split: "train", "valid" or "test".
        batch_size: Pictures at a time.
        device: auto, cpu, cuda or mps; None is auto.
        resamples: Bootstrap samples behind the intervals.

    Attributes:
        weights: Path of the weights' file.
        split: Name of the split.
        batch_size: Pictures at a time.
        predictor: The weights, on the device.
        data: Pictures and labels of the split.
        answers: Its labels and predicted probabilities.
        draws: The bootstrap samples, (resamples, N), from bootstrap.draw.

    Raises:
        CheckpointError: The weights cannot be read.
        DataError: The data cannot be used, its attributes are not the weights' own, or the split is empty or has no
            known label.
        ValueError: There is no kind of device by that name.
    """

    def __init__(
        self, weights: str, data_dirs: Sequence[str], split: str, batch_size: int = 64, device: str | None = None,
        resamples: int = 1000,
    ) -> None:  # fmt: skip
        self.weights, self.split, self.batch_size = Path(weights), split, batch_size
        self.predictor, splits = load(weights, data_dirs, device)
        self.data = splits[split]
        if not len(self.data):
            raise DataError(f"{' and '.join(data_dirs)} has no pictures in its {split} split")
        if not self.data.known.any():
            raise DataError(f"no label of the {split} split is known (0 beside -1 and 1): nothing can be measured")
        usual = splits["train"] if len(splits["train"]) else self.data
        usually = metrics.shares(usual.labels, usual.known)
        here = metrics.shares(self.data.labels, self.data.known)
        majority = np.where(np.isnan(usually), here, usually) > 0.5
        found = probabilities(self.predictor, self.data, batch_size, title=split)
        self.answers = subgroups.Answers(self.data.attributes, self.data.labels, found, majority, self.data.known)
        self.draws = bootstrap.draw(self.data.identities, resamples)

    def evaluation(self) -> Evaluation:
        """Compute the figures of the split, with their bootstrap intervals.

        Returns:
            The means over the attributes, and the figures of each attribute.
        """
        values, samples = self.answers.figures(), self.answers.resampled(self.draws)
        return Evaluation(
            **vars(scores.mean_scores(values, samples)),
            split=self.split,
            images=len(self.data),
            resamples=len(self.draws),
            attributes=scores.attribute_scores(self.answers.names, self.answers.known, values, samples),
            operating_points=operating_points.score_points(
                self.predictor.calibration,
                self.answers.names,
                self.answers.labels,
                self.answers.known,
                self.answers.probabilities,
                self.draws,
            ),
        )

    def full_evaluation(self, figures: Evaluation, robustness_images: int) -> FullEvaluation:
        """Add calibration, subgroups and robustness to the figures.

        Args:
            figures: From `evaluation`.
            robustness_images: How many crops to damage in each way, at most; 0 skips this.

        Returns:
            The figures with everything else.
        """
        labels, found, known = self.answers.labels, self.answers.probabilities, self.answers.known
        logits, calibration = raw_logits(found, self.predictor.calibration), self.predictor.calibration
        temperatures = np.array(calibration.temperatures if calibration else 1.0)
        named = [by for by in subgroups.DIVISIONS if set(by) <= set(self.answers.names)]
        divisions = [subgroups.divide(self.answers, by, self.draws) for by in named]
        robust = None
        if robustness_images:
            robust = robustness.measure(self.predictor, self.data, robustness_images, self.batch_size, len(self.draws))
        return FullEvaluation(
            **vars(figures),
            weights=identify(self.weights),
            before=calibration_error.diagram(labels, known, expit(logits)),
            served=calibration_error.diagram(labels, known, found),
            log_loss=calibration_error.compare(labels, known, logits, temperatures, self.draws),
            divisions=tuple(division for division in divisions if division.groups),
            robustness=robust,
        )


def table(evaluation: Evaluation) -> str:
    """Format the figures as text, in per cent, the mean last.

    Args:
        evaluation: The figures.

    Returns:
        Two lines of headings, a line for each attribute with a dash for what is undefined, then a line for each
        operating point, if the weights have any.
    """
    rows: list[tuple[str, Scores]] = [(each.attribute, each) for each in evaluation.attributes]
    lines = [f"{evaluation.split} split, {evaluation.images} images", f"{'':20} accuracy  balanced  majority class"]
    for name, row in [*rows, ("mean", evaluation)]:
        shown = (row.accuracy, row.balanced_accuracy, row.majority_accuracy)
        lines.append(
            f"{name:20}" + "".join(f"{percent(value):>{n}}" for value, n in zip(shown, (9, 10, 16), strict=True))
        )
    return "\n".join([*lines, *_point_lines(evaluation.operating_points)])


def _point_lines(points: Sequence[PointScores]) -> list[str]:
    """A heading and a line for each operating point; empty for weights without any."""
    if not points:
        return []
    columns = (*operating_points.TICK_FIGURES, "answered", "right")
    widths = [max(10, len(name) + 2) for name in columns]
    rows = [(each.point, [percent(getattr(each, name)) for name in columns]) for each in points]
    return [
        f"{title:20}" + "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
        for title, cells in [("operating point", [name.replace("_", " ") for name in columns]), *rows]
    ]


def _write(evaluation: FullEvaluation, runs: Sequence[Path], out: Path) -> None:
    """Fill an existing folder with everything: evaluation.json, tables as Markdown and CSV, pictures."""
    from training.report import plots  # imports matplotlib, which only this function needs
    from training.report import tables as report

    replace_text(out / "evaluation.json", json.dumps(asdict(evaluation), indent=1) + "\n")
    # Read back, so that text and pictures show what the file says.
    written = json.loads((out / "evaluation.json").read_text(encoding="utf-8"))
    report.write(written, out)
    plots.write(written, runs, out)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m training.evaluate", description="Evaluate weights on CelebA.")
    parser.add_argument(
        "--weights", type=given, default=str(WEIGHTS), help=".safetensors or .pth; default: the shipped ones"
    )
    add_data_dirs(parser)
    parser.add_argument(
        "--split", choices=tuple(SPLITS),
        help="default: test; with --outside the test split, or else valid, of a folder that also has pictures for "
        "training; of any other, as demo.dataset makes with --valid_share 0, all: keep such a folder out of training",
    )  # fmt: skip
    add_batch_size(parser)
    add_device(parser)
    parser.add_argument("--json", type=given_path, help="write the figures there too")
    parser.add_argument("--out", type=given_path, help="folder to fill: groups, robustness, tables, pictures too")
    add_resamples(parser)
    parser.add_argument(
        "--robustness_images",
        default=500,
        type=int,
        help="with --out: crops that are damaged in 32 ways each; 0: none (default: %(default)s)",
    )
    parser.add_argument(
        "--runs", nargs="*", default=[], type=given_path, help="with --out: metrics.jsonl of runs to draw"
    )
    parser.add_argument(
        "--outside", nargs="+", type=_named_folder, metavar="NAME=FOLDER",
        help="sets of other people in CelebA's form, with list_groups.csv (image_id, group, age), in place of CelebA",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    if options.outside:
        not_taken = ("data_dir", "resamples", "robustness_images", "runs")
        _refuse(parser, options, not_taken, "--outside measures other sets, not CelebA: leave out")
    elif not options.out:
        _refuse(parser, options, ("robustness_images", "runs"), "only with --out:")
    names = [name for name, _ in options.outside or ()]
    if len(set(names)) < len(names):
        parser.error("--outside: each set needs a name of its own")
    check_numbers(parser, options, batch_size=BATCH_SIZE, resamples=RESAMPLES, robustness_images=Range(0, 10_000_000))
    for path in options.runs:
        if not path.is_file():
            parser.error(f"--runs: there is no {path}")
        if not _is_run(path):
            parser.error(f"--runs: {path} is no metrics.jsonl of training.train")
    return options


def _refuse(parser: argparse.ArgumentParser, options: argparse.Namespace, flags: Sequence[str], why: str) -> None:
    """End the command with a usage error if flags would have no effect."""
    unused = [f"--{flag}" for flag in flags if getattr(options, flag) != parser.get_default(flag)]
    if unused:
        parser.error(f"{why} {', '.join(unused)}")


def _named_folder(text: str) -> tuple[str, Path]:
    """Parse NAME=FOLDER, as an argparse type."""
    name, _, folder = text.partition("=")
    if not name or not folder:
        raise argparse.ArgumentTypeError(f"{text} is not NAME=FOLDER")
    return name, Path(folder)


def _is_run(path: Path) -> bool:
    """Whether each line holds the metrics of an epoch."""
    try:
        epochs = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return bool(epochs) and all({"images", "valid/accuracy", "train/loss"} <= epoch.keys() for epoch in epochs)
    except (OSError, ValueError, AttributeError):
        return False


def _judged(found: OutsideSet, chosen_here: bool) -> str:
    """Say in one line what a set was judged on, and what this assumes if the user has not named a split."""
    counts = " and ".join(f"{count:,} of {name}" for name, count in found.splits.items())
    line = f"{found.name}: judged on {found.images:,} pictures, {counts}"
    if chosen_here and found.split:
        fitted = "; the bands of not sure may have been fitted on these" * (found.split == "valid")
        return f"{line}; the others may have been trained on (--split train would judge these){fitted}"
    return f"{line}; right only for weights that were not trained on them" if "train" in found.splits else line


def _report_outside(options: argparse.Namespace) -> None:
    """Run the command with --outside."""
    sets = dict(options.outside)
    found = outside.evaluate(options.weights, sets, options.split, options.batch_size, options.device)
    written = json.dumps(asdict(found), indent=1) + "\n"
    for each in found.sets:
        print(_judged(each, options.split is None), file=sys.stderr)
    print(who_it_fails(json.loads(written)))
    for path in (options.json, options.out and options.out / "outside.json"):
        if path:
            replace_text(path, written)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: Without the program's name; None for the program's own.

    Returns:
        The exit status: 0, or 1 if something went wrong.
    """
    options = _parse(arguments)
    try:
        for folder in (options.out, options.json and options.json.parent):
            if folder:
                folder.mkdir(parents=True, exist_ok=True)  # fail before the work, not after it
        if options.outside:
            _report_outside(options)
            return 0
        split = options.split or "test"
        evaluator = Evaluator(
            options.weights, options.data_dir, split, options.batch_size, options.device, options.resamples
        )
        evaluation = evaluator.evaluation()
        print(table(evaluation))
        if options.json:
            replace_text(options.json, json.dumps(asdict(evaluation), indent=2) + "\n")
        if options.out:
            _write(evaluator.full_evaluation(evaluation, options.robustness_images), options.runs, options.out)
            print(f"written to {options.out}: results.md shows it")
    except (CheckpointError, DataError, OSError, ValueError) as error:
        print(f"training.evaluate: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
