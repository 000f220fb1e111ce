"""The network and the optimiser at the start of a run."""

from typing import Any

import torch
from torch import nn

from slimnet import SlimNet
from training.fit.config import TrainConfig
from training.fit.transfer import Beginning


def build_network(config: TrainConfig, attributes: tuple[str, ...]) -> SlimNet:
    """Make the network for the first step: random weights by the seed, except for those from --init_from.

    Args:
        config: Settings of the run.
        attributes: Names of the outputs, in order.

    Raises:
        CheckpointError: --init_from cannot be used.
    """
    torch.manual_seed(config.seed)
    network = SlimNet(
        config.filter_counts,
        (config.conv_filters, config.conv_filter_size, config.conv_filter_stride),
        config.num_classes,
        config.depth_multiplier,
        attributes=attributes,
    )
    if config.init_from and not config.resume:
        Beginning.load(config.init_from, attributes).give(network)
    return network


def build_optimizer(config: TrainConfig, network: nn.Module) -> torch.optim.Optimizer:
    """Make the optimiser: Adam on all parameters, as in the paper, or AdamW.

    AdamW's decay spares biases and norms (1-D parameters). On a GPU all parameters are updated by one kernel.

    Args:
        config: Settings of the run.
        network: Network to train.
    """
    fused = next(network.parameters()).device.type == "cuda" or None
    if config.optimizer == "adam":
        return torch.optim.Adam(
            network.parameters(), config.learning_rate, weight_decay=config.weight_decay, fused=fused
        )
    matrices = [p for p in network.parameters() if p.ndim > 1]
    vectors = [p for p in network.parameters() if p.ndim <= 1]
    return torch.optim.AdamW(
        [{"params": matrices, "weight_decay": config.weight_decay}, {"params": vectors, "weight_decay": 0.0}],
        config.learning_rate,
        fused=fused,
    )


def restore_optimizer(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Load an optimiser's state, from whichever device it was saved on.

    Args:
        optimizer: Optimiser of the same parameters.
        state: From state_dict of an optimiser.
    """
    fused = {"fused": optimizer.defaults["fused"]}
    groups = [{**group, **fused} for group in state["param_groups"]]
    optimizer.load_state_dict({**state, "param_groups": groups})
