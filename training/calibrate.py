"""Make weights trustworthy on the validation split: `python -m training.calibrate --weights W --data_dir D --out OUT`.

Thresholds that the split supports go into the last bias, so logits are still decided at 0. The weights' metadata gets
operating points and, for each attribute, a temperature, its reliability and the band in which it is not sure. With
--outside, the bands also hold for the people of other sets.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from scipy.special import expit

from slimnet import Calibration, CheckpointError, Reliability, SlimNet
from slimnet.files.atomic import replace_text
from training.data.celeba import DataError, Split, unknown_people
from training.data.columns import listed
from training.fit.arguments import (
    BATCH_SIZE,
    RESAMPLES,
    add_batch_size,
    add_data_dirs,
    add_device,
    add_resamples,
    check_numbers,
    given,
    given_path,
)
from training.fit.record.provenance import step_provenance
from training.measure import bootstrap, metrics
from training.measure.calibration_error import diagram, log_losses, mean_error
from training.measure.decisions import NO_ANSWER, RIGHT, RIGHT_OF_EACH_KIND, Decisions, fit_decisions
from training.measure.other_people import (
    OtherAnswers,
    OtherPeople,
    failing_attributes,
    least_bands,
    measure_other_people,
    read_other_people,
)
from training.measure.predictions import identify, load, probabilities, raw_logits
from training.measure.thresholds import Thresholds, judge_thresholds, people_apart
from training.report.tables import percent

MAX_TEMPERATURE = 20.0


@dataclass(frozen=True)
class Temperatures:
    """A temperature for each attribute, and whether they pay off.

    Attributes:
        fitted: The temperatures with the least log loss on all pictures, one per attribute.
        values: The temperatures to apply: `fitted`, or all 1 if they don't pay off.
        error_before: Expected calibration error (ECE) without temperatures, 0 to 1, mean over the attributes.
        error_after: The same with temperatures fitted on other people.
        gain: How much temperatures fitted on other people lower the weighted log loss, mean over the attributes.
        low: Lower end of the gain's 95 % interval.
        high: Upper end of the interval.
        used: Whether `low` is above 0, so that the temperatures are applied.
    """

    fitted: tuple[float, ...]
    values: tuple[float, ...]
    error_before: float
    error_after: float
    gain: float
    low: float
    high: float
    used: bool


@dataclass(frozen=True)
class Report:
    """What calibration found on the validation split.

    Attributes:
        images: Number of validation images.
        resamples: Bootstrap samples behind the intervals of the reliability.
        attributes: Names, in the order of the network's outputs.
        thresholds: Where each logit is decided, and whether this was folded into the last bias.
        temperatures: The temperatures, and whether they are applied.
        decisions: Operating points and bands, and how good they are on held-out folds.
        other_people: What people of other sets need; the bands include it.
        calibration: What the weights now carry.
    """

    images: int
    resamples: int
    attributes: tuple[str, ...]
    thresholds: Thresholds
    temperatures: Temperatures
    decisions: Decisions
    other_people: tuple[OtherPeople, ...]
    calibration: Calibration


def class_weights(valid: Split, train: Split) -> np.ndarray:
    """Weight the validation labels so that each attribute is as frequent as in training.

    Its frequency on 3,000 pictures of 900 people can be far from that (Big_Lips: 13 % against 21 %). A temperature can
    only make all answers more or less sure, and must not be bent to make up for this.

    Args:
        valid: The validation split.
        train: The training split; an attribute that it always or never shows, or without a known label there, keeps
            its validation frequency.

    Returns:
        Float (N, attributes), the weight of each validation label.
    """
    own, usual = metrics.shares(valid.labels, valid.known), metrics.shares(train.labels, train.known)
    usual = np.where((usual > 0) & (usual < 1), usual, own)  # nan: no label in training
    return np.where(valid.labels, usual / own, (1 - usual) / (1 - own))


def fit_temperature(logits: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> float:
    """Fit the temperature with the least weighted log loss.

    Args:
        logits: Float (N,).
        labels: Bool (N,).
        weights: Float (N,), how much each label counts.

    Returns:
        The temperature, from 1 / MAX_TEMPERATURE to MAX_TEMPERATURE.
    """
    found = minimize_scalar(
        lambda log_t: float((weights * log_losses(logits / np.exp(log_t), labels)).mean()),
        bounds=(-np.log(MAX_TEMPERATURE), np.log(MAX_TEMPERATURE)),
        method="bounded",
    )
    return float(np.exp(found.x))


def _fit_temperatures(logits: np.ndarray, labels: np.ndarray, known: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Fit each attribute's temperature on its known labels: float (attributes,), 1 if no label is known."""
    return np.array(
        [
            fit_temperature(logits[there, n], labels[there, n], weights[there, n]) if there.any() else 1.0
            for n, there in enumerate(known.T)
        ]
    )


