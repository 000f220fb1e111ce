"""The changes of training.data.augment in torch, for a whole batch at once and on any device.

Each picture has its own draw. Except for rounding, results are OpenCV's: on average within one grey level of 255.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from training.data.augment import Changes

_GREY = (0.299, 0.587, 0.114)  # of red, green and blue, as OpenCV weighs them


def augment(crops: Tensor, changes: Changes, height: int, width: int) -> Tensor:
    """Change a batch of crops.

    Args:
        crops: uint8 RGB (n, H, W, 3).
        changes: Changes of the n crops.
        height: Height of the output in pixels.
        width: Width of the output in pixels.

    Returns:
        uint8 RGB (n, height, width, 3), on the crops' device.
    """
    full = crops.shape[1:3]
    x = crops.movedim(-1, 1).to(torch.float32, memory_format=torch.contiguous_format)
    sizes = changes.softened(full)
    softened = np.flatnonzero((sizes != full).any(axis=-1))
    if len(softened):
        places = send(softened, x.device)
        x[places] = _shrink(x[places], send(sizes[softened], x.device)).round_()
    sources = _sources(changes.matrices(sizes, height, width), full, height, width)
    grid = F.affine_grid(send(sources, x.device), [len(x), 3, height, width], align_corners=True)
    # Borders are replicated by the grid's limits: torch's own padding mode for this is missing on Apple's GPUs.
    x = F.grid_sample(x, grid.clamp_(-1, 1), "bilinear", align_corners=True).round_()
    return _to_pictures(_recolour(x, send(changes.colours.astype(np.float32), x.device)))


def resize(crops: Tensor, height: int, width: int) -> Tensor:
    """Resize a batch of crops by area averaging; returns crops of the right size unchanged.

    Args:
        crops: uint8 RGB (n, H, W, 3).
        height: New height in pixels, at most H.
        width: New width in pixels, at most W.

    Returns:
        uint8 RGB (n, height, width, 3), on the crops' device.
    """
    if crops.shape[1:3] == (height, width):
        return crops
    size = send(np.array([[height, width]]), crops.device)
    return _to_pictures(_shrink(crops.movedim(-1, 1).float(), size)[..., :height, :width])


def send(array: np.ndarray, device: torch.device) -> Tensor:
    """Copy an array to a device without waiting for the device to finish its work.

    Args:
        array: The array.
        device: Where to copy it.
    """
    tensor = torch.from_numpy(array)
    # The copy is asynchronous only from pinned memory.
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor.to(device)


def _to_pictures(x: Tensor) -> Tensor:
    """Round float32 (n, 3, H, W) on the scale 0..255 to uint8 (n, H, W, 3)."""
    return x.add_(0.5).clamp_(0, 255).to(torch.uint8).movedim(1, -1).contiguous()


def _shrink(x: Tensor, sizes: Tensor) -> Tensor:
    """Shrink crops, each to its own size, by area averaging.

    Args:
        x: float32 (n, 3, H, W).
        sizes: int64 (n, 2) or (1, 2): new heights, at most H, and widths, at most W.

    Returns:
        float32 (n, 3, H, W): the new crops at the top left, with their last row and column repeated beyond them.
    """
    rows, columns = (_area_weights(sizes[:, axis], x.shape[2 + axis]) for axis in (0, 1))
    return rows[:, None] @ x @ columns[:, None].mT


def _area_weights(sizes: Tensor, length: int) -> Tensor:
    """Return the weights that average pixels when shrinking a side to each size, float32 (n, length, length).

    From row `size` on, the last row is repeated.
    """
    place = torch.arange(length, device=sizes.device, dtype=torch.float32)
    step = (length / sizes)[:, None, None]
    start = torch.minimum(place, sizes[:, None] - 1)[..., None] * step
    overlap = torch.minimum(start + step, place + 1) - torch.maximum(start, place)
    return overlap.clamp_(min=0).div_(step)


def _sources(matrices: np.ndarray, size: torch.Size, height: int, width: int) -> np.ndarray:
    """Invert affine maps from crop to output, in the units of affine_grid.

    Args:
        matrices: float64 (n, 2, 3), in pixel centres.
        size: Height and width of the crops in memory, in pixels.
        height: Height of the output in pixels.
        width: Width of the output in pixels.

    Returns:
        float32 (n, 2, 3), from output to crop, where -1 and 1 are the centres of the first and last pixel.
    """
    # Pixel = (unit + 1) * reach, unit = pixel / reach - 1, along x and y.
    reach_in, reach_out = (np.array([w - 1, h - 1]) / 2 for h, w in ((size[0], size[1]), (height, width)))
    inverse = np.linalg.inv(matrices[..., :2])
    centre = (inverse @ (reach_out - matrices[..., 2])[..., None])[..., 0]
    linear = inverse * reach_out / reach_in[:, None]
    return np.concatenate([linear, (centre / reach_in - 1)[..., None]], axis=-1).astype(np.float32)


def _recolour(x: Tensor, factors: Tensor) -> Tensor:
    """Change brightness, contrast and saturation in place.

    Args:
        x: float32 (n, 3, H, W) from 0 to 255.
        factors: float32 (n, 3), of brightness, contrast and saturation.

    Returns:
        float32 (n, 3, H, W), not yet clipped.
    """
    brightness, contrast, saturation = (column[:, None, None, None] for column in factors.unbind(1))
    red, green, blue = x.unbind(1)
    grey = (red * _GREY[0]).add_(green, alpha=_GREY[1]).add_(blue, alpha=_GREY[2])[:, None]
    offset = brightness * (1 - contrast) * grey.mean(dim=(2, 3), keepdim=True)
    x = torch.lerp(grey, x, saturation, out=x).clamp_(0, 255)
    return x.mul_(brightness * contrast).add_(offset)
