"""Cut a face out of a frame as CelebA's aligned pictures show it."""

import cv2
import numpy as np

from demo.pipeline.face import Face, PointKind

HEIGHT, WIDTH = 218, 178

# Up to this scale sampling skips no visible detail, and shrinking by area would only blur.
_MAX_SAMPLED_SCALE = 1.3

# Where the eye on the image's left, the eye on its right and the middle of the mouth lie in CelebA's crops, as
# pixel-centre coordinates (x, y); fitted on 4,469 of its training pictures, for each way in which points are found.
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
    region, matrix = _region(frame, placement(face))
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if scale > _MAX_SAMPLED_SCALE:
        # Sampling would skip pixels; shrink by area first so that each one counts.
        height, width = region.shape[:2]
        size = max(1, round(width / scale)), max(1, round(height / scale))
        shrink = np.array([size[0] / width, size[1] / height])
        region = cv2.resize(region, size, interpolation=cv2.INTER_AREA)
        matrix = matrix * shrink[:, None]
        matrix[:, 2] += (shrink - 1) / 2  # pixel centres, not corners, are at whole coordinates
    # Bicubic, because the network sees sharpness: bilinear sampling cost half a point of accuracy, bicubic none.
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(region, matrix, (WIDTH, HEIGHT), flags=flags, borderMode=cv2.BORDER_REPLICATE)


def placement(face: Face) -> np.ndarray:
    """Where the crop of a face lies in its frame.

    Args:
        face: a face found in a frame.

    Returns:
        (2, 3) float64: pixel-centre coordinates (x, y, 1) of the crop -> those of the frame.
    """
    return similarity(TARGETS[face.kind], face.points)


def similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The similarity transform (rotation, scale, translation) with the least squared error.

    Args:
        source: (points, 2), not all equal.
        target: (points, 2), where the source's points are to go.

    Returns:
        (2, 3) float64 matrix for column vectors (x, y, 1).
    """
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    # As complex numbers a rotation with scale is one factor, so this is linear regression with one coefficient.
    a = (source - source_mean) @ (1, 1j)
    b = (target - target_mean) @ (1, 1j)
    factor = np.vdot(a, b) / np.vdot(a, a).real
    rotation = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.column_stack([rotation, target_mean - rotation @ source_mean])


def _region(frame: np.ndarray, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The part of the frame in the crop, with the matrix moved to it, so that large frames cost no more."""
    corners = matrix @ np.array([[0, WIDTH, 0, WIDTH], [0, 0, HEIGHT, HEIGHT], [1, 1, 1, 1]])
    limits = np.array([[frame.shape[1]], [frame.shape[0]]])
    margin = 2 + 2 * float(np.hypot(matrix[0, 0], matrix[1, 0]))
    low = np.clip(np.floor(corners.min(axis=1, keepdims=True) - margin), 0, limits - 1).astype(int)
    high = np.clip(np.ceil(corners.max(axis=1, keepdims=True) + margin), low + 1, limits).astype(int)
    moved = matrix.copy()
    moved[:, 2:] -= low
    return frame[low[1, 0] : high[1, 0], low[0, 0] : high[0, 0]], moved
