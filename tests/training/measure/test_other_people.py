"""The bands of doubt that other sets' people need."""

from pathlib import Path

import numpy as np
import pytest

from tests.fakes import celeba
from training.data.celeba import DataError, Split
from training.measure.decisions import RIGHT
from training.measure.other_people import (
    OtherPeople,
    failing_attributes,
    least_bands,
    measure_other_people,
    read_other_people,
)


def guessing(split: Split) -> np.ndarray:
    """Answers that are right if they are sure, and random between 0.2 and 0.8."""
    rng = np.random.default_rng(0)
    sure = np.where(split.labels, rng.uniform(0.8, 1, split.labels.shape), rng.uniform(0, 0.2, split.labels.shape))
    return np.where(rng.random(split.labels.shape) < 0.3, rng.uniform(0.2, 0.8, split.labels.shape), sure)


def test_the_band_is_where_answers_about_them_fail(tmp_path: Path) -> None:
    people = celeba.with_columns(celeba.write(tmp_path / "people", sizes={0: 2, 1: 600, 2: 2}), "Second", "", "Other")
    [answers] = measure_other_people(read_other_people([people], celeba.ATTRIBUTES), guessing)
    found = answers.needs
    assert (found.folder, found.attribute, found.images) == ("people", "Second", 600)
    assert found.accuracy == pytest.approx(0.85, abs=0.04)
    low, high = found.band
    assert 0.2 < low < 0.35
    assert 0.65 < high < 0.8
    assert 0.7 < found.answered < 0.85
    assert found.right is not None
    assert found.right >= RIGHT


def test_a_set_that_labels_too_few_faces_is_named(tmp_path: Path) -> None:
    few = celeba.write(tmp_path / "few", sizes={0: 2, 1: 40, 2: 2})
    with pytest.raises(DataError, match="few: its validation split needs 100 faces with and 100 without"):
        read_other_people([few], celeba.ATTRIBUTES)


def test_a_set_of_too_few_people_is_named(tmp_path: Path) -> None:
    same = celeba.write(tmp_path / "same", sizes={0: 2, 1: 600, 2: 2})
    images = [path.name for path in sorted((same / "img_align_celeba").iterdir())]
    (same / "identity_CelebA.txt").write_text("".join(f"{name} {n % 4}\n" for n, name in enumerate(images)))
    with pytest.raises(DataError, match="same: its validation split shows only 4 people"):
        read_other_people([same], celeba.ATTRIBUTES)


def test_the_widest_band_of_all_sets_counts() -> None:
    def needs(attribute: str, low: float, high: float) -> OtherPeople:
        return OtherPeople(
            folder="set", attribute=attribute, images=9, accuracy=0.5, band=(low, high), answered=0, right=None
        )

    found = [needs("Second", 0.3, 0.7), needs("Second", 0.4, 0.9)]
    assert least_bands(found, celeba.ATTRIBUTES) == ((0.5, 0.5), (0.3, 0.9), (0.5, 0.5))


def test_a_wider_band_that_leaves_them_too_few_right_answers_fails(tmp_path: Path) -> None:
    people = celeba.with_columns(celeba.write(tmp_path / "people", sizes={0: 2, 1: 600, 2: 2}), "Second", "", "Other")

    def with_wrong_empty_boxes(split: Split) -> np.ndarray:
        """Ticks are always right, and empty boxes in 43 of 44."""
        answers = np.where(split.labels, 0.9, 0.1) + np.linspace(0, 0.01, len(split))[:, None]
        empty = np.flatnonzero(~split.labels[:, 1])
        answers[np.flatnonzero(split.labels[:, 1])[: len(empty) // 43], 1] = 0.1
        return answers

    found = measure_other_people(read_other_people([people], celeba.ATTRIBUTES), with_wrong_empty_boxes)
    own = least_bands([each.needs for each in found], celeba.ATTRIBUTES)
    assert own[1] == pytest.approx((0.5, 0.5), abs=0.01)
    for band, failing in (((0.5, 0.5), set()), ((0.5, 1.0), {"Second"}), ((0.0, 0.5), set()), ((0.0, 1.0), set())):
        assert failing_attributes((own[0], band, own[2]), found, celeba.ATTRIBUTES) == failing
