"""SlimNet (Sharma & Foroosh, Slim-CNN, arXiv 1907.02157): the whole network in one file.

Modules are named as in the original implementation's checkpoints, so its files load as they are.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from reprlib import repr as shortened
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from slimnet.architecture import Architecture
from slimnet.attributes import label_names
from slimnet.calibration import Calibration
from slimnet.files import checkpoint
from slimnet.files.checkpoint import Checkpoint, CheckpointError
from slimnet.preprocessing import Preprocessing

if TYPE_CHECKING:
    from huggingface_hub import ModelCard


def _pointwise(inputs: int, outputs: int, bias: bool) -> nn.Sequential:
    """1x1 convolution, batch norm, ReLU: (N, inputs, H, W) -> (N, outputs, H, W)."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=bias), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


def _separable(inputs: int, outputs: int, depth_multiplier: int) -> nn.Sequential:
    """3x3 depthwise, then 1x1 pointwise convolution, each with batch norm and ReLU; keeps height and width."""
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
    """Separable squeeze-expand block (paper, section 3.2).

    Args:
        inputs: channels of the input.
        filters: f, channels after the squeeze.
        depth_multiplier: filters per channel in the depthwise convolution.
    """

    def __init__(self, inputs: int, filters: int, depth_multiplier: int) -> None:
        super().__init__()
        self.squeeze = _pointwise(inputs, filters, bias=True)
        self.expand1 = _pointwise(filters, 4 * filters, bias=True)
        self.expand3_dw = _separable(filters, 4 * filters, depth_multiplier)

    def forward(self, x: Tensor) -> Tensor:
        """Squeeze, then expand in two ways.

        Args:
            x: (N, inputs, H, W).

        Returns:
            (N, 8 * filters, H, W).
        """
        squeezed = self.squeeze(x)  # (N, f, H, W)
        return torch.cat([self.expand3_dw(squeezed), self.expand1(squeezed)], dim=1)  # (N, 4f + 4f, H, W)


class Slim(nn.Module):
    """Slim module (paper, section 3.3).

    Args:
        inputs: channels of the input.
        filters: f of both SSE blocks.
        depth_multiplier: filters per channel in every depthwise convolution.
    """

    def __init__(self, inputs: int, filters: int, depth_multiplier: int) -> None:
        super().__init__()
        self.skip_projection = _pointwise(inputs, 8 * filters, bias=False)
        self.sse1 = SSE(inputs, filters, depth_multiplier)
        self.sse2 = SSE(8 * filters, filters, depth_multiplier)
        self.expand3_dw = _separable(8 * filters, 3 * filters, depth_multiplier)

    def forward(self, x: Tensor) -> Tensor:
        """Apply both SSE blocks, the first beside a projection of its input.

        Args:
            x: (N, inputs, H, W).

        Returns:
            (N, 3 * filters, H, W).
        """
        x = self.sse1(x) + self.skip_projection(x)  # (N, 8f, H, W)
        return self.expand3_dw(self.sse2(x))  # (N, 3f, H, W)


