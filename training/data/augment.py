"""Random changes to a training crop: those of a camera, and the errors that alignment makes.

In OpenCV rather than torchvision.transforms.v2: with v2's ColorJitter a picture takes 1.4 ms instead of 0.5 on a CPU
core, and training 6.6 % longer (recipe `best` in bfloat16, its step measured at 9.7 ms and 17.2 ms a picture).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace

import cv2
import numpy as np


@dataclass(frozen=True)
class Augmentation:
    """Uniform ranges of the changes; turns, scales and shifts cover what alignment on loose photos gets wrong.

    Args:
        flip: Probability of mirroring, from 0 to 1; no CelebA attribute depends on it.
        turn: Largest rotation either way in degrees, from 0 to 180.
        scale: Largest change of size as a fraction, from 0 to 0.9.
        shift: Largest shift as a fraction of the crop's sides, from 0 to 1.
        brightness: Largest change of brightness as a fraction, from 0 to 1.
        contrast: Largest change of contrast as a fraction, from 0 to 1.
        saturation: Largest change of saturation as a fraction, from 0 to 1.
        soften: Probability of losing detail, as small faces and alignment do, by shrinking the crop first, from 0 to 1.
            Weights trained without it lost 0.7 points on pictures of half the size.
        softest: Smallest factor by which softening shrinks the sides, from 0.1 to 1; factors go from here to 1.

    Raises:
        ValueError: A value is out of its range.
    """

    flip: float = 0.5
    turn: float = 6.0
    scale: float = 0.08
    shift: float = 0.04
    brightness: float = 0.2
    contrast: float = 0.2
    saturation: float = 0.2
    soften: float = 0.3
    softest: float = 0.45

    def __post_init__(self) -> None:
        limits = {"turn": (0, 180), "softest": (0.1, 1), "scale": (0, 0.9)}
        for name, value in asdict(self).items():
            low, high = limits.get(name, (0, 1))
            if not low <= value <= high:  # nor is nan
                raise ValueError(f"the augmentation's {name} goes from {low} to {high}, got {value}")

    @classmethod
    def with_changes(cls, changes: Sequence[str]) -> Augmentation:
        """Make the default augmentation with some values changed.

        Args:
            changes: Each as name=number, such as turn=9.

        Raises:
            ValueError: A change is not in this form, names no field, or its value is out of range.
        """
        names = [item.name for item in fields(cls)]
        found = {}
        for change in changes:
            name, _, value = change.partition("=")
            try:
                if name not in names:
                    raise ValueError
                found[name] = float(value)
            except ValueError:
                raise ValueError(
                    f"{change!r} is not a change of the augmentation: name=number, of {', '.join(names)}"
                ) from None
        return replace(cls(), **found)

    def __call__(self, crop: np.ndarray, rng: np.random.Generator, height: int, width: int) -> np.ndarray:
        """Change a crop at random.

        Args:
            crop: uint8 RGB (H, W, 3).
            rng: Source of the random draws.
            height: Height of the output in pixels.
            width: Width of the output in pixels.

        Returns:
            uint8 RGB (height, width, 3).
        """
        draws = rng.uniform(-1, 1, 7)
        mirrored, softened, share = rng.random() < self.flip, rng.random() < self.soften, rng.uniform(self.softest, 1)
        if softened:  # the change below brings it back to size
            crop = resize(crop, round(crop.shape[0] * share), round(crop.shape[1] * share))
        matrix = self.matrix(crop.shape, draws[:4], mirrored, height, width)
        # Borders are replicated, as in CelebA's own crops and in those that the demo aligns.
        changed = cv2.warpAffine(crop, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return self.recolour(changed, draws[4:])

    def matrix(self, shape: tuple[int, ...], draws: np.ndarray, mirrored: bool, height: int, width: int) -> np.ndarray:
        """Return the affine map from crop to output: about the centre, and scaled to the output's size.

        Args:
            shape: Shape of the crop, height and width first.
            draws: (4,), from -1 to 1: for the turn, the scale, and the shift in x and y.
            mirrored: Whether to mirror the crop.
            height: Height of the output in pixels.
            width: Width of the output in pixels.

        Returns:
            float64 (2, 3), as cv2.warpAffine takes it.
        """
        angle = np.deg2rad(self.turn * draws[0])
        factor = (1 + self.scale * draws[1]) * np.array([width / shape[1], height / shape[0]])
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        linear = factor[:, None] * turn * np.array([-1.0 if mirrored else 1.0, 1.0])
        centre_in = (np.array([shape[1], shape[0]]) - 1) / 2
        centre_out = (np.array([width, height]) - 1) / 2 + self.shift * draws[2:4] * np.array([width, height])
        return np.column_stack([linear, centre_out - linear @ centre_in])

    def recolour(self, crop: np.ndarray, draws: np.ndarray) -> np.ndarray:
        """Change brightness, contrast and saturation of a crop.

        Args:
            crop: uint8 RGB (H, W, 3).
            draws: (3,), from -1 to 1: for brightness, contrast and saturation.

        Returns:
            uint8 RGB (H, W, 3).
        """
        brightness, contrast, saturation = 1 + np.array([self.brightness, self.contrast, self.saturation]) * draws
        grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
        if self.saturation:
            crop = cv2.addWeighted(crop, saturation, cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), 1 - saturation, 0)
        # Brightness scales and contrast stretches about the mean: together one straight line, so one look-up.
        offset = brightness * (1 - contrast) * float(grey.mean())
        table = np.clip(np.arange(256) * brightness * contrast + offset + 0.5, 0, 255).astype(np.uint8)
        return cv2.LUT(crop, table)


def resize(crop: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize a crop by area averaging; a crop of the right size is returned as it is.

    Args:
        crop: uint8 RGB (H, W, 3).
        height: New height in pixels.
        width: New width in pixels.

    Returns:
        uint8 RGB (height, width, 3).
    """
    if crop.shape[:2] == (height, width):
        return crop
    return cv2.resize(crop, (width, height), interpolation=cv2.INTER_AREA)
