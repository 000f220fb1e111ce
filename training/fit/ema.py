"""Exponential moving average (EMA) of the weights: better than the last step's, at no cost in inference."""

import copy

import torch

from training.networks.network import Network


class ExponentialMovingAverage:
    """An exponential moving average of a network's weights and of its batch-norm statistics.

    Args:
        network: Network to average; training changes its tensors in place. A copy becomes the average.
        decay: Share of the average kept at each step. It is lower in the first steps, so that the random start is soon
            forgotten; torch.optim.swa_utils.AveragedModel does not do that.

    Attributes:
        network: The averaged network.
        decay: As given.
    """

    def __init__(self, network: Network, decay: float) -> None:
        self.network = copy.deepcopy(network).requires_grad_(False)
        self.decay = decay
        # Called only once, since state_dict takes as long as the arithmetic.
        averaged, trained = self.network.state_dict(), network.state_dict()
        floats = [name for name, value in averaged.items() if value.is_floating_point()]
        self._averaged, self._trained = [averaged[name] for name in floats], [trained[name] for name in floats]
        counters = averaged.keys() - set(floats)
        self._counters, self._counts = [averaged[name] for name in counters], [trained[name] for name in counters]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Update the average with the trained network's weights after a step.

        Args:
            step: Number of the step, from 1.
        """
        torch._foreach_lerp_(self._averaged, self._trained, 1 - min(self.decay, step / (step + 9)))
        torch._foreach_copy_(self._counters, self._counts)