def judge_temperatures(
    logits: np.ndarray, labels: np.ndarray, known: np.ndarray, weights: np.ndarray, identities: np.ndarray
) -> Temperatures:
    """Fit the temperatures on all pictures, and judge by 5-fold cross-validation whether they pay off.

    No person is in both the pictures that a fold is fitted on and those that it is judged on.

    Args:
        logits: Float (N, attributes).
        labels: Bool (N, attributes).
        known: Bool (N, attributes), which labels are known; the others don't count.
        weights: Float (N, attributes), how much each label counts.
        identities: (N,), the person in each picture.

    Returns:
        The temperatures; they are used only if the gain's 95 % interval is above 0.
    """
    cooled = np.empty_like(logits)
    for fitted_on, held_out in people_apart(5, identities):
        case = (each[fitted_on] for each in (logits, labels, known, weights))
        cooled[held_out] = logits[held_out] / _fit_temperatures(*case)
    lowered = log_losses(logits, labels) - log_losses(cooled, labels)
    mean, error = metrics.mean_with_error(metrics.by_picture(weights * lowered, known), identities)
    low, high = mean - 1.96 * error, mean + 1.96 * error
    fitted = _fit_temperatures(logits, labels, known, weights)
    values = fitted if low > 0 else np.ones_like(fitted)
    before, after = (mean_error(diagram(labels, known, expit(z))) for z in (logits, cooled))
    return Temperatures(
        tuple(fitted.tolist()), tuple(values.tolist()), before, after, gain=mean, low=low, high=high, used=low > 0
    )


def _measure_reliability(
    logits: np.ndarray, labels: np.ndarray, known: np.ndarray, draws: np.ndarray, names: Sequence[str]
) -> tuple[Reliability, ...]:
    """Measure each attribute's balanced accuracy, with its 95 % interval over the draws of bootstrap.draw.

    Every attribute must show both classes.

    Raises:
        DataError: One shows only one class in every draw.
    """
    values = metrics.figures(labels, expit(logits), known)["balanced_accuracy"]
    samples = bootstrap.resampled_ticks(labels, expit(logits), known, draws)
    low, high = bootstrap.interval(samples["balanced_accuracy"])
    unknown = [name for name, end in zip(names, low, strict=True) if np.isnan(end)]
    if unknown:
        raise DataError(
            f"no resample of the validation split shows {listed(unknown)} both present and absent: raise --resamples, "
            "or leave the attribute out"
        )
    return tuple(Reliability(*map(float, row)) for row in zip(values, low, high, strict=True))


def _check(split: Split, data_dirs: Sequence[str]) -> None:
    """Refuse a validation split on which not everything can be measured.

    Raises:
        DataError: It has too few people, or an attribute is never known, or always or never there.
    """
    people = len(np.unique(split.identities))
    if people < 10:
        raise DataError(
            f"{' and '.join(data_dirs)} has pictures of {people} people in its validation split; calibration takes at "
            "least 10"
        )
    if split.never_known():
        raise DataError(
            f"no picture of the validation split has a known label of {', '.join(split.never_known())}: nothing can be "
            "measured"
        )
    shown = metrics.shares(split.labels, split.known)
    one_class = [name for name, share in zip(split.attributes, shown, strict=True) if share in (0, 1)]
    if one_class:
        raise DataError(f"the validation split shows {', '.join(one_class)} always or never: nothing can be measured")


