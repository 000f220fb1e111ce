"""How much accuracy it costs that live mode follows a face instead of finding it in every frame.

Each of CelebA's validation pictures becomes a short film, in which head and camera move and which ends with the picture
itself. The attributes at the end of the film are compared with those of the last frame on its own.
"""

import math
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from demo.benchmark.alignment import most_central
from demo.benchmark.validation import ValidationPictures, validation_pictures
from demo.pipeline.analyse import CropPredictor, Pipeline
from demo.pipeline.follow import landmark_interval

# Frames a second of one camera, and how many other frames wait meanwhile at a server that handles 100 a second.
_PACES = ((30, 0), (10, 8), (3, 31))
# How far head and camera move to either side at most: pixels, for a face about 80 wide; degrees; a share of the size;
# pixels by which the nose moves against the face. And how often, in swings a second.
_SHIFT, _TURN, _GROWTH, _NOSE_SHIFT = 40.0, 10.0, 0.1, 5.0
_SWINGS_PER_SECOND = (0.3, 1.0)
_NOSE_REACH = 30.0  # pixels around the middle of the picture that move with the nose


def report_following(data_dir: Path, images: int, weights: Path, device: str) -> None:
    """Print the accuracy on faces found in the last frame, and on the same faces followed, at each pace.

    Args:
        data_dir: CelebA in Kaggle's CSV layout.
        images: how many validation pictures, at most.
        weights: SlimNet's weights.
        device: "auto", "cpu", "cuda" or "mps".
    """
    pipeline = Pipeline.load(weights, device)
    pictures = validation_pictures(data_dir, images, pipeline.attributes)
    for rate, waiting in _PACES:
        _report_pace(pipeline, pictures, rate, waiting)


def _report_pace(pipeline: Pipeline[CropPredictor], pictures: ValidationPictures, rate: int, waiting: int) -> None:
    """Measure films of `rate` frames a second, while `waiting` other frames wait, and print a line about them."""
    # From the second frame, whose landmarks are the first that can be followed, to just before they are found again.
    frames = math.ceil(landmark_interval(waiting) * rate) + 1
    random = np.random.default_rng(0)
    found, followed, lost = [], [], 0
    for row, crop in enumerate(tqdm(pictures.crops, leave=False)):
        stream = pipeline.stream()
        for number, frame in enumerate(_film(crop, frames, rate, random)):
            last = stream.analyse(frame, number / rate, waiting)
        alone = pipeline.analyse_camera_frame(frame)
        if alone.faces and last.faces:
            found.append(pictures.right(row, most_central(alone.faces, frame).probabilities))
            followed.append(pictures.right(row, most_central(last.faces, frame).probabilities))
        lost += bool(alone.faces) and not last.faces
    films = f"{len(found)} of {len(pictures.crops)} films of {frames} frames, {lost} faces lost"
    print(f"{rate} frames a second, {waiting} others waiting: {films}")
    accuracies = [100 * float(np.mean(values)) if values else 0.0 for values in (found, followed)]
    loss = accuracies[0] - accuracies[1]
    error = 100 * float(np.std(np.subtract(found, followed))) / math.sqrt(len(found)) if found else 0.0
    figures = "  found in each frame {:.2f} %, followed {:.2f} %, loss {:.2f} (standard error {:.2f})"
    print(figures.format(*accuracies, loss, error), flush=True)


def _film(crop: np.ndarray, frames: int, rate: int, random: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield frames in which head and camera swing; the last is the picture itself, with room around it."""
    picture = cv2.copyMakeBorder(crop, 60, 60, 80, 80, cv2.BORDER_REPLICATE)
    height, width = picture.shape[:2]
    middle = (width - 1) / 2, (height - 1) / 2
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    bump = np.exp(-((columns - middle[0]) ** 2 + (rows - middle[1]) ** 2) / (2 * _NOSE_REACH**2))
    speeds = 2 * np.pi * random.uniform(*_SWINGS_PER_SECOND, 5)
    phases = random.uniform(0, 2 * np.pi, 5)
    for left in reversed(range(frames)):
        swing = (np.sin(phases + speeds * left / rate) - np.sin(phases)) / 2
        across, down, turn, growth, nose = swing * (_SHIFT, _SHIFT, _TURN, _GROWTH, _NOSE_SHIFT)
        shifted = columns - np.float32(nose) * bump
        turned = cv2.remap(picture, shifted, rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        matrix = cv2.getRotationMatrix2D(middle, turn, 1 + growth)
        matrix[:, 2] += across, down
        yield cv2.warpAffine(turned, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
