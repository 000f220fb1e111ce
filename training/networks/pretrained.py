"""MobileNet with the weights of a TensorFlow.js graph, whose batch norm was folded into its convolutions.

The graph has Keras's names, like `faceres` of the npm package @vladmandic/human: conv1, then conv_dw_1, conv_pw_1, and
so on. Its outputs for age and gender are left out.
"""

from collections.abc import Iterable
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from slimnet import CheckpointError, Preprocessing
from training.networks.mobilenet import MobileNet, MobileNetArchitecture
from training.networks.tensorflow_js import GraphModel

_Module = TypeVar("_Module", bound=nn.Module)
# The graph reads blue, green and red from 0 to 255, minus ImageNet's means: of the usual ways, this one tells men from
# women best (98 % of 96 training crops), and most clearly. Ours reads the same as red, green and blue.
_PREPROCESSING = Preprocessing(mean=(123.68 / 255, 116.779 / 255, 103.939 / 255), std=(1 / 255, 1 / 255, 1 / 255))


def from_graph(model: GraphModel, attributes: tuple[str, ...]) -> MobileNet:
    """Make a MobileNet with a graph's weights.

    Args:
        model: The graph.
        attributes: Names of the outputs.

    Returns:
        The network, in evaluation mode, in which its features equal the graph's. Its outputs are 0 for every picture,
        since they are untrained.

    Raises:
        CheckpointError: The graph is not a MobileNet with Keras's names.
    """
    blocks = range(1, 1 + sum(name.endswith("/depthwise") for name in model.nodes))
    names = ["conv1", *(f"conv_{kind}_{block}" for block in blocks for kind in ("dw", "pw"))]
    try:
        filters = [len(model.weights[f"{name}_bn/batchnorm_1/sub"]) for name in names]
        strides = [int(model.nodes[f"conv_dw_{n}/depthwise"]["attr"]["strides"]["list"]["i"][1]) for n in blocks]
        shape = MobileNetArchitecture(filters[0], tuple(zip(filters[2::2], strides, strict=True)), len(attributes))
        network = MobileNet(shape, attributes, _PREPROCESSING).eval()
        for name, convolution, norm in zip(names, _all(network, nn.Conv2d), _all(network, nn.BatchNorm2d), strict=True):
            _fill(convolution, norm, model.weights, name)
    except (KeyError, RuntimeError, ValueError) as error:
        raise CheckpointError(f"the graph is no MobileNet with Keras's names ({error})") from error
    nn.init.zeros_(network.fc.weight)
    nn.init.zeros_(network.fc.bias)
    return network


@torch.no_grad()
def _fill(convolution: nn.Conv2d, norm: nn.BatchNorm2d, weights: dict[str, np.ndarray], name: str) -> None:
    """Copy a layer's weights; batch norm then only scales and shifts, as the graph does in its place."""
    if convolution.groups > 1:
        kernel = weights[f"{name}/depthwise_kernel"].transpose(2, 3, 0, 1)
        norm.weight.copy_(torch.from_numpy(weights[f"{name}_bn/batchnorm_1/mul"]))
    else:
        kernel = weights[f"{name}/convolution/merged_input"].transpose(3, 2, 0, 1)  # the scale is folded in
        if name == "conv1":
            kernel = kernel[:, ::-1]  # red, green, blue
    if kernel.shape != convolution.weight.shape:
        raise ValueError(f"{name} has weights {kernel.shape}, not {tuple(convolution.weight.shape)}")
    convolution.weight.copy_(torch.from_numpy(kernel.copy()))
    norm.bias.copy_(torch.from_numpy(weights[f"{name}_bn/batchnorm_1/sub"]))
    _running(norm)[1].fill_(1 - norm.eps)


def _all(network: nn.Module, kind: type[_Module]) -> list[_Module]:
    return [module for module in network.modules() if isinstance(module, kind)]


@torch.inference_mode()
def restore_batch_norm(network: MobileNet, batches: Iterable[Tensor]) -> None:
    """Give batch norm the means and variances of its inputs, without changing what the network computes.

    Training needs them: if batch norm found different ones in a batch, the network would lose what it has learnt.

    Args:
        network: Changed in place; in evaluation mode.
        batches: Normalised crops, each float32 (n, 3, height, width), of the same n.
    """
    moments: dict[nn.BatchNorm2d, list[Tensor]] = {norm: [] for norm in _all(network, nn.BatchNorm2d)}
    hooks = [norm.register_forward_pre_hook(partial(_note, moments[norm])) for norm in moments]
    for batch in batches:
        network(batch)
    for hook in hooks:
        hook.remove()
    for norm, noted in moments.items():
        mean, square = torch.stack(noted).mean(dim=0)
        variance = square - mean**2
        running_mean, running_variance = _running(norm)
        scale = norm.weight / (running_variance + norm.eps).sqrt()
        norm.bias.add_(scale * (mean - running_mean))
        norm.weight.copy_(scale * (variance + norm.eps).sqrt())
        running_mean.copy_(mean)
        running_variance.copy_(variance)


def _running(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """The means and variances that a batch norm keeps."""
    if norm.running_mean is None or norm.running_var is None:
        raise TypeError("this batch norm keeps no statistics")
    return norm.running_mean, norm.running_var


def _note(moments: list[Tensor], _norm: nn.Module, inputs: tuple[Tensor]) -> None:
    """Note the mean and the mean square of each channel of a batch norm's input, float64 (2, channels)."""
    variance, mean = torch.var_mean(inputs[0], (0, 2, 3), correction=0)
    moments.append(torch.stack([mean, variance + mean**2]).double())
