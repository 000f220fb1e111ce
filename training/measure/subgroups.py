"""How well the weights work for different people: every metric by group, and the gaps between groups."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from training.measure import bootstrap, metrics, scores
from training.measure.metrics import NETWORK_FIGURES
from training.measure.scores import AttributeScores, Interval, Scores

DIVISIONS = (("Male", "Young"), ("Pale_Skin",))  # labels to divide by; CelebA has none for ethnicity
LEAST = 10  # positives, and negatives, of an attribute that every group needs for a comparison


@dataclass(frozen=True)
class Group:
    """One group's scores.

    Attributes:
        name: Such as "Male, not Young".
        images: Number of images.
        mean: Means over the attributes that its division compares.
        attributes: Scores of every attribute.
    """

    name: str
    images: int
    mean: Scores
    attributes: tuple[AttributeScores, ...]


@dataclass(frozen=True)
class Gap:
    """The largest difference between two groups in a metric.

    Attributes:
        figure: The metric's name.
        attribute: The attribute's name; None for the mean over the compared attributes.
        higher: Name of the group with the highest value.
        lower: Name of the group with the lowest value.
        difference: Between these two groups.
        interval: 95 % bootstrap interval of the difference, None if undefined.
    """

    figure: str
    attribute: str | None
    higher: str
    lower: str
    difference: float
    interval: Interval | None


@dataclass(frozen=True)
class Division:
    """A split's images, divided into groups by some labels.

    Attributes:
        by: The labels that divide.
        least: Minimum number of positives, and of negatives, that every group needs for an attribute to be compared.
        compared: Attributes that meet this. Comparing others, such as beards among women, would mislead.
        groups: Those that have images.
        gaps: Of each metric, in the mean and in each compared attribute.
    """

    by: tuple[str, ...]
    least: int
    compared: tuple[str, ...]
    groups: tuple[Group, ...]
    gaps: tuple[Gap, ...]


@dataclass(frozen=True)
class Answers:
    """The predictions on a split, and its labels.

    Attributes:
        names: The attributes.
        labels: bool (N, attributes).
        probabilities: float (N, attributes), from 0 to 1.
        majority: bool (attributes,), whether most training labels of an attribute are positive.
        known: bool (N, attributes), which labels are known.
    """

    names: tuple[str, ...]
    labels: np.ndarray
    probabilities: np.ndarray
    majority: np.ndarray
    known: np.ndarray

    def figures(self) -> dict[str, np.ndarray]:
        """Compute each of metrics.FIGURES, float64 (attributes,); nan if undefined."""
        whole = np.ones((1, len(self.labels)))
        return {
            **metrics.figures(self.labels, self.probabilities, self.known),
            "majority_accuracy": metrics.majority_accuracy(self.labels, self.majority, self.known, whole)[0],
        }

    def resampled(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        """Compute each of metrics.FIGURES for every bootstrap sample.

        Args:
            weights: float32 (resamples, N), from bootstrap.draw.

        Returns:
            By name, float64 (resamples, attributes); nan if undefined.
        """
        return {
            **bootstrap.resampled(self.labels, self.probabilities, self.known, weights),
            "majority_accuracy": metrics.majority_accuracy(self.labels, self.majority, self.known, weights),
        }

    def only(self, chosen: np.ndarray) -> "Answers":
        """Keep some of the images.

        Args:
            chosen: bool (N,), the images to keep.
        """
        return Answers(self.names, self.labels[chosen], self.probabilities[chosen], self.majority, self.known[chosen])


def _members(answers: Answers, by: Sequence[str]) -> dict[str, np.ndarray]:
    """The images of each group, bool (N,), by its name, such as "Male, not Young".

    Images without a known dividing label are in no group.
    """
    found = {}
    for sides in product((True, False), repeat=len(by)):
        name = ", ".join(label if side else f"not {label}" for label, side in zip(by, sides, strict=True))
        columns = [answers.names.index(label) for label in by]
        found[name] = np.all((answers.labels[:, columns] == sides) & answers.known[:, columns], axis=1)
    return found


def divide(answers: Answers, by: tuple[str, ...], weights: np.ndarray) -> Division:
    """Score each group that has images, and find the gaps; no groups if the dividing labels are never known.

    Args:
        answers: Predictions and labels.
        by: The labels that divide; all must be among the attributes.
        weights: float32 (resamples, N), from bootstrap.draw.
    """
    inside = {name: mask for name, mask in _members(answers, by).items() if mask.any()}
    if not inside:
        return Division(by, LEAST, (), (), ())
    theirs = {name: answers.only(mask) for name, mask in inside.items()}
    values = {name: own.figures() for name, own in theirs.items()}
    samples = {name: own.resampled(weights[:, inside[name]]) for name, own in theirs.items()}
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
    """Bool (attributes,): whether at least LEAST known labels are positive and at least LEAST negative."""
    absent = ~answers.labels & answers.known
    return (answers.labels.sum(axis=0) >= LEAST) & (absent.sum(axis=0) >= LEAST)


def _only(found: dict[str, np.ndarray], compared: np.ndarray) -> dict[str, np.ndarray]:
    """Keep the compared attributes of each metric, on the last axis."""
    return {name: values[..., compared] for name, values in found.items()}


def _find_gaps(
    names: Sequence[str],
    compared: np.ndarray,
    values: dict[str, dict[str, np.ndarray]],
    samples: dict[str, dict[str, np.ndarray]],
) -> Iterator[Gap]:
    """For each metric, yield the gap in the mean over the compared attributes, then that of each attribute.

    Metrics that are defined in fewer than two groups are left out.

    Args:
        names: The attributes.
        compared: bool (attributes,).
        values: By group and metric, (attributes,).
        samples: By group and metric, (resamples, attributes).
    """
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
