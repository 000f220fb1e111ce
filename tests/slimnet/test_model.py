from typing import Any

import pytest
import torch
from torch.nn import functional as F

from slimnet import ATTRIBUTES, SlimNet
from tests.fakes import original


def test_default_network_has_the_papers_size() -> None:
    assert sum(p.numel() for p in SlimNet().parameters()) == 571_304


def test_state_dict_has_the_originals_names_shapes_and_order() -> None:
    expected = [(name, tuple(value.shape)) for name, value in original.state_dict().items()]
    assert len(expected) == 289
    assert [(name, tuple(value.shape)) for name, value in SlimNet().state_dict().items()] == expected


@pytest.mark.parametrize(
    ("counts", "multiplier", "classes", "size"),
    [((16, 32, 48, 64), 1, 40, (218, 178)), ((8, 16), 3, 5, (90, 61)), ((4, 4, 8, 8, 8), 2, 40, (300, 280))],
)
def test_logits_equal_the_originals(
    counts: tuple[int, ...], multiplier: int, classes: int, size: tuple[int, int]
) -> None:
    state = original.state_dict(12, counts, classes, multiplier)
    model = SlimNet(counts, (12, 7, 2), classes, multiplier).eval()
    model.load_state_dict(state)
    x = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = original.logits(state, x)
        assert expected.std() > 0.01
        torch.testing.assert_close(model(x), expected, rtol=1e-4, atol=1e-5)


def test_every_parameter_gets_a_gradient() -> None:
    model = SlimNet((4, 8), (8, 7, 2), 5, depth_multiplier=2)
    loss = F.binary_cross_entropy_with_logits(model(torch.randn(4, 3, 90, 80)), torch.ones(4, 5))
    loss.backward()
    without = [n for n, p in model.named_parameters() if p.grad is None or not torch.isfinite(p.grad).all()]
    assert without == []
    # The gradient of a bias before a batch norm is nothing but rounding; everything else must move.
    still = [n for n, p in model.named_parameters() if p.grad is None or not (p.grad.any() or n.endswith(".0.bias"))]
    assert still == []


@pytest.mark.parametrize("shape", [(1, 3, 130, 178), (1, 3, 218, 130), (3, 218, 178), (1, 1, 218, 178)])
def test_inputs_of_another_shape_are_refused_with_the_least_size(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="131"):
        SlimNet()(torch.zeros(shape))


def test_the_least_side_works() -> None:
    assert SlimNet().eval()(torch.zeros(1, 3, 131, 131)).shape == (1, 40)
    deeper = SlimNet((4, 4, 4, 4, 4), (4, 3, 1))
    assert deeper.eval()(torch.zeros(1, 3, deeper.least_side, deeper.least_side)).shape == (1, 40)
    with pytest.raises(ValueError, match=str(deeper.least_side)):
        deeper(torch.zeros(1, 3, deeper.least_side - 1, 300))


@pytest.mark.parametrize("arguments", [{"filter_count_values": ()}, {"num_classes": 0}, {"initial_conv": (96, 7)},
                                       {"depth_multiplier": 0}, {"filter_count_values": (16, -1)}])  # fmt: skip
def test_impossible_architectures_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(arguments))):
        SlimNet(**arguments)


def test_names_of_the_classes() -> None:
    assert SlimNet().attributes == ATTRIBUTES
    assert SlimNet(num_classes=2, attributes=("a", "b")).attributes == ("a", "b")
    assert len(SlimNet(num_classes=3).attributes) == 3
    with pytest.raises(ValueError, match="2 attribute names"):
        SlimNet(attributes=("a", "b"))
