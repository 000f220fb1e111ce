"""Bands of doubt that also hold for people unlike CelebA's, on whom an attribute may be far less reliable."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.data.celeba import DataError, Split, read_celeba
from training.measure.decisions import FOLDS, RIGHT, Bands, fit_bands

LEAST_FACES = 100  # needed with and without an attribute to fit its band
_NO_BAND = (0.5, 0.5)


@dataclass(frozen=True, kw_only=True)
class OtherPeople:
    """What the people of one set need for right answers.

    Attributes:
        folder: Name of the folder.
        attribute: The attribute.
        images: Faces of its validation split with a known label.
        accuracy: Share of right answers when every face is answered, 0 to 1.
        band: Low and high end of the band fitted on them.
        answered: Share of the faces outside bands that were fitted on other people of the set.
        right: Share of these answers that are right; None if there are none.
    """

    folder: str
    attribute: str
    images: int
    accuracy: float
    band: tuple[float, float]
    answered: float
    right: float | None


@dataclass(frozen=True)
class OtherAnswers:
    """What the network answers about one attribute of other people, and the band that they need.

    Attributes:
        needs: What they need.
        chances: Probabilities, float (N, 1).
        labels: bool (N, 1).
        bands: Of this attribute alone, fitted on them.
    """

    needs: OtherPeople
    chances: np.ndarray
    labels: np.ndarray
    bands: Bands

    def fails(self, band: tuple[float, float]) -> bool:
        """Whether too few answers are right outside a band that includes theirs, as where it allows no ticks.

        Args:
            band: Low and high end.
        """
        answered = self.bands.widened([band]).answered(self.chances)
        return bool(answered.any()) and bool(((self.chances > 0.5) == self.labels)[answered].mean() < RIGHT)


def read_other_people(folders: Sequence[Path], attributes: Sequence[str]) -> dict[Path, Split]:
    """Read the validation splits of other sets.

    Args:
        folders: In CelebA's form; labels of attributes that the network lacks are ignored.
        attributes: The network's.

    Returns:
        The splits by folder, with the network's attributes.

    Raises:
        DataError: A folder can't be read, or labels nothing that the network answers often enough.
    """
    found = {}
    for folder in folders:
        split = read_celeba(folder, wanted=attributes)["valid"].with_attributes(attributes)
        columns = _measured(split)
        if not len(columns):
            raise DataError(
                f"--outside {folder}: its validation split needs {LEAST_FACES} faces with and {LEAST_FACES} without an "
                "attribute of the weights"
            )
        people = min(len(np.unique(split.identities[split.known[:, n]])) for n in columns)
        if people < FOLDS:
            raise DataError(
                f"--outside {folder}: its validation split shows only {people} people by identity_CelebA, and {FOLDS} "
                "are needed"
            )
        found[folder] = split
    return found


def measure_other_people(splits: Mapping[Path, Split], answer: Callable[[Split], np.ndarray]) -> list[OtherAnswers]:
    """Fit bands on other people.

    Args:
        splits: From read_other_people.
        answer: Returns probabilities for a split's faces, float (N, attributes).

    Returns:
        The results for each folder and each attribute that it labels.
    """
    found = []
    for folder, split in splits.items():
        probabilities = answer(split)
        found += [_measure(folder.name, split, n, probabilities[:, n]) for n in _measured(split).tolist()]
    return found


def _measured(split: Split) -> np.ndarray:
    """The attributes that a split labels often enough, integer (n,)."""
    positives, negatives = ((split.known & (split.labels == value)).sum(axis=0) for value in (True, False))
    return np.flatnonzero(np.minimum(positives, negatives) >= LEAST_FACES)


def _measure(folder: str, split: Split, column: int, probabilities: np.ndarray) -> OtherAnswers:
    """Fit the band of one attribute, and measure it by cross-validation over people."""
    known = split.known[:, column]
    chances, labels = probabilities[known][:, None], split.labels[known][:, [column]]
    bands = fit_bands(chances, labels, np.ones_like(labels), split.identities[known])
    answered, right = bands.answered(chances), (chances > 0.5) == labels
    needs = OtherPeople(
        folder=folder,
        attribute=split.attributes[column],
        images=len(labels),
        accuracy=float(right.mean()),
        band=bands.fitted[0],
        answered=float(answered.mean()),
        right=float(right[answered].mean()) if answered.any() else None,
    )
    return OtherAnswers(needs, chances, labels, bands)


def least_bands(found: Sequence[OtherPeople], attributes: Sequence[str]) -> tuple[tuple[float, float], ...]:
    """Return each attribute's narrowest band that includes those of all sets; (0.5, 0.5) if no set labels it.

    Args:
        found: What the sets need.
        attributes: In the order of the result.
    """
    bands = [[people.band for people in found if people.attribute == name] or [_NO_BAND] for name in attributes]
    return tuple((min(low for low, _ in ends), max(high for _, high in ends)) for ends in bands)


def failing_attributes(
    bands: Sequence[tuple[float, float]], found: Sequence[OtherAnswers], attributes: Sequence[str]
) -> set[str]:
    """Return the attributes outside whose bands too few answers about some set are right.

    Args:
        bands: Of each attribute, including what all sets need.
        found: What the network answers about the sets.
        attributes: The network's.
    """
    return {each.needs.attribute for each in found if each.fails(bands[attributes.index(each.needs.attribute)])}
