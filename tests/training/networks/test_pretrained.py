from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from slimnet import CheckpointError
from tests.fakes import face_network
from training.networks.pretrained import from_graph, restore_batch_norm
from training.networks.tensorflow_js import GraphModel, read_graph_model

NAMES = ("Male", "Young")


@pytest.fixture
def graph(tmp_path: Path) -> GraphModel:
    return read_graph_model(face_network.write(tmp_path))


@pytest.fixture
def batches() -> list[Tensor]:
    rng = torch.Generator().manual_seed(0)
    return [torch.randn(8, 3, 29, 21, generator=rng) * 60 for _ in range(3)]


def computed_as_the_graph_says(weights: dict[str, np.ndarray], x: Tensor) -> Tensor:
    """The features from the graph's own operations, for sides that are odd wherever the stride is 2."""

    def of(name: str) -> Tensor:
        return torch.from_numpy(weights[name])

    def channels(values: Tensor) -> Tensor:
        return values.view(1, -1, 1, 1)

    def pointwise(x: Tensor, name: str, stride: int = 1) -> Tensor:
        kernel = of(f"{name}/{face_network.KERNEL}").permute(3, 2, 0, 1)
        x = F.conv2d(x, kernel, stride=stride, padding=kernel.shape[2] // 2)
        return (x + channels(of(f"{name}_bn/batchnorm_1/sub"))).clamp(0, 6)

    x = pointwise(x, "conv1", stride=2)
    for number, (_, stride) in enumerate(face_network.BLOCKS, start=1):
        name = f"conv_dw_{number}"
        kernel = of(f"{name}/depthwise_kernel").permute(2, 3, 0, 1)
        x = F.conv2d(x, kernel, stride=stride, padding=1, groups=len(kernel))
        x = x * channels(of(f"{name}_bn/batchnorm_1/mul")) + channels(of(f"{name}_bn/batchnorm_1/sub"))
        x = pointwise(x.clamp(0, 6), f"conv_pw_{number}")
    return x.mean((2, 3))


def test_the_features_equal_those_of_the_graph(graph: GraphModel, batches: list[Tensor]) -> None:
    network = from_graph(graph, NAMES)
    expected = computed_as_the_graph_says(graph.weights, batches[0].flip(1))  # it reads blue, green, red
    assert expected.std(0).mean() > 0.01
    with torch.no_grad():
        torch.testing.assert_close(network.features(batches[0]), expected, rtol=1e-4, atol=1e-4)
        assert not network(batches[0]).any()
    assert (network.attributes, network.fc.out_features) == (NAMES, 2)


def test_batch_norm_comes_back_without_a_change_of_the_features(graph: GraphModel, batches: list[Tensor]) -> None:
    network = from_graph(graph, NAMES)
    with torch.no_grad():
        before = network.features(batches[0])
        restore_batch_norm(network, batches)
        torch.testing.assert_close(network.features(batches[0]), before, rtol=1e-3, atol=1e-3)
        together = torch.cat(batches)
        after = network.features(together)
        # In training it normalises by the batch, which here is everything that was measured: again nothing changes.
        torch.testing.assert_close(network.train().features(together), after, rtol=1e-2, atol=1e-2)


def test_a_graph_of_another_network_is_refused(graph: GraphModel) -> None:
    del graph.weights["conv_pw_2/convolution/merged_input"]
    with pytest.raises(CheckpointError, match=r"no MobileNet with Keras's names .*conv_pw_2"):
        from_graph(graph, NAMES)
