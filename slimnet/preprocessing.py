"""How a picture becomes the network's input. Weights files contain it, so that training and serving can't differ."""

from dataclasses import dataclass
from functools import lru_cache
from reprlib import repr as shortened

import numpy as np
import torch
from PIL import Image

from slimnet.colour.srgb import profile_of, to_srgb

MAX_SIDE_PIXELS = 1024  # of a crop; CelebA's are 178 wide and 218 high
STD_RANGE = (1e-3, 1e3)  # 1/255 for a network that reads 0..255; no honest one is outside


@dataclass(frozen=True)
class Preprocessing:
    """RGB, scaled to [0, 1], then (x - mean) / std. Nothing is resized: a crop of another size is aligned differently.

    Attributes:
        height: of the crop in pixels, 1 to MAX_SIDE_PIXELS.
        width: of the crop in pixels, in the same range.
        mean: of red, green and blue, 0 to 1.
        std: of red, green and blue on the same scale, within STD_RANGE.

    Raises:
        ValueError: a value is out of its range.
    """

    height: int = 218
    width: int = 178
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)

    def __post_init__(self) -> None:
        for name in ("mean", "std"):  # from JSON they come as lists
            object.__setattr__(self, name, tuple(getattr(self, name)))
        for name, side in (("height", self.height), ("width", self.width)):
            if type(side) is not int or not 1 <= side <= MAX_SIDE_PIXELS:
                raise ValueError(f"{name} takes whole numbers from 1 to {MAX_SIDE_PIXELS}, got {shortened(side)}")
        for name, values, (low, high) in (("mean", self.mean, (0, 1)), ("std", self.std, STD_RANGE)):
            numbers = all(isinstance(value, int | float) and low <= value <= high for value in values)  # NaN fails too
            if len(values) != 3 or not numbers:
                raise ValueError(f"{name} takes 3 numbers from {low:g} to {high:g}, got {shortened(values)}")

    def __call__(self, image: Image.Image) -> torch.Tensor:
        """Turn a picture into the network's input.

        Args:
            image: aligned crop of exactly height and width, in any mode with up to 8 bits a channel, or grey with 16.
                Its colours are converted to sRGB, and transparent parts become white.

        Returns:
            float32 (3, height, width), normalised.

        Raises:
            ValueError: the picture has another size, or a mode (I, F) that does not say which value is white.
        """
        if image.size != (self.width, self.height):
            raise ValueError(
                f"the picture is {image.width} wide and {image.height} high; the network reads aligned crops "
                f"{self.width} wide and {self.height} high"
            )
        crop = torch.from_numpy(np.array(_to_rgb(image)))  # np.array copies, since a tensor must own writable memory
        return self.normalise(crop)

    def normalise(self, crops: torch.Tensor) -> torch.Tensor:
        """Normalise crops in the layout of a picture.

        Args:
            crops: uint8 RGB (..., height, width, 3), on any device.

        Returns:
            float32 (..., 3, height, width) on the same device; a batch is channels_last in memory.

        Raises:
            ValueError: the crops have another type, so that their scale is not known.
        """
        if crops.dtype != torch.uint8:
            raise ValueError(f"expected uint8 crops, from 0 to 255, got {crops.dtype}")
        # Imported here: it takes as long as torch's import, and Predictor, which folds all of this, never needs it.
        from torchvision.transforms.v2 import functional as F

        # On the scale 0..255, whose whole numbers are exact in float32, rather than with to_dtype(scale=True).
        mean, std = (_on_device(values, crops.device) for values in (self.mean, self.std))
        # A permuted (N, H, W, 3) array is already channels_last, so only the conversion copies.
        return F.normalize(crops.movedim(-1, -3).float(), mean, std, inplace=True)


@lru_cache(maxsize=16)
def _on_device(values: tuple[float, ...], device: torch.device) -> torch.Tensor:
    """Put a mean or deviation on a device, on the scale 0..255; cached, since a GPU must be idle for it."""
    with torch.inference_mode(mode=False):
        return 255 * torch.tensor(values, dtype=torch.float32, device=device)


def _to_rgb(image: Image.Image) -> Image.Image:
    """Convert to sRGB, mode RGB, on white; raises ValueError for modes I and F."""
    if image.mode in ("I", "F"):
        raise ValueError(
            f"mode {image.mode} does not say which value is white; scale its values to 0..255 and "
            "convert to 8 bits, as with Image.fromarray(values.astype(numpy.uint8))"
        )
    profile = profile_of(image)
    if image.mode.startswith("I;16"):  # Pillow would clip instead of scale
        image = Image.fromarray((np.asarray(image) / 257).round().astype(np.uint8))
    image = to_srgb(image, profile)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")


# The default, which every SlimNet trained here uses: [-1, 1] for CelebA's aligned crops.
transform = Preprocessing()
