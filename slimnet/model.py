"""SlimNet (Sharma & Foroosh, Slim-CNN, arXiv 1907.02157): the whole network in one file.

The names of the modules are those of the original implementation's checkpoints, so that its files load as they are.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from reprlib import repr as shortened

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from slimnet import checkpoint
from slimnet.attributes import ATTRIBUTES, check_names
from slimnet.calibration import Calibration
from slimnet.checkpoint import Architecture, CheckpointError
from slimnet.hub import HubMixin
from slimnet.preprocessing import Preprocessing


def pointwise(inputs: int, outputs: int, bias: bool) -> nn.Sequential:
    """1x1 convolution, batch norm, ReLU."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=bias), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


def separable(inputs: int, outputs: int, depth_multiplier: int) -> nn.Sequential:
    """3x3 depthwise, then 1x1 pointwise convolution, each with batch norm and ReLU; height and width are kept."""
    middle = inputs * depth_multiplier
    return nn.Sequential(
        nn.Conv2d(inputs, middle, 3, padding=1, groups=inputs, bias=False),
        nn.BatchNorm2d(middle),
        nn.ReLU(inplace=True),
        nn.Conv2d(middle, outputs, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class SSE(nn.Module):
    """Separable squeeze-expand block: (N, inputs, H, W) -> (N, 8 * filters, H, W) (paper, section 3.2)."""

    def __init__(self, inputs: int, filters: int, depth_multiplier: int) -> None:
        super().__init__()
        self.squeeze = pointwise(inputs, filters, bias=True)
        self.expand1 = pointwise(filters, 4 * filters, bias=True)
        self.expand3_dw = separable(filters, 4 * filters, depth_multiplier)

    def forward(self, x: Tensor) -> Tensor:
        squeezed = self.squeeze(x)  # (N, f, H, W)
        return torch.cat([self.expand3_dw(squeezed), self.expand1(squeezed)], dim=1)  # (N, 4f + 4f, H, W)


class Slim(nn.Module):
    """Slim module: (N, inputs, H, W) -> (N, 3 * filters, H, W) (paper, section 3.3)."""

    def __init__(self, inputs: int, filters: int, depth_multiplier: int) -> None:
        super().__init__()
        self.skip_projection = pointwise(inputs, 8 * filters, bias=False)
        self.sse1 = SSE(inputs, filters, depth_multiplier)
        self.sse2 = SSE(8 * filters, filters, depth_multiplier)
        self.expand3_dw = separable(8 * filters, 3 * filters, depth_multiplier)

    def forward(self, x: Tensor) -> Tensor:
        x = self.sse1(x) + self.skip_projection(x)  # (N, 8f, H, W)
        return self.expand3_dw(self.sse2(x))  # (N, 3f, H, W)


class SlimNet(nn.Module, HubMixin):
    """Face attributes from an aligned crop.

    filter_count_values: f of each Slim module, as many as there are values.
    initial_conv: filters, size and stride of the first convolution.
    num_classes: how many attributes; depth_multiplier: filters per channel in every depthwise convolution.
    attributes: their names, CelebA's for 40 classes unless given; preprocessing: what turns a picture into the input.
    The attribute `calibration` is None until training.calibrate has measured these very weights.

    Raises ValueError when a number is no positive whole one or too large (see slimnet.checkpoint), or when names and
    classes differ in number, or a name is empty or occurs twice.
    """

    def __init__(
        self,
        filter_count_values: Sequence[int] = (16, 32, 48, 64),
        initial_conv: Sequence[int] = (96, 7, 2),
        num_classes: int = 40,
        depth_multiplier: int = 1,
        *,
        attributes: Sequence[str] | None = None,
        preprocessing: Preprocessing | None = None,
    ) -> None:
        super().__init__()
        self.architecture = Architecture(tuple(filter_count_values), tuple(initial_conv), num_classes, depth_multiplier)
        self.attributes = label_names(num_classes, attributes)
        self.preprocessing = preprocessing or Preprocessing()
        self.calibration: Calibration | None = None
        stem_filters, size, stride = self.architecture.initial_conv
        # Its ReLU comes after the pooling, see forward.
        self.conv1 = nn.Sequential(nn.Conv2d(3, stem_filters, size, stride), nn.BatchNorm2d(stem_filters))
        self.pool = nn.MaxPool2d(3, stride=2)
        inputs = stem_filters
        for number, filters in enumerate(self.architecture.filter_count_values, start=1):
            self.add_module(f"slim{number}", Slim(inputs, filters, depth_multiplier))
            inputs = 3 * filters
        self.global_pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(inputs, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Turn normalised crops (N, 3, H, W) into logits (N, num_classes); an attribute is on where its logit is > 0.

        Raises ValueError for another shape, or when a side is under `least_side`.
        """
        if x.ndim != 4 or x.shape[1] != 3 or min(x.shape[2:]) < self.least_side:
            raise ValueError(
                f"expected (N, 3, height, width) with both sides at least {self.least_side}, got {tuple(x.shape)}"
            )
        # ReLU and max-pooling can change places: the same values, with a quarter of the largest map to go through.
        x = F.relu(self.pool(self.conv1(x)))  # (N, 3, 218, 178) -> (N, 96, 106, 86) -> (N, 96, 52, 42)
        for number in range(1, len(self.architecture.filter_count_values) + 1):
            x = self.pool(self.get_submodule(f"slim{number}")(x))  # (N, 3f, 25, 20), (12, 9), (5, 4), (2, 1)
        return self.fc(self.global_pool(x).flatten(1))

    @property
    def least_side(self) -> int:
        """The smallest height or width, in pixels, that leaves one value after the last pooling: 131 by default."""
        _, size, stride = self.architecture.initial_conv
        side = 1
        for _ in range(len(self.architecture.filter_count_values) + 1):
            side = 2 * side + 1  # a 3/2 pooling without padding needs this many to give `side`
        return (side - 1) * stride + size

    @classmethod
    def load_pretrained(cls, path: str | Path) -> SlimNet:
        """Load our .safetensors or a .pth file of the original implementation's form; gives raw logits, decided at 0.

        Raises CheckpointError (a ValueError) when the file is missing, damaged or holds no SlimNet.
        """
        found = checkpoint.read(path)

        def build() -> SlimNet:
            return cls(**asdict(found.architecture), attributes=found.attributes, preprocessing=found.preprocessing)

        try:
            with torch.device("meta"):  # compare before anything is allocated: a foreign file may claim any size
                claimed = build()
            problem = too_small(claimed) or mismatch(claimed.state_dict(), found.state)
        except (RuntimeError, ValueError) as error:  # the first where weights are of a type that torch does not convert
            problem = str(error)
        if problem:
            raise CheckpointError(f"{path} does not hold the SlimNet that it claims to: {problem}")
        model = build()
        model.load_state_dict(found.state)
        model.calibration = found.calibration
        return model

    def save(self, path: str | Path) -> None:
        """Write the weights, atomically: .safetensors, or .pth in the original implementation's form, which has no
        place for attributes, preprocessing and calibration.

        Raises ValueError for another suffix, CheckpointError for a calibration of another number of attributes.
        """
        checkpoint.write(path, self.to_checkpoint())

    def to_checkpoint(self) -> checkpoint.Checkpoint:
        """The weights, on the CPU, with all that describes them.

        Raises CheckpointError for a calibration of another number of attributes.
        """
        state = OrderedDict((name, value.detach().cpu()) for name, value in self.state_dict().items())
        return checkpoint.Checkpoint(self.architecture, state, self.attributes, self.preprocessing, self.calibration)


def label_names(num_classes: int, attributes: Sequence[str] | None) -> tuple[str, ...]:
    """The names of the classes: those given, CelebA's where there are 40, numbered ones elsewhere."""
    if attributes is None:
        return ATTRIBUTES if num_classes == len(ATTRIBUTES) else tuple(f"label_{n}" for n in range(num_classes))
    if len(attributes) != num_classes:
        raise ValueError(f"{len(attributes)} attribute names were given for {num_classes} classes")
    check_names(attributes)
    return tuple(attributes)


def too_small(model: SlimNet) -> str | None:
    """Why the crops that a network says it reads leave nothing for it to answer by, in words, or None."""
    height, width = model.preprocessing.height, model.preprocessing.width
    if min(height, width) >= model.least_side:
        return None
    return f"it needs crops of at least {model.least_side} pixels a side, and names {height}x{width}"


def mismatch(expected: dict[str, Tensor], state: dict[str, Tensor]) -> str | None:
    """What is wrong with a state dict, in words, or None."""
    for kind, names in (("is missing", expected.keys() - state.keys()), ("is unknown", state.keys() - expected.keys())):
        if names:
            return f"{shortened(min(names))} {kind}" + (f" and {len(names) - 1} more" if len(names) > 1 else "")
    for name, tensor in expected.items():
        if state[name].shape != tensor.shape:
            return f"{name} has shape {tuple(state[name].shape)}, expected {tuple(tensor.shape)}"
        if state[name].is_floating_point() != tensor.is_floating_point():
            return f"{name} holds numbers of type {state[name].dtype}, expected {tensor.dtype}"
        values = state[name].to(tensor.dtype)  # a double may be finite and no float
        if not torch.isfinite(values).all():
            return f"{name} holds values that are not finite"
        if name.endswith("running_var") and (values < 0).any():
            return f"{name} holds variances below 0"
    return None
