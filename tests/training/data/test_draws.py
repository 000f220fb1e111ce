import numpy as np
import pytest

from training.data.draws import Draws


def pictures(draws: Draws, epoch: int, seed: int = 0) -> np.ndarray:
    return draws.of_epoch(seed, epoch)


def test_one_folder_is_drawn_once_in_the_order_that_runs_have_always_had() -> None:
    """Runs with one folder that began before folders had weights go on exactly."""
    assert np.array_equal(pictures(Draws.once(22), 5, seed=3), np.random.default_rng((3, 5)).permutation(22))


def test_at_a_half_each_picture_is_drawn_once_in_two_epochs() -> None:
    draws = Draws(((10, 1.0), (8, 0.5)))
    assert len(draws) == 14
    assert not draws.even
    epochs = [pictures(draws, epoch) for epoch in range(4)]
    for first, second in (epochs[:2], epochs[2:]):
        assert sorted(first[first < 10]) == list(range(10))
        assert sorted(np.concatenate([first[first >= 10], second[second >= 10]])) == list(range(10, 18))
    assert set(epochs[0]) != set(epochs[2])  # the passes differ


@pytest.mark.parametrize("often", [2.0, 2.5, 0.3])
def test_pictures_are_drawn_as_often_as_each_other_over_the_epochs(often: float) -> None:
    draws = Draws(((12, often),))
    counts = np.bincount(np.concatenate([pictures(draws, epoch) for epoch in range(7)]), minlength=12)
    assert counts.sum() == 7 * len(draws) == 7 * round(12 * often)
    assert counts.max() - counts.min() <= 1


def test_what_is_drawn_depends_on_seed_and_epoch_alone() -> None:
    draws = Draws(((10, 1.0), (8, 0.5)))
    assert np.array_equal(pictures(draws, 3), pictures(draws, 3))
    assert not np.array_equal(pictures(draws, 3), pictures(draws, 4))
    assert not np.array_equal(pictures(draws, 3), pictures(draws, 3, seed=1))


def test_a_folder_without_pictures_is_passed_over_and_a_small_share_draws_one() -> None:
    assert len(Draws(((10, 1.0), (0, 1.0), (3, 0.01)))) == 11
