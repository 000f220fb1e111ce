"""SlimNet: CelebA's 40 face attributes from a network of 0.57 million parameters."""

from slimnet.attributes import ATTRIBUTES, GROUPS
from slimnet.calibration import Calibration, Reliability
from slimnet.checkpoint import CheckpointError
from slimnet.device import choose_device
from slimnet.model import SlimNet
from slimnet.predictor import Predictor
from slimnet.preprocessing import Preprocessing, transform

__all__ = [
    "ATTRIBUTES",
    "GROUPS",
    "Calibration",
    "CheckpointError",
    "Predictor",
    "Preprocessing",
    "Reliability",
    "SlimNet",
    "choose_device",
    "transform",
]
