"""The numbers that SlimNet is built from, and their bounds."""

from dataclasses import dataclass
from reprlib import repr as shortened

from slimnet.preprocessing import MAX_SIDE_PIXELS

# Limits, so that a stranger's file can't make us build or allocate without end; training has the same.
MAX_SLIM_MODULES = 8  # each halves the map, and 9 would need crops of 2,047 pixels; the paper has 4
MAX_FILTERS = 4096  # in the first convolution and each Slim module; the paper has 16 to 96
MAX_CLASSES = 65_536
MAX_DEPTH_MULTIPLIER = 64


@dataclass(frozen=True)
class Architecture:
    """SlimNet's hyper-parameters, named as in the original's checkpoints.

    Attributes:
        filter_count_values: f of each Slim module, 1 to MAX_FILTERS; there are 1 to MAX_SLIM_MODULES of them.
        initial_conv: filters (1 to MAX_FILTERS), size and stride (1 to MAX_SIDE_PIXELS) of the first convolution.
        num_classes: number of attributes, 1 to MAX_CLASSES.
        depth_multiplier: filters per channel in every depthwise convolution, 1 to MAX_DEPTH_MULTIPLIER.

    Raises:
        ValueError: a number is not an int, or out of its bounds.
    """

    filter_count_values: tuple[int, ...]
    initial_conv: tuple[int, ...]
    num_classes: int
    depth_multiplier: int

    def __post_init__(self) -> None:
        if len(self.initial_conv) != 3:
            raise ValueError(f"initial_conv must be (filters, size, stride), got {shortened(self.initial_conv)}")
        if not 1 <= self.slim_modules <= MAX_SLIM_MODULES:
            raise ValueError(
                f"filter_count_values must be of 1 to {MAX_SLIM_MODULES} Slim modules, got {self.slim_modules}"
            )
        filters, size, stride = self.initial_conv
        bounds = (
            ("filter_count_values", self.filter_count_values, MAX_FILTERS),
            ("initial_conv's filters", (filters,), MAX_FILTERS),
            ("initial_conv's size and stride", (size, stride), MAX_SIDE_PIXELS),
            ("num_classes", (self.num_classes,), MAX_CLASSES),
            ("depth_multiplier", (self.depth_multiplier,), MAX_DEPTH_MULTIPLIER),
        )
        for name, values, most in bounds:
            for value in values:
                if type(value) is not int or not 1 <= value <= most:
                    raise ValueError(f"{name} takes whole numbers from 1 to {most}, got {shortened(value)}")

    @property
    def slim_modules(self) -> int:
        """Number of Slim modules."""
        return len(self.filter_count_values)
