"""MobileNet (Howard et al. 2017, "MobileNets", arXiv 1704.04861), a teacher for SlimNet: larger, and of another kind.

Convolutions are padded like TensorFlow's SAME, since the pre-trained weights come from there.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.nn import functional as F

from slimnet import Calibration, CheckpointError, Preprocessing
from slimnet.attributes import label_names
from slimnet.files.atomic import replacement
from slimnet.files.checkpoint import save_tensors, weights_fingerprint

_EPSILON = 1e-3  # Keras's for batch norm
_METADATA = "mobilenet"  # key in a weights file


@dataclass(frozen=True)
class MobileNetArchitecture:
    """What a MobileNet is built from.

    Args:
        stem_filters: Filters of the first convolution.
        blocks: Filters and stride of each depthwise-separable convolution.
        num_classes: Number of attributes.
    """

    stem_filters: int
    blocks: tuple[tuple[int, int], ...]
    num_classes: int


class _SamePadding(nn.Module):
    """Zeros around a map, so that a 3x3 convolution of stride 2 halves its sides, rounded up.

    Like TensorFlow's SAME, it pads a side of even length only at its end, while torch's padding of 1 would move the
    whole grid by a pixel.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Pad a map.

        Args:
            x: (N, channels, height, width).

        Returns:
            (N, channels, height + 1 or 2, width + 1 or 2).
        """
        height, width = x.shape[2:]
        return F.pad(x, (width % 2, 1, height % 2, 1))


def _convolution(inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Convolution, batch norm, ReLU6: (N, inputs, H, W) -> (N, outputs, H / stride, W / stride), rounded up."""
    padding: list[nn.Module] = [_SamePadding()] if stride > 1 else []
    return nn.Sequential(
        *padding,
        nn.Conv2d(inputs, outputs, size, stride, 0 if padding else size // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs, _EPSILON),
        nn.ReLU6(inplace=True),
    )


class MobileNet(nn.Module):
    """Face attributes from an aligned crop, with what training needs of a network.

    Args:
        architecture: Widths, strides and number of outputs.
        attributes: Names of the outputs.
        preprocessing: What turns a picture into the input.

    Attributes:
        architecture: As given.
        attributes: As given.
        preprocessing: As given.
        calibration: Always None: a teacher has none.
        provenance: How the weights were made, as training.train describes it; None if that is not known.

    Raises:
        ValueError: There are more or fewer names than outputs, or a name cannot be shown or is repeated.
    """

    least_side = 1  # pixels: padded convolutions read crops of any size

    def __init__(
        self, architecture: MobileNetArchitecture, attributes: Sequence[str], preprocessing: Preprocessing
    ) -> None:
        super().__init__()
        self.architecture = architecture
        self.attributes = label_names(architecture.num_classes, attributes)
        self.preprocessing = preprocessing
        self.calibration: Calibration | None = None
        self.provenance: dict[str, Any] | None = None
        inputs = architecture.stem_filters
        self.stem = _convolution(3, inputs, 3, stride=2)
        self.blocks = nn.Sequential()
        for filters, stride in architecture.blocks:
            depthwise = _convolution(inputs, inputs, 3, stride, groups=inputs)
            self.blocks.append(nn.Sequential(depthwise, _convolution(inputs, filters, 1)))
            inputs = filters
        self.fc = nn.Linear(inputs, architecture.num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Compute logits.

        Args:
            x: Normalised crops, float32 (N, 3, height, width).

        Returns:
            (N, attributes); an attribute is on if its logit is above 0.
        """
        return self.fc(self.features(x))

    def features(self, x: Tensor) -> Tensor:
        """Compute the features, of which the outputs are linear functions.

        Args:
            x: Normalised crops, float32 (N, 3, height, width).

        Returns:
            (N, filters of the last block): the means over each map.
        """
        return self.blocks(self.stem(x)).mean((2, 3))

    def save(self, path: str | Path) -> None:
        """Write the weights atomically.

        Args:
            path: Their file, .safetensors.

        Raises:
            OSError: The file cannot be written.
        """
        described = {
            "architecture": asdict(self.architecture),
            "attributes": self.attributes,
            "preprocessing": asdict(self.preprocessing),
            "provenance": self.provenance,
            "sha256": weights_fingerprint(self.state_dict()),
        }
        with replacement(path) as part:
            save_tensors(part, self.state_dict(), {_METADATA: json.dumps(described)})

    @classmethod
    def load(cls, path: str | Path) -> "MobileNet":
        """Load weights from `save`.

        Args:
            path: Their file.

        Returns:
            The network, on the CPU and in training mode.

        Raises:
            CheckpointError: The file is missing, damaged or not a MobileNet.
        """
        try:
            with safe_open(path, framework="pt") as file:
                described = json.loads(file.metadata()[_METADATA])
                state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
            shape = described["architecture"]
            architecture = MobileNetArchitecture(
                shape["stem_filters"], tuple(map(tuple, shape["blocks"])), shape["num_classes"]
            )
            sides: dict[str, Any] = {
                name: tuple(value) if isinstance(value, list) else value
                for name, value in described["preprocessing"].items()
            }
            preprocessing = Preprocessing(**sides)
            network = cls(architecture, described["attributes"], preprocessing)
            written = described.get("sha256")  # older files lack it
            if written is not None and written != weights_fingerprint(state):
                raise ValueError("damaged: its weights do not match their checksum")
            if not all(torch.isfinite(values).all() for values in state.values()):
                raise ValueError("it holds values that are not finite")
            network.load_state_dict(state)
            network.provenance = described["provenance"]
        except Exception as error:
            raise CheckpointError(f"{path} cannot be read as MobileNet's weights ({error})") from error
        return network


def holds_mobilenet(path: str | Path) -> bool:
    """Whether a file says that it holds a MobileNet's weights; False if it cannot be read.

    Args:
        path: File of weights.
    """
    try:
        with safe_open(path, framework="pt") as file:
            return _METADATA in (file.metadata() or {})
    except (OSError, SafetensorError):
        return False
