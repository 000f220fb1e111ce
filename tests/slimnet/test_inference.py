from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from slimnet import Calibration, Preprocessing, Reliability, SlimNet
from slimnet.inference import Inference, fold_batch_norm
from tests.fakes import original

TEMPERATURES = (0.5, 1.0, 2.0)


@pytest.fixture(scope="module")
def model() -> SlimNet:
    """A calibrated model whose shape, preprocessing and number of attributes differ from SlimNet's own."""
    preprocessing = Preprocessing(75, 80, (0.1, 0.5, 0.6), (0.2, 0.25, 0.5))
    model = SlimNet((4, 6, 8), (10, 7, 2), 3, depth_multiplier=2, preprocessing=preprocessing)
    model.load_state_dict(original.state_dict(10, (4, 6, 8), classes=3, multiplier=2))
    model.calibration = Calibration(TEMPERATURES, (Reliability(0.8, 0.7, 0.9),) * 3)
    return model.eval()


@pytest.fixture(scope="module")
def crops() -> Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, 75, 80, 3), np.uint8))


def test_crops_become_logits_and_calibrated_probabilities(model: SlimNet, crops: Tensor) -> None:
    with torch.no_grad():
        logits, probabilities = Inference(model)(crops)
        expected = model(model.preprocessing.normalise(crops))
    torch.testing.assert_close(logits, expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(probabilities, torch.sigmoid(expected / torch.tensor(TEMPERATURES)), atol=1e-5, rtol=0)


def test_folding_leaves_the_network_as_it_was(model: SlimNet) -> None:
    before = {name: value.clone() for name, value in model.state_dict().items()}
    Inference(model)
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, before[name], atol=0, rtol=0)


def test_folding_batch_norm_keeps_the_logits(model: SlimNet, crops: Tensor) -> None:
    x = model.preprocessing.normalise(crops)
    with torch.no_grad():
        torch.testing.assert_close(fold_batch_norm(model)(x), model(x), atol=1e-4, rtol=1e-4)


class Watch(TorchFunctionMode):
    """Notes the most that an operation was handed: the package `spaces` looks through all of it."""

    most = 0

    def __torch_function__(
        self,
        function: Callable[..., Any],
        _types: Sequence[type],
        arguments: Sequence[Any] = (),
        options: Mapping[str, Any] | None = None,
    ) -> Any:
        self.most = max(self.most, len(tree_leaves((arguments, options))))
        return function(*arguments, **(options or {}))


def test_folding_is_no_work_where_each_operation_is_watched(model: SlimNet) -> None:
    """A Space with ZeroGPU took half a minute longer to start."""
    with Watch() as watch:
        fold_batch_norm(model)
    assert 0 < watch.most < 60
