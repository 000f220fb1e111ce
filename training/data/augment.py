"""Random changes to a training crop, like those of cameras and of imperfect alignment.

It uses OpenCV rather than torchvision.transforms.v2: on a CPU core, v2's ColorJitter is clearly slower, and so is
training as a whole.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache

import cv2
import numpy as np

DRAWS = 10  # random numbers for a picture
_BLOCK = 1024  # places in an epoch whose numbers are drawn together


@dataclass(frozen=True)
class Augmentation:
    """Uniform ranges of the changes; turns, scales and shifts cover the errors of alignment on loose photos.

    Args:
        flip: Probability of mirroring, from 0 to 1; no CelebA attribute depends on it.
        turn: Largest rotation either way in degrees, from 0 to 180.
        scale: Largest change of size as a fraction, from 0 to 0.9.
        shift: Largest shift as a fraction of the crop's sides, from 0 to 1.
        brightness: Largest change of brightness as a fraction, from 0 to 1.
        contrast: Largest change of contrast as a fraction, from 0 to 1.
        saturation: Largest change of saturation as a fraction, from 0 to 1.
        soften: Probability of shrinking the crop first, from 0 to 1, to lose detail, as small faces and alignment do.
            Weights trained without it lost 0.7 points on pictures of half the size.
        softest: Smallest factor by which softening shrinks the sides, from 0.1 to 1; factors range from this to 1.

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
            if not low <= value <= high:  # nan fails too
                raise ValueError(f"the augmentation's {name} goes from {low} to {high}, got {value}")

    @classmethod
    def with_changes(cls, changes: Sequence[str]) -> "Augmentation":
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

    def changes(self, draws: np.ndarray) -> "Changes":
        """Turn random numbers into changes.

        Args:
            draws: float64 (..., DRAWS) from 0 to below 1, a row for each picture.

        Returns:
            The changes, for as many pictures as there are rows.
        """
        signed = 2 * draws[..., :7] - 1
        return Changes(
            angle=np.deg2rad(self.turn * signed[..., 0]),
            scale=1 + self.scale * signed[..., 1],
            shift=self.shift * signed[..., 2:4],
            colours=1 + np.array([self.brightness, self.contrast, self.saturation]) * signed[..., 4:7],
            mirror=np.where(draws[..., 7] < self.flip, -1.0, 1.0),
            detail=np.where(draws[..., 8] < self.soften, self.softest + (1 - self.softest) * draws[..., 9], 1.0),
        )

    def __call__(self, crop: np.ndarray, draws: np.ndarray, height: int, width: int) -> np.ndarray:
        """Change a crop at random.

        Args:
            crop: uint8 RGB (H, W, 3).
            draws: float64 (DRAWS,) from 0 to below 1: the random numbers.
            height: Height of the output in pixels.
            width: Width of the output in pixels.

        Returns:
            uint8 RGB (height, width, 3).
        """
        changes = self.changes(draws)
        # Softening shrinks the crop; the transform below brings it back to size.
        crop = resize(crop, *changes.softened(crop.shape[:2]).tolist())
        matrix = changes.matrices(np.array(crop.shape[:2]), height, width)
        # Borders are replicated, as in CelebA's own crops and in the demo's.
        changed = cv2.warpAffine(crop, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return _recolour(changed, changes.colours)


@dataclass(frozen=True)
class Changes:
    """Changes for one picture, or for several, when each array has leading axes.

    Args:
        angle: float64 (...), rotation in radians.
        scale: float64 (...), factor of the size.
        shift: float64 (..., 2), shift in x and y as a fraction of the crop's sides.
        colours: float64 (..., 3), factors of brightness, contrast and saturation.
        mirror: float64 (...), -1 if the picture is mirrored, else 1.
        detail: float64 (...), factor by which softening shrinks the sides; 1 if it does not.
    """

    angle: np.ndarray
    scale: np.ndarray
    shift: np.ndarray
    colours: np.ndarray
    mirror: np.ndarray
    detail: np.ndarray

    def softened(self, size: tuple[int, ...]) -> np.ndarray:
        """Return the sizes to which softening shrinks crops.

        Args:
            size: Height and width of the crops in pixels.

        Returns:
            int64 (..., 2), heights and widths in pixels.
        """
        return np.rint(self.detail[..., None] * np.array(size)).astype(np.int64)

    def matrices(self, sizes: np.ndarray, height: int, width: int) -> np.ndarray:
        """Return the affine maps from crop to output: about the centre, and scaled to the output's size.

        Args:
            sizes: (..., 2), height and width of each crop in pixels, after softening.
            height: Height of the output in pixels.
            width: Width of the output in pixels.

        Returns:
            float64 (..., 2, 3), in pixel centres, as for cv2.warpAffine.
        """
        sides, output = sizes[..., ::-1], np.array([width, height])
        factor = self.scale[..., None] * output / sides
        turn = np.stack([np.cos(self.angle), -np.sin(self.angle), np.sin(self.angle), np.cos(self.angle)], axis=-1)
        linear = factor[..., None] * turn.reshape(*self.angle.shape, 2, 2)
        linear[..., 0] *= self.mirror[..., None]
        centre = (output - 1) / 2 + self.shift * output
        moved = centre - (linear @ ((sides - 1) / 2)[..., None])[..., 0]
        return np.concatenate([linear, moved[..., None]], axis=-1)


def draws_at(seed: int, epoch: int, place: int) -> np.ndarray:
    """Return the random numbers for the picture at a place in an epoch: the same in every process and on every device.

    Args:
        seed: The run's seed.
        epoch: Number of the epoch, from 0.
        place: Place in the epoch's order, from 0.

    Returns:
        float64 (DRAWS,) from 0 to below 1.
    """
    return _draw_block(seed, epoch, place // _BLOCK)[place % _BLOCK]


@lru_cache(maxsize=4)
def _draw_block(seed: int, epoch: int, block: int) -> np.ndarray:
    """Draw for many places at once, float64 (_BLOCK, DRAWS): a generator for each would take 20 microseconds."""
    return np.random.default_rng((seed, epoch, 1 + block)).random((_BLOCK, DRAWS))


def _recolour(crop: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Change brightness, contrast and saturation, by (3,) factors, of a uint8 RGB crop (H, W, 3)."""
    brightness, contrast, saturation = factors.tolist()
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    if saturation != 1:
        crop = cv2.addWeighted(crop, saturation, cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), 1 - saturation, 0)
    # Brightness scales and contrast stretches about the mean: together a straight line, so one look-up.
    offset = brightness * (1 - contrast) * float(grey.mean())
    table = np.clip(np.arange(256) * brightness * contrast + offset + 0.5, 0, 255).astype(np.uint8)
    return cv2.LUT(crop, table)


def resize(crop: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize a crop by area averaging; returns a crop of the right size unchanged.

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
