"""Cut a face out of a frame the way CelebA's pictures are aligned."""

import cv2
import numpy as np

from demo.pipeline.face import Face, PointKind

HEIGHT, WIDTH = 218, 178

# Fractions of a scale: up to the first, sampling blocks whose side is the whole number skips no visible detail; from
# there to the second, the next larger blocks take over. Of all choices that keep crops as sharp, this one cost no
# accuracy on validation faces.
_LAST_FINER, _FIRST_COARSER = 0.3, 0.7
_MARGIN = 3  # pixels that bicubic sampling reaches beyond a crop, at most

# Where the eye on the image's left, the eye on its right and the middle of the mouth lie in CelebA's crops, as
# pixel-centre coordinates (x, y); fitted on 4,469 of its training pictures, for each way of finding points.
TARGETS: dict[PointKind, np.ndarray] = {
    "landmarks": np.array([[69.16, 111.22], [107.61, 111.30], [88.26, 152.12]]),
    "keypoints": np.array([[69.18, 112.79], [107.95, 112.93], [88.21, 156.21]]),
}


def align(frame: np.ndarray, face: Face) -> np.ndarray:
    """Cut out one face, turned and scaled so that eyes and mouth lie where CelebA has them.

    Args:
        frame: (height, width, 3), uint8, RGB.
        face: a face found in this frame.

    Returns:
        (218, 178, 3), uint8, RGB. Outside the frame its border is repeated, as in CelebA.
    """
    matrix = placement(face)
    side, share = _blocks(float(np.hypot(matrix[0, 0], matrix[1, 0])))
    crop = _sampled(frame, matrix, side)
    if not share:
        return crop
    return cv2.addWeighted(crop, 1 - share, _sampled(frame, matrix, side + 1), share, 0)


def placement(face: Face) -> np.ndarray:
    """Compute where the crop of a face lies in its frame.

    Args:
        face: a face found in a frame.

    Returns:
        (2, 3) float64: pixel-centre coordinates (x, y, 1) of the crop -> those of the frame.
    """
    return similarity(TARGETS[face.kind], face.points)


def similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The similarity transform (rotation, scale, translation) with the least squared error.

    Args:
        source: (points, 2), not all the same.
        target: (points, 2), where the source's points should go.

    Returns:
        (2, 3) float64 matrix for column vectors (x, y, 1).
    """
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    # In complex numbers, rotating and scaling is one factor, so this is linear regression with one coefficient.
    a = (source - source_mean) @ (1, 1j)
    b = (target - target_mean) @ (1, 1j)
    factor = np.vdot(a, b) / np.vdot(a, a).real
    rotation = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.column_stack([rotation, target_mean - rotation @ source_mean])


def _blocks(scale: float) -> tuple[int, float]:
    """How much to shrink a frame by area before sampling a crop, so that sampling skips no pixel.

    It mixes two whole numbers instead of rounding to one, so that a face that hardly moves has nearly the same crop.

    Args:
        scale: pixels of the frame per pixel of the crop.

    Returns:
        The side in pixels of the blocks to average, and the share, 0 to 1, of blocks one pixel larger.
    """
    side = max(1, int(scale))
    share = (scale - side - _LAST_FINER) / (_FIRST_COARSER - _LAST_FINER)
    return (side, max(0.0, share)) if share < 1 else (side + 1, 0.0)


def _sampled(frame: np.ndarray, matrix: np.ndarray, side: int) -> np.ndarray:
    """Sample a crop from the means of square blocks of a frame, which begin at its top left wherever the face is.

    Args:
        frame: (height, width, 3), uint8, RGB; what is left over at the right and bottom counts as outside.
        matrix: from `placement`.
        side: of a block, in pixels.

    Returns:
        (218, 178, 3), uint8, RGB.
    """
    side = min(side, *frame.shape[:2])
    matrix = matrix / side
    matrix[:, 2] += (1 / side - 1) / 2  # pixel centres, not corners, are at whole coordinates
    left, top, right, bottom = _region(matrix, frame.shape[1] // side, frame.shape[0] // side)
    region = frame[side * top : side * bottom, side * left : side * right]
    if side > 1:
        region = cv2.resize(region, (right - left, bottom - top), interpolation=cv2.INTER_AREA)
    matrix[:, 2] -= left, top
    # Bicubic, because the network sees sharpness: bilinear sampling cost half a point of accuracy, bicubic none.
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(region, matrix, (WIDTH, HEIGHT), flags=flags, borderMode=cv2.BORDER_REPLICATE)


def _region(matrix: np.ndarray, width: int, height: int) -> tuple[int, int, int, int]:
    """The part of an image that a crop shows: left, top, right and bottom edge. With it, large images cost no more."""
    corners = matrix @ np.array([[0, WIDTH, 0, WIDTH], [0, 0, HEIGHT, HEIGHT], [1, 1, 1, 1]])
    limits = np.array([width, height])
    low = np.clip(np.floor(corners.min(axis=1) - _MARGIN), 0, limits - 1).astype(int)
    high = np.clip(np.ceil(corners.max(axis=1) + _MARGIN), low + 1, limits).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])
