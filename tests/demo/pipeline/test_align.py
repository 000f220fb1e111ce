import math

import cv2
import numpy as np
import pytest

from demo.pictures.decode import open_picture
from demo.pipeline.align import TARGETS, align, similarity
from demo.pipeline.detect import FaceFinder
from demo.pipeline.face import Face, PointKind
from tests.paths import PORTRAIT


def transform(points: np.ndarray, turn: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    cos, sin = scale * np.cos(np.radians(turn)), scale * np.sin(np.radians(turn))
    return (points @ np.array([[cos, sin], [-sin, cos]]) + shift).astype(np.float32)


def face_at(points: np.ndarray, kind: PointKind = "landmarks") -> Face:
    return Face((0, 0, 1, 1), points, kind)


def brightest(picture: np.ndarray, channel: int) -> np.ndarray:
    """The centre (x, y) of the bright area in one channel."""
    weights = picture[..., channel].astype(float)
    rows, columns = np.indices(weights.shape)
    return np.array([(columns * weights).sum(), (rows * weights).sum()]) / weights.sum()


@pytest.mark.parametrize("kind", ["landmarks", "keypoints"])
@pytest.mark.parametrize(("turn", "scale"), [(0, 1), (30, 0.5), (-75, 1.3), (180, 2.7), (12, 6)])
def test_known_points_land_on_the_targets(kind: PointKind, turn: float, scale: float) -> None:
    shift = 900 - 100 * scale, 800 - 110 * scale
    points = transform(TARGETS[kind], turn, scale, shift)
    frame = np.zeros((1700, 1800, 3), np.uint8)
    for channel, (x, y) in enumerate(points):
        dot = np.zeros(frame.shape[:2], np.uint8)
        cv2.circle(dot, (round(x * 16), round(y * 16)), round(5 * scale * 16), 255, -1, cv2.LINE_AA, 4)
        frame[..., channel] = dot
    crop = align(frame, face_at(points, kind))
    assert (crop.shape, crop.dtype) == ((218, 178, 3), np.uint8)
    for channel, target in enumerate(TARGETS[kind]):
        assert np.abs(brightest(crop, channel) - target).max() < 0.3


def test_a_picture_that_is_aligned_stays_as_it_is() -> None:
    frame = cv2.resize(open_picture(PORTRAIT), (178, 218))
    crop = align(frame, face_at(TARGETS["landmarks"].astype(np.float32)))
    assert np.abs(crop.astype(int) - frame).max() <= 1


def test_similarity_has_the_least_error() -> None:
    random = np.random.default_rng(1)
    source, target = random.normal(size=(2, 3, 2))

    def error(matrix: np.ndarray) -> float:
        return float(((source @ matrix[:, :2].T + matrix[:, 2] - target) ** 2).sum())

    best = similarity(source, target)
    (a, c), (b, d) = best[:, :2].T
    assert np.allclose([a, b], [d, -c])
    for _ in range(200):
        p, q, x, y = random.normal(size=4) * 0.01
        assert error(best + np.array([[p, -q, x], [q, p, y]])) > error(best)


def test_strong_shrinking_counts_every_pixel() -> None:
    frame = np.zeros((2000, 2000, 3), np.uint8)
    frame[::2, ::2] = frame[1::2, 1::2] = 255  # a chequered frame is grey from afar
    points = transform(TARGETS["landmarks"], 5, 7.3, (300, 200))
    crop = align(frame, face_at(points)).astype(int)
    assert np.abs(crop - 127).max() < 12


@pytest.mark.parametrize("shift", [(-70, -100), (300, 250)])
def test_outside_the_frame_its_border_is_repeated(shift: tuple[float, float]) -> None:
    frame = np.full((300, 350, 3), (10, 120, 230), np.uint8)
    crop = align(frame, face_at(transform(TARGETS["landmarks"], 20, 1, shift)))
    assert np.all(crop == (10, 120, 230))


@pytest.mark.parametrize("quarters", [0, 1, 2])
def test_a_real_face_is_found_again_where_celeba_has_it(finder: FaceFinder, quarters: int) -> None:
    frame = np.ascontiguousarray(np.rot90(open_picture(PORTRAIT), quarters))
    (face,) = finder.find_in_photo(frame)
    (again,) = finder.find_in_camera_frame(align(frame, face))
    assert np.abs(again.points - TARGETS["landmarks"]).max() < 3.5  # eyes and mouths stand differently in each face


@pytest.mark.parametrize("scale", [*np.geomspace(0.6, 9, 10), 1.3, 1.7, 2, 2.3, 2.5, 3])
def test_a_face_that_has_hardly_moved_has_hardly_another_crop(scale: float) -> None:
    frame = np.tile(open_picture(PORTRAIT), (math.ceil(scale), math.ceil(scale), 1))  # equally detailed at any scale
    random = np.random.default_rng(round(1000 * scale))
    for turn in random.uniform(-40, 40, 3):
        points = transform(TARGETS["landmarks"], turn, scale, (0, 0)).astype(np.float64)
        points += 0.45 * np.array(frame.shape[1::-1]) - points.mean(axis=0) + random.uniform(-1, 1, 2)
        moved = points + random.normal(0, 0.002, points.shape)
        change = np.abs(align(frame, face_at(points)).astype(int) - align(frame, face_at(moved)))
        assert change.max() <= 5
        assert change.mean() < 0.5  # of 255 steps: rounding alone
