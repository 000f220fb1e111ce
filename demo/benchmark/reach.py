"""How small a face may be and still be found: example portraits at several sizes, in frames of several sizes."""

from dataclasses import dataclass

import cv2
import numpy as np
from tqdm import tqdm

from demo.paths import EXAMPLES
from demo.pictures.decode import open_picture
from demo.pipeline.detect import FaceFinder

FRAMES = ((640, 480), (1280, 960), (2048, 2048), (4000, 3000), (8000, 6000), (1080, 16_000), (16_000, 1080))
HEIGHTS = (16, 20, 24, 28, 32, 40, 50, 60, 80, 100)
_ROUNDS = 2
# Portraits in each frame, across and down.
_COLUMNS, _ROWS = 3, 2


@dataclass(frozen=True, eq=False)
class Portrait:
    """A square cutout, twice as tall as the face in its centre.

    Attributes:
        picture: (side, side, 3), uint8, RGB.
        height: of the face, in pixels.
    """

    picture: np.ndarray
    height: float


def report_reach() -> None:
    """Print the face finder's recall, by face height and frame size."""
    finder = FaceFinder()
    portraits = example_portraits(finder)
    print("faces found in per cent, by height of the face in pixels")
    print(f"{'frame':>12}" + "".join(f"{height:>5}" for height in HEIGHTS))
    for width, height in FRAMES:
        shares = [found_share(finder, portraits, (width, height), face) for face in tqdm(HEIGHTS, leave=False)]
        print(f"{f'{width}x{height}':>12}" + "".join(f"{100 * share:>5.0f}" for share in shares), flush=True)


def example_portraits(finder: FaceFinder) -> list[Portrait]:
    """Cut out the faces of the example pictures.

    Args:
        finder: finds them.

    Returns:
        A portrait for each face.
    """
    portraits = []
    for path in sorted(EXAMPLES.glob("*.jpg")):
        picture = open_picture(path)
        for face in finder.find_in_photo(picture):
            x, y, width, height = face.box
            centre = (x + width / 2 - 0.5, y + height / 2 - 0.5)
            side = round(2 * height)
            portraits.append(Portrait(cv2.getRectSubPix(picture, (side, side), centre), height))
    return portraits


def found_share(finder: FaceFinder, portraits: list[Portrait], frame: tuple[int, int], height: int) -> float:
    """Measure the recall for faces of one height, in grey frames.

    A face counts as found if the centre of a box is within 0.3 times its height of its own centre.

    Args:
        finder: the face finder to measure.
        portraits: the faces to put into the frames.
        frame: width and height of the frames, in pixels.
        height: of each face, in pixels.

    Returns:
        The share of faces found, 0 to 1.
    """
    random = np.random.default_rng(0)
    found = 0
    for number in range(_ROUNDS):
        picture = np.full((frame[1], frame[0], 3), 128, np.uint8)
        centres = []
        for cell in range(_COLUMNS * _ROWS):
            portrait = portraits[(cell + number) % len(portraits)]
            side = round(portrait.picture.shape[0] * height / portrait.height)
            small = cv2.resize(portrait.picture, (side, side), interpolation=cv2.INTER_AREA)
            size = np.array([frame[0] // _COLUMNS, frame[1] // _ROWS])
            x, y = size * (cell % _COLUMNS, cell // _COLUMNS) + random.integers(0, size - side + 1)
            picture[y : y + side, x : x + side] = small
            centres.append((x + side / 2, y + side / 2))
        boxes = np.array([face.box for face in finder.find_in_photo(picture)]).reshape(-1, 4)
        middles = boxes[:, :2] + boxes[:, 2:] / 2
        found += sum(bool((np.linalg.norm(middles - centre, axis=1) < 0.3 * height).any()) for centre in centres)
    return found / (_ROUNDS * _COLUMNS * _ROWS)
