"""Which places in a crop spoke for and against an attribute, in numbers that add up to the answer.

After its last Slim module the network only pools, averages and weighs, which is linear once we know which cell wins
each pooling. So what each cell adds to a logit is exact, without gradients: it equals HiResCAM (Draelos and Carin,
arXiv 2011.08891) on the module's output. But each cell has seen most of the face. Fine maps keep the sums for and
against an attribute, and divide them among the previous module's smaller cells by gradient times activation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from slimnet.model import SlimNet

LEAST_EVIDENCE = 1e-12  # without any, a map is divided evenly


class Contributions(NamedTuple):
    """What each place adds to each logit: the maps summed over height and width, plus the bias, are the logits.

    Attributes:
        maps: float32 (N, attributes, h, w); above 0 for the attribute, below 0 against it. `cells` says where in the
            crop its cells lie.
        bias: float32 (attributes,), what the logits would be without any evidence.
    """

    maps: Tensor
    bias: Tensor


@dataclass(frozen=True)
class Cells:
    """Where a map's cells lie in a crop, in pixels; the outer cells reach its border.

    Attributes:
        rows: y of the edges between rows, from 0 to the crop's height: h + 1 numbers.
        columns: x of the edges between columns, from 0 to the crop's width: w + 1 numbers.
    """

    rows: tuple[float, ...]
    columns: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Explanation:
    """Which places in crops spoke for and against each attribute, in log-odds.

    A probability is the sigmoid of its log-odds, which include the temperature: `probabilities` adds them up to the
    Predictor's own answers.

    Attributes:
        maps: float32 (N, attributes, h, w); above 0 for the attribute, below 0 against it.
        bias: float32 (attributes,), the log-odds without any evidence.
        cells: where in the crop the h x w cells lie.
    """

    maps: np.ndarray
    bias: np.ndarray
    cells: Cells

    @property
    def probabilities(self) -> np.ndarray:
        """Add up the maps: float32 (N, attributes), 0 to 1."""
        return torch.from_numpy(self.maps.sum((2, 3)) + self.bias).sigmoid().numpy()


def contributions(model: SlimNet, x: Tensor, refine: bool = False) -> Contributions:
    """Divide each logit among the places of the crop.

    Args:
        model: the network, in eval mode.
        x: normalised crops, float32 (N, 3, height, width), both sides at least `model.least_side`.
        refine: whether to divide it more finely, by the output of the last Slim module but one: 12x9 cells instead of
            5x4 in CelebA's crops. This takes longer, since it needs a gradient for each attribute.

    Returns:
        The maps and the bias, on the model's device.

    Raises:
        ValueError: the model is in training mode, x has another shape, or a side is too short.
    """
    if model.training:
        raise ValueError("the model is in training mode, in which its answers depend on the batch: call model.eval()")
    with torch.no_grad():
        features = model.features(x.detach(), model.architecture.slim_modules - 1)
    return from_features(model, features, blank_features(model, x.shape[2], x.shape[3]) if refine else None)


def blank_features(model: SlimNet, height: int, width: int) -> Tensor:
    """Compute the features of a crop that shows nothing: every value is the mean, which is 0 after normalisation.

    Args:
        model: the network, in eval mode.
        height: of the crop, in pixels.
        width: of the crop, in pixels.

    Returns:
        float32 (1, channels, h, w), the output of the last Slim module but one.
    """
    with torch.no_grad():
        blank = model.fc.weight.new_zeros((1, 3, height, width))
        return model.features(blank, model.architecture.slim_modules - 1)


def from_features(
    model: SlimNet, features: Tensor, blank: Tensor | None = None, attributes: Sequence[int] | None = None
) -> Contributions:
    """Divide logits among the places of crops, starting from features already computed.

    Args:
        model: the network, in eval mode.
        features: float32 (N, channels, h, w), the output of its last Slim module but one.
        blank: from `blank_features`, for fine maps, which take some 2 ms per attribute and crop; None for coarse ones.
        attributes: indices of the attributes to map; None for all.

    Returns:
        The maps and the bias of these attributes, in order.
    """
    wanted = list(range(model.fc.out_features) if attributes is None else attributes)
    weight, bias = model.fc.weight.detach()[wanted], model.fc.bias.detach()[wanted]
    # Gradients are needed here, even if the caller has turned them off.
    with torch.inference_mode(mode=False), torch.set_grad_enabled(blank is not None):
        before = features.detach().clone().requires_grad_(blank is not None)
        last_map = model.advance(before, model.architecture.slim_modules)
        maps = torch.einsum("nchw,ac->nahw", _winners(model, last_map.detach()), weight)
        if blank is not None:
            maps = _refined(maps, _evidence(before, model.head(last_map)[:, wanted], blank))
        return Contributions(maps, bias)


def cells(model: SlimNet, refine: bool = False) -> Cells:
    """Compute where the cells of a network's maps lie in crops of its own size.

    Args:
        model: the network.
        refine: as for `contributions`.

    Returns:
        The edges of the cells, halfway between the centres of their convolutions and poolings.
    """
    _, size, stride = model.architecture.initial_conv
    start, step = size / 2, stride  # of the first cell's centre, and from cell to cell, in pixels
    poolings = model.architecture.slim_modules - refine
    for _ in range(max(1, poolings)):
        start, step = start + step, 2 * step
    sides = []
    for pixels in (model.preprocessing.height, model.preprocessing.width):
        count = (pixels - size) // stride + 1
        for _ in range(max(1, poolings)):
            count = (count - 3) // 2 + 1
        centres = [start + step * number for number in range(count)]
        sides.append((0.0, *((one + other) / 2 for one, other in pairwise(centres)), float(pixels)))
    return Cells(*sides)


def _evidence(before: Tensor, logits: Tensor, blank: Tensor) -> Tensor:
    """Multiply each logit's gradient by the features' difference from a blank crop's: (N, attributes, h, w).

    Of what we tried on training faces (activations alone, HiResCAM; their difference from their own mean; integrated
    gradients from three baselines; products with the coarse map), this lay in the attributes' own regions most often,
    except for comparing with the average face, which no weights' file contains.
    """
    gradients = [torch.autograd.grad(total, before, retain_graph=True)[0] for total in logits.sum(0)]
    difference = before.detach() - blank
    return torch.stack([(gradient * difference).sum(1) for gradient in gradients], dim=1)


def _refined(coarse: Tensor, evidence: Tensor) -> Tensor:
    """Divide what the coarse cells have for and against each attribute, by the finer evidence."""
    return _shared_out(coarse.clamp(min=0), evidence) - _shared_out(-coarse.clamp(max=0), -evidence)


def _shared_out(coarse: Tensor, evidence: Tensor) -> Tensor:
    """Divide the sum of each coarse map, values of at least 0, in proportion to the positive evidence."""
    weights = evidence.clamp(min=0) + LEAST_EVIDENCE
    return weights / weights.sum((2, 3), keepdim=True) * coarse.sum((2, 3), keepdim=True)


def _winners(model: SlimNet, last_map: Tensor) -> Tensor:
    """Compute each value's share in the average of the last map: 0 unless it wins a pooling; same shape."""
    pooled, indices = F.max_pool2d(last_map, model.pool.kernel_size, model.pool.stride, return_indices=True)
    share = pooled.flatten(2) / (pooled.shape[2] * pooled.shape[3])
    shares = torch.zeros_like(last_map).flatten(2)  # a cell may win several poolings, since they overlap
    return shares.scatter_add_(2, indices.flatten(2), share).unflatten(2, last_map.shape[2:])
