"""Moving average of the weights: better than the last step's at no cost in inference."""

import copy

import torch

from slimnet import SlimNet


class MovingAverage:
    """An exponential moving average of a network's weights and of its batch-norm statistics.

    decay: how much is kept at each step; lower in the first steps, so that the random start is soon forgotten.
    """

    def __init__(self, network: SlimNet, decay: float) -> None:
        self.network = copy.deepcopy(network).requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, network: SlimNet, step: int) -> None:
        """Take the network's state in after its step number `step`, counted from 1."""
        share = 1 - min(self.decay, step / (step + 9))
        kept, new = self.network.state_dict(), network.state_dict()
        floats = [name for name, value in kept.items() if value.is_floating_point()]
        torch._foreach_lerp_([kept[name] for name in floats], [new[name] for name in floats], share)
        for name in kept.keys() - set(floats):
            kept[name].copy_(new[name])
