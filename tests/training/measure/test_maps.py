import numpy as np
import pytest
import torch

from slimnet import SlimNet, contributions
from slimnet.explain import Cells
from training.measure.maps import changed, energy, grad_cam, shuffled
from training.measure.regions import area, inside

CELLS = Cells((0, 109, 218), (0, 89, 178))


def test_a_cell_counts_by_the_share_that_lies_in_the_region() -> None:
    region = ((0, 0, 89, 109), (89, 0, 178, 54))
    np.testing.assert_allclose(inside(region, CELLS), [[1.0, 54 / 109], [0.0, 0.0]])
    assert area(region) == pytest.approx((89 * 109 + 89 * 54) / (218 * 178))
    assert inside(((0, 0, 178, 218),), CELLS).tolist() == [[1, 1], [1, 1]]


def test_energy_is_the_share_of_positive_evidence_inside_the_region() -> None:
    within = np.array([[1.0, 0.5], [0.0, 0.0]])
    maps = np.array([[[2, 2], [-9, 0]], [[0, 0], [1, 3]], [[-1, 0], [0, 0]]], np.float32)
    np.testing.assert_allclose(energy(maps, within), [0.75, 0, 0])


def test_deletion_blanks_the_strongest_cells_and_insertion_all_others() -> None:
    x = torch.ones(1, 3, 40, 50)
    rows, columns = (tuple(float(edge) for edge in range(0, end + 1, 10)) for end in (40, 50))
    maps = np.arange(20, 0, -1, dtype=np.float32).reshape(1, 4, 5)  # the strongest at the top left
    seen: list[torch.Tensor] = []

    def probability(changed_crops: torch.Tensor) -> np.ndarray:
        seen.append(changed_crops)
        return changed_crops[:, 0].mean((1, 2)).numpy()

    cells = Cells(rows, columns)
    shares = np.array([1, 2, 4, 6, 10]) / 20  # 5, 10, 20, 30 and 50 % of the cells
    assert changed(x, maps, cells, probability, keep=False) == pytest.approx(1 - shares.mean())
    assert seen[0][0, 0, 0, 0] == 0
    assert seen[0][0, 0, 0, 10] == 1
    assert changed(x, maps, cells, probability, keep=True) == pytest.approx(shares.mean())
    assert seen[5][0, 0, :10, :10].min() == 1
    assert seen[5].sum() == 3 * 100


def test_grad_cam_weighs_channels_by_their_mean_gradient() -> None:
    model = SlimNet((4, 4), (8, 7, 2), 2).eval()
    features = model.features(torch.randn(2, 3, 60, 60), 1).detach()
    found = grad_cam(model, features, 1)
    before = features.clone().requires_grad_()
    model.head(model.advance(before, 2))[:, 1].sum().backward()
    assert before.grad is not None
    weights = before.grad.mean((2, 3))
    expected = torch.einsum("nc,nchw->nhw", weights, features).clamp(min=0)
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-6)


def test_shuffling_keeps_the_numbers_and_changes_the_maps() -> None:
    model = SlimNet((4, 4), (8, 7, 2), 2).eval()
    other = shuffled(model)
    for (name, one), (_, another) in zip(model.named_parameters(), other.named_parameters(), strict=True):
        assert torch.equal(one.flatten().sort().values, another.flatten().sort().values), name
    assert not torch.equal(model.fc.weight, other.fc.weight)
    x = torch.randn(1, 3, 60, 60)
    assert not torch.allclose(contributions(model, x).maps, contributions(other, x).maps, atol=1e-3)
