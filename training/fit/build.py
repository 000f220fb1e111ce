"""The network and the optimiser at the start of a run."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from slimnet import CheckpointError, SlimNet
from training.fit.config import TrainConfig
from training.fit.transfer import Beginning
from training.networks.mobilenet import MobileNet, holds_mobilenet
from training.networks.network import Network

_SLIMNETS_FLAGS = (
    "filter_counts", "conv_filters", "conv_filter_size", "conv_filter_stride", "depth_multiplier", "frozen_modules",
)  # fmt: skip


def build_network(config: TrainConfig, attributes: tuple[str, ...]) -> Network:
    """Make the network for the first step, with random weights by the seed, except for those from --init_from.

    Args:
        config: Settings of the run.
        attributes: Names of the outputs, in order.

    Raises:
        CheckpointError: --init_from cannot be used.
    """
    torch.manual_seed(config.seed)
    network = _random(config, attributes)
    if config.init_from and not config.resume:
        Beginning.load(config.init_from, attributes).give(network)
    return network


def _random(config: TrainConfig, attributes: tuple[str, ...]) -> Network:
    """Make a network with random weights: SlimNet, or MobileNet if --init_from, or the run to resume, has one.

    Raises:
        CheckpointError: There is a MobileNet that can't be read, or flags ask for a SlimNet of another shape.
    """
    source = Path(config.save_dir) / "last.safetensors" if config.resume else config.init_from
    if not holds_mobilenet(source):
        return SlimNet(
            config.filter_counts,
            (config.conv_filters, config.conv_filter_size, config.conv_filter_stride),
            config.num_classes,
            config.depth_multiplier,
            attributes=attributes,
        )
    asked = [f"--{name}" for name in _SLIMNETS_FLAGS if getattr(config, name) != getattr(TrainConfig, name)]
    if asked:
        raise CheckpointError(f"{source} is a MobileNet, and {' and '.join(asked)} is for SlimNet alone")
    first = MobileNet.load(source)
    return MobileNet(replace(first.architecture, num_classes=config.num_classes), attributes, first.preprocessing)


def freeze(network: Network, modules: int) -> list[nn.Module]:
    """Keep the start of a network as it is.

    Args:
        network: Network to train; a SlimNet unless nothing is frozen.
        modules: Slim modules to freeze, and with any of them the first convolution.

    Returns:
        The frozen parts, which also have to stay in eval mode: batch norm must not learn either.
    """
    names = ["conv1", *(f"slim{number}" for number in range(1, modules + 1))] if modules else []
    return [network.get_submodule(name).requires_grad_(False) for name in names]


def build_optimizer(config: TrainConfig, network: nn.Module) -> torch.optim.Optimizer:
    """Make the optimiser of all parameters that are not frozen: Adam, as in the paper, or AdamW.

    AdamW's decay spares biases and norms (1-D parameters). On a GPU all parameters are updated by one kernel.

    Args:
        config: Settings of the run.
        network: Network to train.
    """
    trained = [p for p in network.parameters() if p.requires_grad]
    fused = trained[0].device.type == "cuda" or None
    if config.optimizer == "adam":
        return torch.optim.Adam(trained, config.learning_rate, weight_decay=config.weight_decay, fused=fused)
    matrices = [p for p in trained if p.ndim > 1]
    vectors = [p for p in trained if p.ndim <= 1]
    return torch.optim.AdamW(
        [{"params": matrices, "weight_decay": config.weight_decay}, {"params": vectors, "weight_decay": 0.0}],
        config.learning_rate,
        fused=fused,
    )


def restore_optimizer(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Load an optimiser's state, whatever device it was saved on.

    Args:
        optimizer: Optimiser of the same parameters.
        state: From an optimiser's state_dict.
    """
    fused = {"fused": optimizer.defaults["fused"]}
    groups = [{**group, **fused} for group in state["param_groups"]]
    optimizer.load_state_dict({**state, "param_groups": groups})
    # Fused optimisers need a parameter's own memory format, which the run may have changed.
    for parameter, values in optimizer.state.items():
        for name, value in values.items():
            if torch.is_tensor(value) and value.shape == parameter.shape and value.stride() != parameter.stride():
                values[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)
