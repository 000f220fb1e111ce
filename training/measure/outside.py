"""How often a network is right about people unlike CelebA's, by origin, gender and age, as other sets label them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.stats import binomtest

from slimnet import Predictor
from slimnet.decisions import NOT_SURE, decide_all
from training.data.celeba import DataError, Split, read_celeba
from training.data.folders import join
from training.data.groups import UNKNOWN_AGE, Groups, read_groups
from training.measure.predictions import identify, probabilities
from training.measure.scores import Interval, json_number

ATTRIBUTES = ("Male", "Young")  # for which other sets have labels
ADULT_YEARS = 20
LEAST_IMAGES = 30  # a group needs these to be called the worst
_BAND_STARTS = (0, 3, 10, 20, 30, 40, 50, 60, 70, 200)  # years, as in FairFace


@dataclass(frozen=True, kw_only=True)
class Part:
    """How often one attribute is right in some of the pictures.

    Attributes:
        group: Origin of the people; None for all.
        gender: "female" or "male", by the label Male; None for both.
        age: Such as "20-29" or "70+"; None for all ages in its table.
        images: Pictures with a known label.
        right: Share of them for which the more probable answer matches the label; None if there are none.
        interval: Its 95 % interval, by Wilson's method; None if there are none.
        answered: Share of them that are answered at the operating point of the fewest mistakes; None if there are none.
        right_answers: Share of these answers that match the label; None without any.
    """

    group: str | None = None
    gender: str | None = None
    age: str | None = None
    images: int
    right: float | None
    interval: Interval | None
    answered: float | None
    right_answers: float | None


@dataclass(frozen=True, kw_only=True)
class AttributeOutside:
    """One attribute in one set.

    Attributes:
        attribute: Its name.
        everybody: All pictures.
        adults: Pictures of people of at least ADULT_YEARS.
        groups: Adults by origin and, if the set labels Male, gender.
        ages: Everybody by age, then also by gender.
        unlabelled: Ages of people in the pictures of whom none has this label.
        worst: The group that is right least often, of those with at least LEAST_IMAGES; None if there is none.
    """

    attribute: str
    everybody: Part
    adults: Part
    groups: tuple[Part, ...]
    ages: tuple[Part, ...]
    unlabelled: tuple[str, ...]
    worst: Part | None


@dataclass(frozen=True, kw_only=True)
class OutsideSet:
    """One set.

    Attributes:
        name: As given on the command line.
        split: Name of the split; None for all pictures.
        images: Number of pictures in it.
        splits: How many of them are in which split.
        attributes: Those that weights and set share and that have labels.
    """

    name: str
    split: str | None
    images: int
    splits: dict[str, int]
    attributes: tuple[AttributeOutside, ...]


@dataclass(frozen=True, kw_only=True)
class OutsideEvaluation:
    """How good weights are on people unlike CelebA's.

    Attributes:
        weights: The file's name as "file", and its SHA-256 as "sha256".
        sets: The figures of each set.
    """

    weights: dict[str, str]
    sets: tuple[OutsideSet, ...]


def evaluate(
    weights: str, folders: dict[str, Path], split: str | None, batch_size: int = 64, device: str | None = None
) -> OutsideEvaluation:
    """Measure weights on sets of other people.

    Args:
        weights: The weights' file, .safetensors or .pth.
        folders: Name of a set -> folder in CelebA's form, with list_groups.csv.
        split: "train", "valid" or "test"; None for pictures not meant for training, see held_out.
        batch_size: Pictures at a time.
        device: auto, cpu, cuda or mps; None is auto.

    Returns:
        The figures of each set.

    Raises:
        CheckpointError: The weights cannot be read.
        DataError: A folder cannot be used, its split is empty, or it has no label in common with the weights.
        ValueError: There is no kind of device by that name.
    """
    predictor, measured = Predictor(weights, device), []
    for name, folder in folders.items():
        splits = read_celeba(folder, wanted=ATTRIBUTES)
        part = split or held_out(splits)
        judged = {part: splits[part]} if part else splits
        chosen = join(list(judged.values()))
        if not len(chosen):
            raise DataError(f"{folder} has no pictures{f' in its {split} split' if split else ''}")
        groups = read_groups(folder, [path.name for path in chosen.paths])
        found = probabilities(predictor, chosen, batch_size, title=name)
        answered = decide_all(found, predictor.attributes, predictor.calibration) != NOT_SURE
        answers = zip(predictor.attributes, found.T > 0.5, answered.T, strict=True)
        attributes = measure({name: Answers(yes, sure) for name, yes, sure in answers}, chosen, groups)
        if not attributes:
            raise DataError(f"{folder} has no label of {' or '.join(ATTRIBUTES)} that {weights} knows")
        counts = {title: len(pictures) for title, pictures in judged.items() if len(pictures)}
        measured.append(OutsideSet(name=name, split=part, images=len(chosen), splits=counts, attributes=attributes))
    return OutsideEvaluation(weights=identify(Path(weights)), sets=tuple(measured))


def held_out(splits: dict[str, Split]) -> str | None:
    """Find the pictures of a set that no network was trained on, judging by its splits.

    Args:
        splits: The set's, by name.

    Returns:
        "test" or else "valid" if there are also pictures for training; None for a set that was not divided for
        training, and so is held out as a whole: it has pictures for training only, or none of these.
    """
    if not len(splits["train"]):
        return None
    return next((name for name in ("test", "valid") if len(splits[name])), None)


@dataclass(frozen=True)
class Answers:
    """What a network says of an attribute.

    Attributes:
        yes: bool (N,), whether yes is more probable than no.
        answered: bool (N,), whether it gives that answer at the operating point of the fewest mistakes.
    """

    yes: np.ndarray
    answered: np.ndarray


def measure(answers: dict[str, Answers], split: Split, groups: Groups) -> tuple[AttributeOutside, ...]:
    """Compare answers with the labels of a set.

    Args:
        answers: By attribute.
        split: Pictures and labels; Male gives the gender.
        groups: Who is in the pictures.

    Returns:
        Those of ATTRIBUTES that both have, if any label is known.
    """
    found = []
    for attribute in (name for name in ATTRIBUTES if name in answers and name in split.attributes):
        column = split.attributes.index(attribute)
        if split.known[:, column].any():
            right = answers[attribute].yes == split.labels[:, column]
            counted = _Counted(right, answers[attribute].answered, split.known[:, column])
            found.append(_divided(attribute, counted, _genders(split), groups))
    return tuple(found)


def _genders(split: Split) -> dict[str, np.ndarray]:
    """Who is female and male by the label Male, bool (N,) each; nobody if the set lacks this label."""
    if "Male" not in split.attributes:
        return {}
    column = split.attributes.index("Male")
    labels, known = split.labels[:, column], split.known[:, column]
    return {"female": ~labels & known, "male": labels & known}


@dataclass(frozen=True)
class _Counted:
    """Which answers are right, which are given at the operating point of the fewest mistakes, and which labels known.

    Attributes:
        right: bool (N,).
        answered: bool (N,).
        known: bool (N,).
    """

    right: np.ndarray
    answered: np.ndarray
    known: np.ndarray

    def part(
        self, chosen: np.ndarray, group: str | None = None, gender: str | None = None, age: str | None = None
    ) -> Part:
        """Count them among the chosen pictures, bool (N,)."""
        chosen = chosen & self.known
        images, answers = int(chosen.sum()), int((self.answered & chosen).sum())
        right, interval = None, None
        if images:
            hits = int((self.right & chosen).sum())
            ends = binomtest(hits, images).proportion_ci(method="wilson")
            right, interval = json_number(hits / images), (round(float(ends.low), 6), round(float(ends.high), 6))
        return Part(
            group=group,
            gender=gender,
            age=age,
            images=images,
            right=right,
            interval=interval,
            answered=json_number(answers / images) if images else None,
            right_answers=json_number((self.right & self.answered & chosen).sum() / answers) if answers else None,
        )


def _divided(attribute: str, counted: _Counted, genders: dict[str, np.ndarray], groups: Groups) -> AttributeOutside:
    """Count the answers in every part of the pictures with a known label."""
    known = counted.known
    adults = known & (groups.ages >= ADULT_YEARS)
    divided: list[tuple[str | None, np.ndarray]] = [*genders.items()] or [(None, known)]
    by_group = tuple(
        counted.part(adults & (groups.origins == origin) & chosen, group=str(origin), gender=gender)
        for origin in np.unique(groups.origins)
        if origin
        for gender, chosen in divided
    )
    either = [(None, known), *genders.items()]
    ages = tuple(
        counted.part(inside & chosen, age=age, gender=gender)
        for age, inside in _bands(groups.ages)
        for gender, chosen in either
    )
    unlabelled = (age for age, inside in _bands(groups.ages) if inside.any() and not (inside & known).any())
    comparable = [part for part in by_group if part.images >= LEAST_IMAGES]
    return AttributeOutside(
        attribute=attribute,
        everybody=counted.part(known),
        adults=counted.part(adults),
        groups=tuple(part for part in by_group if part.images),
        ages=tuple(part for part in ages if part.images),
        unlabelled=tuple(unlabelled),
        worst=min(comparable, key=lambda part: part.right or 0.0, default=None),
    )


def _bands(ages: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """The age bands with their pictures, bool (N,)."""
    for start, end in pairwise(_BAND_STARTS):
        name = f"{start}-{end - 1}" if end < _BAND_STARTS[-1] else f"{start}+"
        yield name, (ages != UNKNOWN_AGE) & (ages >= start) & (ages < end)