class SlimNet(nn.Module):
    """Face attributes from an aligned crop.

    Args:
        filter_count_values: f of each Slim module; there are as many modules as values.
        initial_conv: filters, size and stride of the first convolution.
        num_classes: number of attributes.
        depth_multiplier: filters per channel in every depthwise convolution.
        attributes: names of the attributes; None for CelebA's if there are 40, else label_0, label_1, ….
        preprocessing: what turns a picture into the input; None for Preprocessing().

    Attributes:
        architecture: the first four arguments, checked.
        attributes: names of the outputs, in order.
        preprocessing: what turns a picture into the input.
        calibration: temperatures and reliability; None until training.calibrate has measured these weights.
        provenance: how the weights were made, as training.train describes it; None if unknown.

    Raises:
        ValueError: a number is out of its bounds (slimnet.architecture), there are more or fewer names than classes,
            or a name can't be shown or is repeated (slimnet.attributes.label_names).
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
        self.provenance: dict[str, Any] | None = None
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
        """Compute logits.

        Args:
            x: normalised crops, float32 (N, 3, height, width), both sides at least `least_side`.

        Returns:
            (N, num_classes); an attribute is on if its logit is above 0.

        Raises:
            ValueError: x has another shape, or a side is too short.
        """
        return self.head(self.features(x, self.architecture.slim_modules))

    def features(self, x: Tensor, modules: int) -> Tensor:
        """Compute the output of a Slim module, before the pooling after it.

        Args:
            x: normalised crops, float32 (N, 3, height, width), both sides at least `least_side`.
            modules: how many Slim modules to apply; with 0, it is the first convolution's output, pooled.

        Returns:
            (N, channels, h, w).

        Raises:
            ValueError: x has another shape, or a side is too short.
        """
        if x.ndim != 4 or x.shape[1] != 3 or min(x.shape[2:]) < self.least_side:
            raise ValueError(
                f"expected (N, 3, height, width) with both sides at least {self.least_side}, got {tuple(x.shape)}"
            )
        # ReLU and max-pooling commute: this order gives the same values with a quarter of the largest map.
        x = F.relu(self.pool(self.conv1(x)))  # (N, 3, 218, 178) -> (N, 96, 106, 86) -> (N, 96, 52, 42)
        for number in range(1, modules + 1):
            x = self.advance(x, number)  # (N, 3f, 52, 42), (25, 20), (12, 9), (5, 4)
        return x

    def advance(self, x: Tensor, number: int) -> Tensor:
        """Apply a Slim module to the previous one's output, after the pooling between them.

        Args:
            x: (N, channels, h, w), from `features` for the previous module.
            number: of the module, from 1.

        Returns:
            (N, 3 * filters, h, w) with the module's filters; pooling has halved its sides unless it is the first.
        """
        return self.get_submodule(f"slim{number}")(self.pool(x) if number > 1 else x)

    def head(self, x: Tensor) -> Tensor:
        """Compute logits from the output of the last Slim module.

        Args:
            x: (N, channels, h, w), before the pooling.

        Returns:
            (N, num_classes).
        """
        return self.fc(self.global_pool(self.pool(x)).flatten(1))  # (N, 192, 5, 4) -> (N, 192, 2, 1) -> (N, 192)

    @property
    def least_side(self) -> int:
        """The smallest height and width, in pixels, that leave one value after the last pooling: 131 by default."""
        _, size, stride = self.architecture.initial_conv
        side = 1
        for _ in range(self.architecture.slim_modules + 1):
            side = 2 * side + 1  # 3x3 pooling of stride 2 without padding needs this many to give `side`
        return (side - 1) * stride + size

    @classmethod
    def load_pretrained(cls, path: str | Path) -> "SlimNet":
        """Load a weights file.

        Args:
            path: our .safetensors, or a .pth file in the original implementation's format.

        Returns:
            The network, on the CPU and in training mode.

        Raises:
            CheckpointError: the file is missing, damaged or not a SlimNet; it is a ValueError.
        """
        return cls._from_checkpoint(checkpoint.read(path), path)

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | Path, **download: Any) -> "SlimNet":
        """Load a network from the Hugging Face hub, or from a folder written by save_pretrained.

        Args:
            pretrained_model_name_or_path: USER/NAME on the hub, or the folder.
            **download: revision, cache_dir, force_download, local_files_only and token of hf_hub_download.

        Returns:
            The network, on the CPU and in eval mode.

        Raises:
            CheckpointError: the files there are damaged or not a SlimNet, or there is neither such a folder nor a
                repository that could have such a name.
            OSError: the download failed; huggingface_hub's errors are of this kind.
            TypeError: there is no such option.
        """
        from slimnet.files.hub import HubRepository  # imported here, since the network itself needs no huggingface_hub

        found = HubRepository.from_pretrained(pretrained_model_name_or_path, **download).checkpoint
        return cls._from_checkpoint(found, pretrained_model_name_or_path).eval()

    @classmethod
    @torch.inference_mode(mode=False)  # weights made in inference mode could not be used for fine maps later
    def _from_checkpoint(cls, found: Checkpoint, source: str | Path) -> "SlimNet":
        """Build the network of a checkpoint; a CheckpointError names its source."""

        def build() -> SlimNet:
            return cls(**asdict(found.architecture), attributes=found.attributes, preprocessing=found.preprocessing)

        try:
            with torch.device("meta"):  # compares before allocating anything: a stranger's file may claim any size
                claimed = build()
            problem = _too_small(claimed) or _mismatch(claimed.state_dict(), found.state)
        except (RuntimeError, ValueError) as error:  # RuntimeError: torch cannot convert the type
            problem = str(error)
        if problem:
            raise CheckpointError(f"{source} does not hold the SlimNet that it claims to: {problem}")
        with torch.device("cpu"):  # whatever the caller's default is
            model = build().float()
        model.load_state_dict(found.state)
        model.calibration = found.calibration
        model.provenance = found.provenance
        return model

    def save(self, path: str | Path) -> None:
        """Write the weights atomically.

        Args:
            path: .safetensors; or .pth for the original implementation's format, which has no place for attributes,
                preprocessing and calibration.

        Raises:
            ValueError: the path has another suffix.
            CheckpointError: as for to_checkpoint.
            OSError: the file cannot be written.
        """
        checkpoint.write(path, self.to_checkpoint())

    def save_pretrained(self, save_directory: str | Path, **options: Any) -> str | None:
        """Write a folder laid out as a repository on the Hugging Face hub.

        Args:
            save_directory: the folder; it is created if it does not exist.
            **options: for huggingface_hub.ModelHubMixin.save_pretrained.

        Returns:
            The address of the commit if an option asks to push the folder, else None.

        Raises:
            CheckpointError: as for to_checkpoint.
            OSError: a file cannot be written, or the upload failed.
        """
        from slimnet.files.hub import HubRepository

        return HubRepository.of(self.to_checkpoint()).save_pretrained(save_directory, **options)

    def push_to_hub(self, repo_id: str, **options: Any) -> str:
        """Upload the network to the Hugging Face hub, with a model card unless somebody has changed the one there.

        Args:
            repo_id: USER/NAME of the repository; it is created if it does not exist.
            **options: private, token, commit_message and others for huggingface_hub.ModelHubMixin.push_to_hub.

        Returns:
            The address of the commit.

        Raises:
            CheckpointError: as for to_checkpoint.
            OSError: the upload failed; huggingface_hub's errors are of this kind.
        """
        from slimnet.files.hub import HubRepository

        return HubRepository.of(self.to_checkpoint()).push_to_hub(repo_id, **options)

    def generate_model_card(self) -> "ModelCard":
        """Write the model card of a repository on the Hugging Face hub.

        Returns:
            The card, with its metadata.
        """
        from slimnet.files.hub import HubRepository

        return HubRepository.of(self.to_checkpoint()).generate_model_card()

    def to_checkpoint(self) -> Checkpoint:
        """Return the weights with everything that describes them.

        Returns:
            A checkpoint on the CPU; it shares memory with a network on the CPU.

        Raises:
            CheckpointError: the checkpoint could not be loaded again, because a weight is not finite, the crops are too
                small for the network, or the attributes or the calibration are for another number of outputs.
        """
        state = OrderedDict((name, value.detach().cpu()) for name, value in self.state_dict().items())
        problem = _too_small(self) or _mismatch(state, state)
        try:
            label_names(self.architecture.num_classes, self.attributes)
        except ValueError as error:
            problem = str(error)
        if problem:
            raise CheckpointError(f"this SlimNet cannot be saved, since nobody could load it: {problem}")
        return Checkpoint(
            self.architecture, state, self.attributes, self.preprocessing, self.calibration, self.provenance
        )


def _too_small(model: SlimNet) -> str | None:
    """Say why the network's own crop size is too small for it; None if it isn't."""
    height, width = model.preprocessing.height, model.preprocessing.width
    if min(height, width) >= model.least_side:
        return None
    return f"it needs crops of at least {model.least_side} pixels a side, but its preprocessing gives {height}x{width}"


def _mismatch(expected: dict[str, Tensor], state: dict[str, Tensor]) -> str | None:
    """Say what is wrong with a state dict; None if nothing is."""
    for kind, names in (("is missing", expected.keys() - state.keys()), ("is unknown", state.keys() - expected.keys())):
        if names:
            return f"{shortened(min(names))} {kind}" + (f" and {len(names) - 1} more" if len(names) > 1 else "")
    for name, tensor in expected.items():
        if state[name].shape != tensor.shape:
            return f"{name} has shape {tuple(state[name].shape)}, expected {tuple(tensor.shape)}"
        if state[name].is_floating_point() != tensor.is_floating_point():
            return f"{name} holds numbers of type {state[name].dtype}, expected {tensor.dtype}"
        values = state[name].to(tensor.dtype)  # a finite double may overflow to an infinite float
        if not torch.isfinite(values).all():
            return f"{name} holds values that are not finite"
        if name.endswith("running_var") and (values < 0).any():
            return f"{name} holds variances below 0"
    return None
