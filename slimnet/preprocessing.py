"""How a picture becomes the network's input. Weights carry theirs, so that training and serving cannot differ."""

from dataclasses import dataclass
from reprlib import repr as shortened

import numpy as np
import torch
from PIL import Image

from slimnet.colour import profile_of, to_srgb

MAX_SIDE_PIXELS = 1024  # of a crop; CelebA's are 178 wide and 218 high
STD_RANGE = (1e-3, 1e3)  # from a network that reads 0..255, whose std is 1/255, to none that is honest


@dataclass(frozen=True)
class Preprocessing:
    """RGB, scaled to [0, 1], then (x - mean) / std; never resized, since a crop of another size is aligned otherwise.

    height, width: of the crop in pixels, up to MAX_SIDE_PIXELS. mean, std: per RGB channel, on the scale [0, 1]; a std
    is in STD_RANGE.

    Raises ValueError for other values, with which a network would have no answer.
    """

    height: int = 218
    width: int = 178
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)

    def __post_init__(self) -> None:
        for name, side in (("height", self.height), ("width", self.width)):
            if type(side) is not int or not 1 <= side <= MAX_SIDE_PIXELS:
                raise ValueError(f"{name} takes whole numbers from 1 to {MAX_SIDE_PIXELS}, got {shortened(side)}")
        for name, values, (low, high) in (("mean", self.mean, (0, 1)), ("std", self.std, STD_RANGE)):
            numbers = all(isinstance(value, int | float) and low <= value <= high for value in values)  # NaN is not
            if len(values) != 3 or not numbers:
                raise ValueError(f"{name} takes 3 numbers from {low:g} to {high:g}, got {shortened(values)}")

    def __call__(self, image: Image.Image) -> torch.Tensor:
        """Turn a picture into float32 (3, height, width): of any mode with 8 bits or less, or grey with 16.

        Transparent parts become white, and colours of another profile those of sRGB. Raises ValueError when the
        picture has another size, or a mode (I, F) that does not tell which value is white.
        """
        if image.size != (self.width, self.height):
            raise ValueError(
                f"the picture is {image.width} wide and {image.height} high; the network reads aligned crops "
                f"{self.width} wide and {self.height} high"
            )
        crop = torch.from_numpy(np.array(_to_rgb(image)))  # np.array copies: a tensor must own writable memory
        return self.normalise(crop.unsqueeze(0)).squeeze(0)

    def normalise(self, crops: torch.Tensor) -> torch.Tensor:
        """Turn uint8 RGB (N, H, W, 3) into float32 (N, 3, H, W), in channels_last memory, on the same device."""
        mean = torch.tensor(self.mean, device=crops.device) * 255
        std = torch.tensor(self.std, device=crops.device) * 255
        # A permuted (N, H, W, 3) array already is channels_last: nothing is copied here.
        return crops.float().sub_(mean).div_(std).permute(0, 3, 1, 2)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("I", "F"):
        raise ValueError(
            f"a picture of mode {image.mode} does not tell which of its values is white; scale them to 0..255 and "
            "make it one of 8 bits, as by Image.fromarray(values.astype(numpy.uint8))"
        )
    profile = profile_of(image)
    if image.mode.startswith("I;16"):  # Pillow would clip rather than scale
        image = Image.fromarray((np.asarray(image) / 257).round().astype(np.uint8))
    image = to_srgb(image, profile)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")


transform = Preprocessing()
