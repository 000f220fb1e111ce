from itertools import pairwise

import numpy as np
import pytest

from demo.limits import MAX_WINDOWS
from demo.pipeline.mediapipe.windows import (
    MIN_FACE_SHARE,
    MIN_SIDE,
    TILE_LIMITS,
    Window,
    small_sides,
    squares,
    tiles,
    whole,
    with_room,
)

SIZES = [(178, 218), (639, 480), (640, 480), (1280, 960), (1440, 1440), (2047, 1200), (4000, 3000), (8000, 6000)]
LONG = [(1080, 16000), (16000, 1080), (1000, 89_000), (3000, 200)]


def all_windows(width: int, height: int) -> list[Window]:
    windows = whole(width, height)
    for parts in TILE_LIMITS:
        windows += tiles(width, height, parts)
    for side in small_sides(width, height):
        windows += squares(width, height, side)
    return windows


def least_face(width: int, height: int) -> float:
    """The height in pixels of the smallest face that the windows are made for."""
    return MIN_FACE_SHARE * min(max(window[2:]) for window in all_windows(width, height))


@pytest.mark.parametrize(("width", "height"), SIZES + LONG)
def test_every_face_of_some_size_lies_in_a_window_that_shows_it_large_enough(width: int, height: int) -> None:
    windows = np.array(all_windows(width, height))
    left, top, across, down = windows.T
    random = np.random.default_rng(0)
    for size in np.geomspace(1.1 * least_face(width, height), 0.95 * min(width, height), 60):
        x, y = random.uniform(0, (width - size, height - size))
        inside = (left <= x) & (top <= y) & (x + size <= left + across) & (y + size <= top + down)
        assert (inside & (size >= MIN_FACE_SHARE * np.maximum(across, down))).any(), (size, x, y)


@pytest.mark.parametrize(("width", "height"), SIZES + LONG)
def test_windows_are_few_and_inside_the_picture(width: int, height: int) -> None:
    assert sum(len(squares(width, height, side)) for side in small_sides(width, height)) <= MAX_WINDOWS
    for left, top, across, down in all_windows(width, height):
        assert 0 <= left < left + across <= width
        assert 0 <= top < top + down <= height


@pytest.mark.parametrize("shape", [(4, 3), (1, 1), (9, 16), (1, 15)])
def test_the_smallest_face_hardly_changes_with_the_size_of_the_picture(shape: tuple[int, int]) -> None:
    sides = np.geomspace(200, 12_000, 300)
    least = [least_face(*(round(side * part / max(shape)) for part in shape)) for side in sides]
    assert least[0] == pytest.approx(MIN_FACE_SHARE * MIN_SIDE, rel=0.3)
    for (side, smaller), (next_side, larger) in pairwise(zip(sides, least, strict=True)):
        assert larger / next_side <= 1.03 * smaller / side, "as a picture grows, no face of it is lost"
        assert larger <= 1.13 * smaller, "and none has to be much larger to be found"


def test_room_is_left_around_the_picture() -> None:
    assert with_room(60, 40) == [(-30, -20, 120, 80)]
