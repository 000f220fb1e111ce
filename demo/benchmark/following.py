"""What it costs in accuracy that live mode follows a face instead of finding it in every frame.

Each of CelebA's validation pictures becomes a short film in which head and camera move, up to the picture itself. The
attributes at the end of the film are compared with those of the last frame on its own.
"""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from demo.benchmark.alignment import most_central, validation_pictures
from demo.pipeline.analyse import Pipeline
from demo.pipeline.result import Analysis

# Short enough to end just before the landmarks are refreshed.
_FRAMES = 6
_FRAMES_PER_SECOND = 30
# The most that changes from one frame to the next: pixels of a face about 80 wide, degrees, a share of the size.
_SHIFT, _TURN, _GROWTH = 8.0, 2.0, 0.02


def report_following(data_dir: Path, images: int, weights: Path, device: str) -> None:
    """Print the accuracy of faces that were found in the last frame, and of the same faces followed.

    Args:
        data_dir: CelebA in Kaggle's CSV layout.
        images: how many validation pictures, at most.
        weights: SlimNet's weights.
        device: "auto", "cpu", "cuda" or "mps".
    """
    pipeline = Pipeline.load(weights, device)
    crops, labels = validation_pictures(data_dir, images, pipeline.attributes)
    random = np.random.default_rng(0)
    found, followed, lost = [], [], 0
    for crop, label in zip(tqdm(crops, leave=False), labels, strict=True):
        stream = pipeline.stream()
        for number, frame in enumerate(_film(crop, random)):
            last = stream.analyse(frame, number / _FRAMES_PER_SECOND)
        alone = pipeline.analyse(frame, thorough=False)
        if alone.faces and last.faces:
            found.append(_right(alone, frame, label))
            followed.append(_right(last, frame, label))
        lost += bool(alone.faces) and not last.faces
    print(f"{len(found)} of {len(crops)} films of {_FRAMES} frames; {lost} faces were lost")
    accuracies = [100 * float(np.mean(values)) if values else 0.0 for values in (found, followed)]
    loss = accuracies[0] - accuracies[1]
    print("found in each frame {:.2f} %, followed {:.2f} %, loss {:.2f}".format(*accuracies, loss))


def _right(analysis: Analysis, frame: np.ndarray, label: np.ndarray) -> float:
    """Share of the attributes that are right for the most central face; label: bool (attributes,)."""
    return float(np.mean((most_central(analysis.faces, frame).probabilities > 0.5) == label))


def _film(crop: np.ndarray, random: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield frames that move evenly towards the picture itself, with room around it."""
    picture = cv2.copyMakeBorder(crop, 60, 60, 80, 80, cv2.BORDER_REPLICATE)
    height, width = picture.shape[:2]
    across, down = random.uniform(-_SHIFT, _SHIFT, 2)
    turn, growth = random.uniform(-_TURN, _TURN), random.uniform(-_GROWTH, _GROWTH)
    for left in reversed(range(_FRAMES)):
        matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), left * turn, 1 + left * growth)
        matrix[:, 2] += left * across, left * down
        yield cv2.warpAffine(picture, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
