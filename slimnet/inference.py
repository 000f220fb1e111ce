"""SlimNet for deployment: from uint8 crops to probabilities."""

import copy
from collections.abc import Sequence
from typing import TypeVar, cast

import torch
from torch import Tensor, nn
from torch.nn.utils import convert_conv2d_weight_memory_format
from torch.nn.utils.fusion import fuse_conv_bn_eval

from slimnet.explain import Contributions, blank_features, contributions, from_features
from slimnet.model import SlimNet
from slimnet.preprocessing import Preprocessing

_Module = TypeVar("_Module", bound=nn.Module)


class Inference(nn.Module):
    """A copy of a network with normalisation and batch norm folded in, and its temperatures applied.

    Args:
        model: the network; it is not changed.

    Attributes:
        network: the folded copy, which reads float32 RGB (N, 3, height, width) from 0 to 255.
        temperatures: float32 (attributes,); ones for a network without calibration.
        blank: from slimnet.explain.blank_features.
    """

    temperatures: Tensor
    blank: Tensor

    def __init__(self, model: SlimNet) -> None:
        super().__init__()
        self.network = fold_batch_norm(model)
        size = model.preprocessing.height, model.preprocessing.width
        self.register_buffer("blank", blank_features(self.network, *size), persistent=False)
        _fold_normalisation(cast(nn.Conv2d, self.network.conv1[0]), model.preprocessing)
        temperatures = model.calibration.temperatures if model.calibration else [1.0] * len(model.attributes)
        self.register_buffer("temperatures", torch.tensor(temperatures, dtype=torch.float32, device="cpu"))

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Compute logits and probabilities.

        Args:
            crops: uint8 RGB (N, height, width, 3).

        Returns:
            Raw logits and calibrated probabilities, each float32 (N, attributes).
        """
        logits = self.network(_planes(crops))
        return logits, torch.sigmoid(logits / self.temperatures)

    def maps(self, crops: Tensor) -> Tensor:
        """Divide the log-odds of each calibrated probability among the places of the crop.

        Args:
            crops: uint8 RGB (N, height, width, 3).

        Returns:
            float32 (N, attributes, h, w): the coarse maps of the logits, divided by the temperatures.
        """
        return contributions(self.network, _planes(crops)).maps / self.temperatures[:, None, None]

    def with_features(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Compute probabilities, and what `explain_features` needs.

        Args:
            crops: uint8 RGB (N, height, width, 3).

        Returns:
            Calibrated probabilities, float32 (N, attributes), and the last Slim module's input before its pooling,
            float32 (N, channels, h, w).
        """
        network = self.network
        last = network.architecture.slim_modules
        features = network.features(_planes(crops), last - 1)
        logits = network.head(network.advance(features, last))
        return torch.sigmoid(logits / self.temperatures), features

    def explain_features(self, features: Tensor, attributes: Sequence[int]) -> Contributions:
        """Divide the log-odds of some attributes finely among the places of the crops.

        Args:
            features: from `with_features`.
            attributes: their indices.

        Returns:
            Maps and bias of these attributes, in order.
        """
        maps, bias = from_features(self.network, features, self.blank, attributes)
        temperatures = self.temperatures[list(attributes)]
        return Contributions(maps / temperatures[:, None, None], bias / temperatures)


def _planes(crops: Tensor) -> Tensor:
    """Return crops as float32 (N, 3, height, width); a permuted (N, H, W, 3) array already is channels_last."""
    return crops.permute(0, 3, 1, 2).float()


def fold_batch_norm(model: _Module) -> _Module:
    """Merge each convolution with the batch norm after it.

    Args:
        model: the network; it is not changed.

    Returns:
        A copy with the same logits, for inference only: in eval mode, without gradients, in channels_last.
    """
    # Copied here, not by deepcopy, which passes each tensor all that it has copied so far: that took half a minute on
    # ZeroGPU, where every operation is intercepted.
    copies: dict[int, Tensor] = {id(buffer): buffer.detach().clone() for buffer in model.buffers()}
    for weight in model.parameters():
        copies[id(weight)] = nn.Parameter(weight.detach().clone(), requires_grad=False)
    folded = copy.deepcopy(model, copies).eval()
    for sequence in [module for module in folded.modules() if isinstance(module, nn.Sequential)]:
        for place, (first, second) in enumerate(zip(sequence, list(sequence)[1:], strict=False)):
            if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                sequence[place] = fuse_conv_bn_eval(first, second)
                sequence[place + 1] = nn.Identity()
    return convert_conv2d_weight_memory_format(folded, torch.channels_last)


def _fold_normalisation(stem: nn.Conv2d, preprocessing: Preprocessing) -> None:
    """Make the first convolution read values from 0 to 255; this is exact, since it has no padding."""
    mean, std = (
        255 * torch.tensor(v, dtype=torch.float64, device="cpu").view(3, 1, 1)
        for v in (preprocessing.mean, preprocessing.std)
    )
    weight = stem.weight.double() / std
    with torch.no_grad():
        cast(Tensor, stem.bias).sub_((weight * mean).sum((1, 2, 3)))
        stem.weight.copy_(weight)
