"""SlimNet: CelebA's 40 face attributes from a network of 0.57 million parameters."""

import importlib
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import slimnet.telemetry  # noqa: F401  # before anything else is imported

if TYPE_CHECKING:
    from slimnet.attributes import ATTRIBUTES, GROUPS
    from slimnet.calibration import Calibration, OperatingPoint, Reliability, Sure
    from slimnet.decisions import decide
    from slimnet.device import choose_device
    from slimnet.explain import Contributions, contributions
    from slimnet.files.checkpoint import CheckpointError
    from slimnet.model import SlimNet
    from slimnet.predictor import Predictor
    from slimnet.preprocessing import Preprocessing, transform

__all__ = [
    "ATTRIBUTES",
    "GROUPS",
    "Calibration",
    "CheckpointError",
    "Contributions",
    "OperatingPoint",
    "Predictor",
    "Preprocessing",
    "Reliability",
    "SlimNet",
    "Sure",
    "choose_device",
    "contributions",
    "decide",
    "transform",
]

# Imported on first use: torch takes seconds, and not every program needs it.
_MODULES = {
    "ATTRIBUTES": "attributes",
    "GROUPS": "attributes",
    "Calibration": "calibration",
    "CheckpointError": "files.checkpoint",
    "Contributions": "explain",
    "OperatingPoint": "calibration",
    "Predictor": "predictor",
    "Preprocessing": "preprocessing",
    "Reliability": "calibration",
    "SlimNet": "model",
    "Sure": "calibration",
    "choose_device": "device",
    "contributions": "explain",
    "decide": "decisions",
    "transform": "preprocessing",
}

if not TYPE_CHECKING:  # to a type checker, a module with __getattr__ has every name

    def __getattr__(name: str) -> Any:
        if name in _MODULES:
            found = getattr(importlib.import_module(f"slimnet.{_MODULES[name]}"), name)
        elif not name.startswith("_") and find_spec(f"slimnet.{name}"):
            found = importlib.import_module(f"slimnet.{name}")
        else:
            raise AttributeError(f"module 'slimnet' has no attribute {name!r}")
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    """List all public names, even those not imported yet."""
    return sorted({*globals(), *__all__})
