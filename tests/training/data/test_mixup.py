import numpy as np
import pytest
import torch

from training.data.mixup import mixup


def test_pictures_and_targets_are_mixed_alike():
    """Each picture is of one value, which is its target too: so must each mixture be, between the values mixed."""
    values = torch.tensor([0.0, 1.0, 2.0, 5.0])
    x = values[:, None, None, None].expand(4, 3, 6, 5)
    pairs = set()
    for seed in range(50):
        mixed, targets = mixup(x, values[:, None], 1.0, np.random.default_rng(seed))
        assert mixed.shape == x.shape
        assert torch.allclose(mixed, targets[:, :, None, None].expand_as(mixed))
        assert targets.sum().item() == pytest.approx(8.0, abs=1e-4)  # every picture is a partner once
        pairs.add(round(targets[3].item(), 3))
    assert len(pairs) > 20
    assert min(pairs) >= 0
    assert max(pairs) <= 5


def test_a_small_alpha_leaves_most_pictures_nearly_alone():
    x, targets = torch.randn(8, 3, 4, 4), torch.rand(8, 2)
    nearly = [
        min((mixup(x, targets, 0.05, np.random.default_rng(seed))[0][0] - x).abs().amax(dim=(1, 2, 3))) < 0.05
        for seed in range(40)
    ]
    assert sum(nearly) > 25


def test_what_is_not_known_of_one_is_not_known_of_the_mixture():
    targets = torch.tensor([[1.0, float("nan")], [0.0, 1.0]])
    for seed in range(10):
        _, mixed = mixup(torch.zeros(2, 3, 1, 1), targets, 1.0, np.random.default_rng(seed))
        assert not mixed[:, 0].isnan().any()
        assert mixed[0, 1].isnan()