def _fingerprints(splits: Mapping[str, Split], outside: Mapping[Path, Split]) -> dict[str, str | list[str]]:
    """Return the fingerprints of the splits that calibration reads; those of other people are under "outside"."""
    others = [split.fingerprint() for split in outside.values()]
    return {
        **{name: splits[name].fingerprint() for name in ("train", "valid")},
        **({"outside": others} if others else {}),
    }


def _calibrate(
    weights: str, data_dirs: Sequence[str], outside: Sequence[Path], batch_size: int, device: str, resamples: int
) -> tuple[SlimNet, Report]:
    """Calibrate weights on the validation split; returns the network and what was found.

    Replaces any calibration that the weights have. Thresholds already folded into them stay, and new ones are added: as
    a rule none, since the same pictures then show no further gain.

    Raises:
        CheckpointError: The weights cannot be read.
        DataError: The data cannot be used, or the validation split is too small or shows only one class.
    """
    predictor, splits = load(weights, data_dirs, device)
    split = splits["valid"]
    _check(split, data_dirs)
    outside_splits = read_other_people(outside, split.attributes)  # what is wrong there, before the work
    for folder in outside_splits:
        if people := unknown_people(folder):
            print(f"{folder}: {people}", file=sys.stderr)

    def read(faces: Split) -> np.ndarray:
        return raw_logits(probabilities(predictor, faces, batch_size), predictor.calibration)

    logits = read(split)
    thresholds = judge_thresholds(logits, split.labels, split.known, split.identities)
    model = SlimNet.load_pretrained(weights)
    if thresholds.folded:
        logits = logits - np.array(thresholds.logits)
        with torch.no_grad():
            model.fc.bias.sub_(torch.tensor(thresholds.logits))
    weighed = class_weights(split, splits["train"])
    temperatures = judge_temperatures(logits, split.labels, split.known, weighed, split.identities)
    draws = bootstrap.draw(split.identities, resamples)
    moved, cooled = np.array(thresholds.logits) if thresholds.folded else 0.0, np.array(temperatures.values)
    others = measure_other_people(outside_splits, lambda faces: expit((read(faces) - moved) / cooled))
    decisions = _decide(expit(logits / cooled), split, others)
    reliability = _measure_reliability(logits, split.labels, split.known, draws, split.attributes)
    model.calibration = Calibration(
        temperatures.values, reliability, decisions.operating_points, decisions.unsure, decisions.sure
    )
    used = step_provenance([weights], _fingerprints(splits, outside_splits))
    model.provenance = {"calibrated": {"resamples": resamples}, **used, "from": model.provenance}
    return model, Report(
        len(split),
        resamples,
        split.attributes,
        thresholds,
        temperatures,
        decisions,
        tuple(each.needs for each in others),
        model.calibration,
    )


def _decide(probabilities: np.ndarray, split: Split, others: Sequence[OtherAnswers]) -> Decisions:
    """Fit operating points and bands, which hold for other people, too."""
    fit = partial(fit_decisions, probabilities, split.labels, split.known, split.identities, split.attributes)
    least = least_bands([each.needs for each in others], split.attributes)
    found = fit(least)
    failing = failing_attributes(found.unsure, others, split.attributes)
    if not failing:
        return found
    return fit([NO_ANSWER if name in failing else band for name, band in zip(split.attributes, least, strict=True)])


