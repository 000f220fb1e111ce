"""Facts that need no clock: the network's size and work, and the machine that the rest was measured on."""

import os
import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from slimnet import SlimNet


@dataclass(frozen=True)
class NetworkFacts:
    """The network's size and work.

    Attributes:
        parameters: Number of trainable parameters.
        file_bytes: Size of the weights' file.
        multiply_adds: For one crop, in the convolutions and the linear layer.
    """

    parameters: int
    file_bytes: int
    multiply_adds: int


def network_facts(weights: Path) -> NetworkFacts:
    """Measure a network's size, and count its multiply-adds for one crop.

    Args:
        weights: The weights' file.

    Returns:
        The figures.

    Raises:
        CheckpointError: The weights cannot be read.
    """
    model = SlimNet.load_pretrained(weights).eval()
    crop = torch.zeros(1, 3, model.preprocessing.height, model.preprocessing.width)
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        model(crop)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return NetworkFacts(parameters, weights.stat().st_size, counter.get_total_flops() // 2)


def machine(device: torch.device) -> dict[str, str]:
    """Describe the machine: processor, cores that this process may use, GPU, system and the engines' versions.

    Args:
        device: The device to compute on; its name is added if it is a CUDA GPU.

    Returns:
        The descriptions by their headings, such as "processor"; "not installed" for missing packages.
    """
    found = {
        "processor": f"{_processor()}, {cores()} cores, {torch.backends.cpu.get_cpu_capability()}",
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
    }
    if device.type == "cuda":
        found["GPU"] = torch.cuda.get_device_name(device)
    return found | {package: _installed(package) for package in ("torch", "onnxruntime", "openvino")}


def _installed(package: str) -> str:
    """Version of a package."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    """Model name of the processor."""
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        for line in listing.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def cores() -> int:
    """Return the number of cores that this process may use; all of them if the system doesn't say."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
