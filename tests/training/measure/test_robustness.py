from pathlib import Path

import numpy as np
import pytest

from slimnet import Predictor, SlimNet
from tests.fakes import celeba
from training.data.celeba import read_celeba
from training.measure import robustness


@pytest.fixture(scope="module")
def crop() -> np.ndarray:
    """A bright square in the middle of a dark crop."""
    picture = np.full((218, 178, 3), 40, np.uint8)
    picture[84:134, 64:114] = 200
    return picture


def damaged(kind: str, crop: np.ndarray, strength: float, number: int = 0) -> np.ndarray:
    return next(damage for damage in robustness.DAMAGES if damage.kind == kind).apply(crop, number, strength)


def extent(crop: np.ndarray) -> list[int]:
    """The first and last row and column of the bright square."""
    rows, columns = np.nonzero(crop[..., 0] > 120)
    return [rows.min(), rows.max(), columns.min(), columns.max()]


def test_crops_are_moved_as_far_as_is_said(crop: np.ndarray) -> None:
    assert extent(damaged("shift", crop, 10)) == pytest.approx([84 + 21.8, 133 + 21.8, 64 + 17.8, 113 + 17.8], abs=1)
    assert extent(damaged("shift", crop, 10, 3)) == pytest.approx([84 - 21.8, 133 - 21.8, 64 - 17.8, 113 - 17.8], abs=1)
    assert extent(damaged("enlarged", crop, 120)) == pytest.approx([79, 138, 59, 118], abs=1)
    assert extent(damaged("shrunk", crop, 70)) == pytest.approx([91.5, 126, 71.5, 106], abs=1)
    half_diagonal = 25 * (np.sin(np.pi / 6) + np.cos(np.pi / 6))
    assert extent(damaged("turn", crop, 30))[1] == pytest.approx(108.5 + half_diagonal, abs=1.5)


def test_light_and_detail_are_lost(crop: np.ndarray) -> None:
    assert damaged("darkness", crop, 30).max() == 60
    for kind, strength in (("blur", 5), ("detail", 15), ("JPEG", 10)):
        changed = damaged(kind, crop, strength)
        assert changed.shape == crop.shape
        assert changed.dtype == np.uint8
        assert np.abs(changed.astype(int) - crop).max() > 20


def test_every_damage_grows_with_its_strengths() -> None:
    rows, columns = np.mgrid[:218, :178]
    oval = np.exp(-(((rows - 108) / 60) ** 2) - ((columns - 89) / 25) ** 2)
    picture = (40 + oval[..., None] * (200, 150, 100)).astype(np.uint8)
    for damage in robustness.DAMAGES:
        change = [np.abs(damage.apply(picture, 0, s).astype(int) - picture).mean() for s in damage.strengths]
        assert change == sorted(change), damage.kind
        assert change[0] > 0, damage.kind


def test_accuracy_under_every_damage_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = celeba.write(tmp_path / "data")
    SlimNet((4,), (4, 7, 2), 3, attributes=celeba.ATTRIBUTES).save(tmp_path / "w.safetensors")
    predictor = Predictor(tmp_path / "w.safetensors", "cpu")
    dark = robustness.Damage("dark", "%", (100, 0), lambda crop, _, s: (crop * (s / 100)).astype(np.uint8))
    monkeypatch.setattr(robustness, "DAMAGES", (dark,))
    split = read_celeba(data)["train"]
    found = robustness.measure(predictor, split, 8, 4, 50)
    assert found.images == 8
    same, black = found.outcomes
    assert (same.accuracy, same.loss, same.interval) == (found.undamaged, 0, (0, 0))
    ticks = predictor(np.zeros((1, 218, 178, 3), np.uint8)) > 0.5
    chosen = np.linspace(0, 15, 8).round().astype(int)
    assert black.accuracy == pytest.approx((ticks == split.labels[chosen]).mean(), abs=1e-6)
    assert black.loss == pytest.approx(found.undamaged - black.accuracy, abs=1e-6)


def test_labels_that_are_not_known_are_not_counted_as_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    SlimNet((4,), (4, 7, 2), 3, attributes=celeba.ATTRIBUTES).save(tmp_path / "w.safetensors")
    predictor = Predictor(tmp_path / "w.safetensors", "cpu")
    dark = robustness.Damage("dark", "%", (0,), lambda crop, _, s: (crop * (s / 100)).astype(np.uint8))
    monkeypatch.setattr(robustness, "DAMAGES", (dark,))
    split = read_celeba(celeba.with_gaps(celeba.write(tmp_path / "data")))["train"]
    found = robustness.measure(predictor, split, 16, 4, 50)
    (black,) = found.outcomes
    ticks = predictor(np.zeros((1, 218, 178, 3), np.uint8)) > 0.5
    each = [(ticks[0, n] == split.labels[there, n]).mean() for n, there in enumerate(split.known.T)]
    assert black.accuracy == pytest.approx(np.mean(each), abs=1e-6)
    assert black.loss == pytest.approx(found.undamaged - black.accuracy, abs=2e-6)
