"""How a picture becomes the network's input. Weights carry theirs, so that training and serving cannot differ."""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image


@dataclass(frozen=True)
class Preprocessing:
    """RGB, scaled to [0, 1], then (x - mean) / std; never resized, since a crop of another size is aligned otherwise.

    height, width: of the crop in pixels. mean, std: per RGB channel, on the scale [0, 1].
    """

    height: int = 218
    width: int = 178
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)

    def __call__(self, image: Image.Image) -> torch.Tensor:
        """Turn a picture of any mode, grey ones of 16 bits included, into float32 (3, height, width).

        Raises ValueError when the picture has another size.
        """
        if image.size != (self.width, self.height):
            raise ValueError(
                f"the picture is {image.width} wide and {image.height} high; the network reads aligned crops "
                f"{self.width} wide and {self.height} high"
            )
        if image.mode.startswith("I"):  # 16 bits, which Pillow would clip rather than scale
            image = Image.fromarray((np.asarray(image).clip(0, 65535) / 257).round().astype(np.uint8))
        crop = torch.from_numpy(np.array(image.convert("RGB")))  # np.array copies: a tensor must own writable memory
        return self.normalise(crop.unsqueeze(0)).squeeze(0)

    def normalise(self, crops: torch.Tensor) -> torch.Tensor:
        """Turn uint8 RGB (N, H, W, 3) into float32 (N, 3, H, W), in channels_last memory, on the same device."""
        mean = torch.tensor(self.mean, device=crops.device) * 255
        std = torch.tensor(self.std, device=crops.device) * 255
        # A permuted (N, H, W, 3) array already is channels_last: nothing is copied here.
        return crops.float().sub_(mean).div_(std).permute(0, 3, 1, 2)


transform = Preprocessing()
