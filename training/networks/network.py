"""The kinds of networks that can be trained, and can teach."""

from pathlib import Path
from typing import TypeAlias

from slimnet import SlimNet
from training.networks.mobilenet import MobileNet, holds_mobilenet

Network: TypeAlias = SlimNet | MobileNet


def load_network(path: str | Path) -> Network:
    """Load weights of either kind.

    Args:
        path: .safetensors of SlimNet or MobileNet, or SlimNet's .pth.

    Returns:
        The network named in the file, on the CPU and in training mode.

    Raises:
        CheckpointError: The file is missing, damaged or holds neither.
    """
    return MobileNet.load(path) if holds_mobilenet(path) else SlimNet.load_pretrained(path)
