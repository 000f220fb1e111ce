"""For whom weights work how well: every figure by groups of people, and the gaps between the groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from training.measure import bootstrap, metrics, scores
from training.measure.metrics import NETWORK_FIGURES
from training.measure.scores import AttributeScores, Interval, Scores

DIVISIONS = (("Male", "Young"), ("Pale_Skin",))  # by the labels; CelebA has none for ethnicity
LEAST = 10  # pictures with and without an attribute that every group needs for a comparison


@dataclass(frozen=True)
class Group:
    """One group's scores. mean: over the attributes that its division compares; attributes: each of them all."""

    name: str
    images: int
    mean: Scores
    attributes: tuple[AttributeScores, ...]


@dataclass(frozen=True)
class Gap:
    """The largest difference between two groups in a figure. attribute: None for the mean over those compared.

    interval: 95 %, of the difference between these two groups.
    """

    figure: str
    attribute: str | None
    higher: str
    lower: str
    difference: float
    interval: Interval | None


@dataclass(frozen=True)
class Division:
    """The split's pictures divided by some labels.

    compared: attributes of which every group has at least `least` pictures with and without; others, such as beards
    among women, would compare unlike things.
    """

    by: tuple[str, ...]
    least: int
    compared: tuple[str, ...]
    groups: tuple[Group, ...]
    gaps: tuple[Gap, ...]


@dataclass(frozen=True)
class Answers:
    """Of a split: names of the attributes, labels, probabilities (N, attributes), the training split's majority, and
    which labels are known."""

    names: tuple[str, ...]
    labels: np.ndarray
    probabilities: np.ndarray
    majority: np.ndarray
    known: np.ndarray

    @property
    def case(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """What metrics are measured on."""
        return self.labels, self.probabilities, self.majority, self.known

    def only(self, chosen: np.ndarray) -> Answers:
        """Those of some pictures, bool (N,)."""
        return Answers(self.names, self.labels[chosen], self.probabilities[chosen], self.majority, self.known[chosen])


def _members(answers: Answers, by: Sequence[str]) -> dict[str, np.ndarray]:
    """The pictures of each group, bool (N,), by its name, such as "Male, not Young"; those in none of which a label
    that divides is not known."""
    found = {}
    for sides in product((True, False), repeat=len(by)):
        name = ", ".join(label if side else f"not {label}" for label, side in zip(by, sides, strict=True))
        columns = [answers.names.index(label) for label in by]
        found[name] = np.all((answers.labels[:, columns] == sides) & answers.known[:, columns], axis=1)
    return found


def divide(answers: Answers, by: tuple[str, ...], weights: np.ndarray) -> Division:
    """Score each group that has pictures, and find the gaps. weights: of the bootstrap samples, (resamples, N)."""
    inside = {name: mask for name, mask in _members(answers, by).items() if mask.any()}
    theirs = {name: answers.only(mask) for name, mask in inside.items()}
    values = {name: metrics.figures(*own.case) for name, own in theirs.items()}
    samples = {name: bootstrap.resampled(*own.case, weights[:, inside[name]]) for name, own in theirs.items()}
    compared = np.all([_enough(own) for own in theirs.values()], axis=0)
    groups = tuple(
        Group(
            name,
            len(own.labels),
            scores.mean_scores(_only(values[name], compared), _only(samples[name], compared)),
            scores.attribute_scores(answers.names, own.known, values[name], samples[name]),
        )
        for name, own in theirs.items()
    )
    names = tuple(name for name, chosen in zip(answers.names, compared, strict=True) if chosen)
    return Division(by, LEAST, names, groups, tuple(_find_gaps(answers.names, compared, values, samples)))


def _enough(answers: Answers) -> np.ndarray:
    """Bool (attributes,): whether the known labels show LEAST pictures of both kinds."""
    absent = ~answers.labels & answers.known
    return (answers.labels.sum(axis=0) >= LEAST) & (absent.sum(axis=0) >= LEAST)


def _only(found: dict[str, np.ndarray], compared: np.ndarray) -> dict[str, np.ndarray]:
    return {name: values[..., compared] for name, values in found.items()}


def _find_gaps(
    names: Sequence[str],
    compared: np.ndarray,
    values: dict[str, dict[str, np.ndarray]],
    samples: dict[str, dict[str, np.ndarray]],
) -> Iterator[Gap]:
    """Of each figure: the gap in the mean over the compared attributes, then that of each of these."""
    single = [(names[n], np.arange(len(names)) == n) for n in np.flatnonzero(compared).tolist()]
    for figure in NETWORK_FIGURES:
        for attribute, chosen in [(None, compared), *single]:
            means = {group: float(metrics.mean(found[figure][chosen])) for group, found in values.items()}
            defined = {group: value for group, value in means.items() if not np.isnan(value)}
            if len(defined) < 2:
                continue
            lower, *_, higher = sorted(defined, key=defined.__getitem__)
            spread = metrics.mean(samples[higher][figure][:, chosen]) - metrics.mean(samples[lower][figure][:, chosen])
            difference = round(defined[higher] - defined[lower], 6)
            yield Gap(figure, attribute, higher, lower, difference, scores.json_interval(bootstrap.interval(spread)))