def _summary(report: Report) -> str:
    """Put the report into words."""
    thresholds = report.thresholds
    moved = [f"{n} {t:+.2f}" for n, t in zip(report.attributes, thresholds.logits, strict=True) if t]
    temperatures = report.temperatures
    return "\n".join(
        [
            f"on {report.images} validation images:",
            f"thresholds: {len(moved)} of {len(report.attributes)} supported{': ' if moved else ''}{', '.join(moved)}",
            f"  on people they were not fitted on they gain {100 * thresholds.gain:+.3f} points of accuracy "
            f"(95 %: {100 * thresholds.low:+.3f} to {100 * thresholds.high:+.3f}): "
            + ("folded into the last bias" if thresholds.folded else "not clearly above 0, so left at 0"),
            f"temperatures: {min(temperatures.fitted):.2f} to {max(temperatures.fitted):.2f}",
            f"  on people they were not fitted on they lower the log loss by {temperatures.gain:.5f} "
            f"(95 %: {temperatures.low:.5f} to {temperatures.high:.5f}) and bring the expected calibration error "
            f"from {100 * temperatures.error_before:.2f} to {100 * temperatures.error_after:.2f} points: "
            + ("applied to the probabilities" if temperatures.used else "not clearly above 0, so left at 1"),
            *_decisions_summary(report.decisions),
            *map(_other_people_summary, report.other_people),
        ]
    )


def _decisions_summary(decisions: Decisions) -> list[str]:
    """Put into words how operating points and bands do on held-out folds."""
    lines = ["operating points, on people they were not fitted on (means over the attributes, in per cent):"]
    for point, figures in decisions.held_out.items():
        values = (f"{name.replace('_', ' ')} {percent(value)}" for name, value in asdict(figures).items())
        lines.append(f"  {point}: {', '.join(values)}")
    right = decisions.sure.right
    enough = sum(value >= RIGHT for value in right)
    never_empty, never_ticked = (sum(band[end] == at for band in decisions.unsure) for end, at in ((0, 0), (1, 1)))
    return [
        *lines,
        f"sure answers, on people the bands were not fitted on: {percent(decisions.answered)} % of the boxes, "
        f"{percent(decisions.right)} % of them right",
        f"  at least {100 * RIGHT:g} % for {enough} of {len(right)} attributes (bands' margins were chosen for this); "
        "the others are never answered",
        f"  at least {100 * RIGHT_OF_EACH_KIND:g} % for ticks alone and for empty boxes alone, so {never_ticked} "
        f"attributes are never ticked and {never_empty} never left empty",
    ]


def _other_people_summary(people: OtherPeople) -> str:
    """Put into words what the people of a set need."""
    low, high = people.band
    return (
        f"{people.attribute} of {people.images:,} faces in {people.folder}: {percent(people.accuracy)} % right; not "
        f"sure from {low:.2f} to {high:.2f} there: on people this was not fitted on {percent(people.answered)} % are "
        f"answered, {percent(people.right)} % of them rightly"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: Without the program's name; None for the program's own.

    Returns:
        The exit status: 0, or 1 if something went wrong.
    """
    parser = argparse.ArgumentParser("python -m training.calibrate", description="Calibrate weights.")
    parser.add_argument(
        "--weights",
        type=given,
        default="checkpoints/best.safetensors",
        help=".safetensors or .pth (default: %(default)s)",
    )
    add_data_dirs(parser)
    parser.add_argument(
        "--outside", nargs="+", type=given_path, default=[], metavar="FOLDER",
        help="sets of other people, in CelebA's form: the bands hold on their validation splits as well",
    )  # fmt: skip
    parser.add_argument("--out", required=True, type=given_path, help=".safetensors to write; may be --weights itself")
    parser.add_argument("--json", type=given_path, help="write what was found there too")
    add_batch_size(parser)
    add_resamples(parser)
    add_device(parser)
    options = parser.parse_args(arguments)
    if options.out.suffix.lower() != ".safetensors":
        parser.error(f"--out must end in .safetensors, the form that carries a calibration; got {options.out}")
    check_numbers(parser, options, batch_size=BATCH_SIZE, resamples=RESAMPLES)
    try:
        for path in (options.out, options.json):
            if path:
                path.parent.mkdir(parents=True, exist_ok=True)  # fail before the work, not after it
        model, report = _calibrate(
            options.weights, options.data_dir, options.outside, options.batch_size, options.device, options.resamples
        )
        model.save(options.out)
        if options.json:
            found = {**asdict(report), "weights": identify(options.out)}
            replace_text(options.json, json.dumps(found, indent=2) + "\n")
    except (CheckpointError, DataError, OSError, ValueError) as error:
        print(f"training.calibrate: {error}", file=sys.stderr)
        return 1
    print(_summary(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
