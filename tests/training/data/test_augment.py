import numpy as np
import pytest

from training.data.augment import DRAWS, Augmentation, resize

STILL = {
    "flip": 0.0,
    "turn": 0.0,
    "scale": 0.0,
    "shift": 0.0,
    "brightness": 0.0,
    "contrast": 0.0,
    "saturation": 0.0,
    "soften": 0.0,
}


@pytest.fixture
def crop() -> np.ndarray:
    """A smooth picture in which every change shows: a bright dot off the centre, on a slope of red."""
    y, x = np.mgrid[:218, :178]
    dot = 200 * np.exp(-((x - 50) ** 2 + (y - 80) ** 2) / 60)
    return np.stack([40 + x / 4, 30 + dot, 20 + dot], axis=-1).astype(np.uint8)


def draws(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random(DRAWS)


def brightest(crop: np.ndarray) -> np.ndarray:
    """x and y of the dot's centre."""
    weights = crop[..., 1].astype(float) ** 3
    y, x = np.mgrid[: crop.shape[0], : crop.shape[1]]
    near = weights > weights.max() / 2
    return np.array([(x * weights)[near].sum(), (y * weights)[near].sum()]) / weights[near].sum()


def test_no_change_leaves_the_crop(crop: np.ndarray) -> None:
    assert np.array_equal(Augmentation(**STILL)(crop, draws(0), 218, 178), crop)


def test_a_flip_mirrors(crop: np.ndarray) -> None:
    flipped = Augmentation(**{**STILL, "flip": 1.0})(crop, draws(0), 218, 178)
    assert np.array_equal(flipped, crop[:, ::-1])


@pytest.mark.parametrize(("change", "limit"), [("turn", 6.0), ("scale", 0.08), ("shift", 0.04)])
def test_the_dot_moves_as_far_as_allowed_and_no_further(crop: np.ndarray, change: str, limit: float) -> None:
    centre, dot = np.array([88.5, 108.5]), np.array([50.0, 80.0])
    moves = []
    for seed in range(40):
        moved = brightest(Augmentation(**{**STILL, change: limit})(crop, draws(seed), 218, 178))
        if change == "shift":
            moves.append(np.abs((moved - dot) / [178, 218]).max())
        elif change == "scale":
            moves.append(abs(np.linalg.norm(moved - centre) / np.linalg.norm(dot - centre) - 1))
        else:
            angles = [np.arctan2(*(point - centre)[::-1]) for point in (moved, dot)]
            moves.append(abs(np.rad2deg((angles[0] - angles[1] + np.pi) % (2 * np.pi) - np.pi)))
    assert limit * 0.7 < max(moves) < limit * 1.05
    assert min(moves) < limit * 0.3


@pytest.mark.parametrize("change", ["brightness", "contrast", "saturation"])
def test_colours_change_within_their_range(crop: np.ndarray, change: str) -> None:
    augmentation = Augmentation(**{**STILL, change: 0.2})
    before = crop.astype(float)
    ratios = []
    for seed in range(40):
        after = augmentation(crop, draws(seed), 218, 178).astype(float)
        if change == "brightness":
            ratios.append(after.mean() / before.mean())
        elif change == "contrast":
            ratios.append(after[..., 1].std() / before[..., 1].std())
            assert abs(after.mean() / before.mean() - 1) < 0.06
        else:
            ratios.append(np.ptp(after, axis=-1).mean() / np.ptp(before, axis=-1).mean())
    assert 0.78 < min(ratios) < 0.87
    assert 1.13 < max(ratios) < 1.22


def test_softening_takes_detail_and_leaves_the_rest_in_place(crop: np.ndarray) -> None:
    checks = np.indices((218, 178)).sum(axis=0) % 2 * 60
    fine = np.clip(crop + checks[..., None], 0, 255).astype(np.uint8)
    softened = [
        Augmentation(**{**STILL, "soften": chance}, softest=0.5)(fine, draws(seed), 218, 178)
        for seed, chance in ((0, 1.0), (1, 1.0), (2, 0.0))
    ]
    detail = [np.abs(np.diff(picture[150:, :, 1].astype(float), axis=1)).mean() for picture in softened]
    assert max(detail[:2]) < 0.5 * detail[2]
    for picture in softened[:2]:
        np.testing.assert_allclose(brightest(picture), [50, 80], atol=0.5)
        assert abs(picture.mean() / fine.mean() - 1) < 0.02


def test_changes_are_read_by_name() -> None:
    assert Augmentation.with_changes(()) == Augmentation()
    assert Augmentation.with_changes(("turn=9", "flip=0.3")) == Augmentation(turn=9.0, flip=0.3)


@pytest.mark.parametrize(
    "change", ["turns=9", "turn", "turn=x", "flip=2", "turn=-1", "turn=nan", "scale=1", "softest=0", "with_changes=1"]
)
def test_what_is_no_change_is_refused_by_name(change: str) -> None:
    with pytest.raises(ValueError, match=change.split("=")[0]):
        Augmentation.with_changes((change,))


def test_a_smaller_output_holds_the_whole_crop(crop: np.ndarray) -> None:
    small = Augmentation(**STILL)(crop, draws(0), 163, 133)
    assert small.shape == (163, 133, 3)
    np.testing.assert_allclose(brightest(small), np.array([50.5, 80.5]) * [133 / 178, 163 / 218] - 0.5, atol=0.5)
    assert resize(crop, 163, 133).shape == (163, 133, 3)
    assert resize(crop, 218, 178) is crop


def test_the_same_random_state_gives_the_same_crop(crop: np.ndarray) -> None:
    first, second, other = (Augmentation()(crop, draws(seed), 218, 178) for seed in (1, 1, 2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)
