from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from mediapipe.tasks.python import vision
from PIL import Image

from demo.interruption import InterruptedWorkError, interruptible
from demo.pipeline.detect import FaceFinder, TooManyFacesError
from demo.pipeline.face import Face
from demo.pipeline.mediapipe.blazeface import BlazeFace

# Where both eyes and the middle of the mouth are, read off by eye.
POINTS = np.array([[147, 101], [190, 102], [168, 141]])

Find = Callable[[FaceFinder, np.ndarray], tuple[Face, ...]]

both_ways = pytest.mark.parametrize("find", [FaceFinder.find_in_photo, FaceFinder.find_in_camera_frame])


def near(face: Face, points: np.ndarray, pixels: float = 4) -> bool:
    return bool(np.abs(face.points - points).max() < pixels)


def scaled(picture: np.ndarray, factor: float) -> np.ndarray:
    size = round(picture.shape[1] * factor), round(picture.shape[0] * factor)
    return np.array(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))


def row_of_three(portrait: np.ndarray) -> np.ndarray:
    part = portrait[20:240, 40:290]
    return np.concatenate([part, part[:, ::-1], part], axis=1)


@both_ways
def test_a_portrait_has_one_face_with_its_points(finder: FaceFinder, portrait: np.ndarray, find: Find) -> None:
    (face,) = find(finder, portrait)
    assert face.kind == "landmarks"
    assert near(face, POINTS)
    assert face.points.dtype == np.float32
    x, y, width, height = face.box
    assert 90 < x < 130 < 205 < x + width < 235
    assert 50 < y < 90 < 165 < y + height < 200


@both_ways
def test_several_faces_are_found_each_where_it_is(finder: FaceFinder, portrait: np.ndarray, find: Find) -> None:
    found = sorted(find(finder, row_of_three(portrait)), key=lambda face: face.box[0])
    assert [round(face.points[:2, 0].mean() / 250 - 0.5) for face in found] == [0, 1, 2]
    assert near(found[0], POINTS - (40, 20))
    assert near(found[2], POINTS - (40, 20) + (500, 0))


def test_a_photo_of_more_faces_than_allowed_is_an_error(finder: FaceFinder, portrait: np.ndarray) -> None:
    row = row_of_three(portrait)
    assert len(finder.find_in_photo(row, most=3)) == 3
    with pytest.raises(TooManyFacesError):
        finder.find_in_photo(row, most=2)


def test_of_a_picture_packed_with_small_faces_few_are_looked_at_closer(
    finder: FaceFinder, portrait: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0
    look_closer = BlazeFace.look_closer

    def counted(detector: BlazeFace, *arguments: Any) -> Any:
        nonlocal looks
        looks += 1
        return look_closer(detector, *arguments)

    monkeypatch.setattr(BlazeFace, "look_closer", counted)
    tile = scaled(portrait[40:190, 95:245], 40 / 150)
    with pytest.raises(TooManyFacesError, match="more than 5 faces"):
        finder.find_in_photo(np.tile(tile, (24, 32, 1)), most=5)
    assert looks <= 50


def test_small_faces_of_a_photo_are_found(finder: FaceFinder, portrait: np.ndarray) -> None:
    photo = np.full((960, 1280, 3), 120, np.uint8)
    small = scaled(portrait, 0.55)  # a face of 56 pixels
    corners = [(0, 0), (1280 - small.shape[1], 0), (500, 400), (900, 960 - small.shape[0])]
    for x, y in corners:
        photo[y : y + small.shape[0], x : x + small.shape[1]] = small
    found = finder.find_in_photo(photo)
    assert len(found) == len(corners)
    for corner in corners:
        assert any(near(face, POINTS * 0.55 + corner) for face in found)


@pytest.mark.parametrize(("columns", "width"), [(10, 600), (10, 650), (16, 1440), (16, 2040), (16, 2100)])
def test_a_sheet_of_faces_is_found_whole_at_every_size(
    finder: FaceFinder, portrait: np.ndarray, columns: int, width: int
) -> None:
    part = portrait[20:240, 40:290]
    sheet = np.tile(np.concatenate([part, part[:, ::-1]], axis=1), (2, columns // 2, 1))
    factor = width / sheet.shape[1]
    found = finder.find_in_photo(scaled(sheet, factor))
    places = {(int(x // (250 * factor)), int(y // (220 * factor))) for x, y, *_ in (face.box for face in found)}
    assert len(found) == len(places) == 2 * columns


def test_small_faces_beside_larger_ones_are_found(finder: FaceFinder, portrait: np.ndarray) -> None:
    photo = np.full((900, 1400, 3), 120, np.uint8)
    places = [
        (factor, 60 + 220 * row, 30 + 270 * column)
        for row, factor in enumerate((0.8, 0.5, 0.3, 0.25))
        for column in range(5)
    ]
    for factor, y, x in places:
        small = scaled(portrait, factor)
        photo[y : y + small.shape[0], x : x + small.shape[1]] = small[: 900 - y]
    found = finder.find_in_photo(photo)
    assert len(found) == len(places)
    for factor, y, x in places:
        assert any(near(face, np.add(POINTS * factor, (x, y))) for face in found)


@pytest.mark.parametrize(("width", "height"), [(1080, 16_000), (16_000, 1080)])
def test_a_face_of_a_long_screenshot_is_found(
    finder: FaceFinder, portrait: np.ndarray, width: int, height: int
) -> None:
    screenshot = np.full((height, width, 3), 240, np.uint8)
    x, y = width * 3 // 5, height * 3 // 5
    screenshot[y : y + portrait.shape[0], x : x + portrait.shape[1]] = portrait
    (face,) = finder.find_in_photo(screenshot)
    assert near(face, np.add(POINTS, (x, y)))


@pytest.mark.parametrize("size", [(600, 450), (1000, 1500), (2040, 1000), (2200, 1600)])
def test_a_small_face_is_found_in_a_picture_of_any_size(
    finder: FaceFinder, portrait: np.ndarray, size: tuple[int, int]
) -> None:
    width, height = size
    photo = np.full((height, width, 3), 120, np.uint8)
    small = scaled(portrait, 0.28)  # a face of 30 pixels
    x, y = width // 3, height // 2
    photo[y : y + small.shape[0], x : x + small.shape[1]] = small
    (face,) = finder.find_in_photo(photo)
    assert near(face, np.add(POINTS * 0.28, (x, y)))


def test_somebody_far_from_a_webcam_is_found(finder: FaceFinder, portrait: np.ndarray) -> None:
    frame = np.full((300, 400, 3), 128, np.uint8)
    far = scaled(portrait, 0.35)
    frame[100 : 100 + far.shape[0], 250 : 250 + far.shape[1]] = far
    (face,) = finder.find_in_camera_frame(frame)
    assert near(face, POINTS * 0.35 + (250, 100))


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_turned_photos_keep_eyes_and_mouth_apart(finder: FaceFinder, portrait: np.ndarray, quarters: int) -> None:
    (face,) = finder.find_in_photo(np.rot90(portrait, quarters))
    x, y = POINTS.T
    turned = {1: (y, 339 - x), 2: (339 - x, 424 - y), 3: (424 - y, x)}[quarters]
    assert near(face, np.stack(turned, axis=1))
    assert min(face.box) >= 0


def test_a_face_seen_only_once_the_photo_is_turned_is_found(finder: FaceFinder, portrait: np.ndarray) -> None:
    upside_down = portrait[86:161, 138:202][::-1, ::-1]
    assert finder.find_in_camera_frame(upside_down) == ()
    (face,) = finder.find_in_photo(upside_down)
    assert near(face, (201, 160) - POINTS)


@pytest.mark.parametrize("size", [(3000, 3000), (8000, 6000)])
def test_folds_and_patches_of_an_enlarged_portrait_are_no_faces(
    finder: FaceFinder, portrait: np.ndarray, size: tuple[int, int]
) -> None:
    enlarged = np.array(Image.fromarray(portrait).resize(size, Image.Resampling.BICUBIC))
    (face,) = finder.find_in_photo(enlarged)
    assert near(face, (POINTS + 0.5) / portrait.shape[1::-1] * size - 0.5, pixels=4 * size[0] / portrait.shape[1])


@both_ways
def test_a_face_that_fills_the_picture_is_found(finder: FaceFinder, portrait: np.ndarray, find: Find) -> None:
    (face,) = find(finder, portrait[86:161, 138:202])
    assert near(face, POINTS - (138, 86))
    x, y, width, height = face.box
    assert 0 <= x <= x + width <= 64
    assert 0 <= y <= y + height <= 75


def test_faces_are_followed_where_they_moved_a_little(finder: FaceFinder, portrait: np.ndarray) -> None:
    part = portrait[20:240, 40:290]
    pair = np.concatenate([part, part[:, ::-1]], axis=1)
    before = finder.find_in_camera_frame(pair)
    moved = np.roll(pair, (6, 25), axis=(0, 1))
    after = finder.follow(moved, before)
    assert len(before) == len(after) == 2
    for old, new in zip(before, after, strict=True):
        assert near(new, np.add(old.points, (25, 6)), 2)
        assert new.kind == "landmarks"


def test_a_face_that_is_gone_or_hides_behind_another_is_not_followed(finder: FaceFinder, portrait: np.ndarray) -> None:
    (face,) = finder.find_in_camera_frame(portrait)
    x, y, width, height = face.box
    beside = replace(face, box=(x + 15, y, width, height), points=np.add(face.points, (15, 0)))
    (same,) = finder.follow(portrait, (face, beside))
    assert near(same, POINTS)
    assert finder.follow(np.zeros_like(portrait), (face,)) == ()
    far = replace(face, box=(x + 60, y, width, height), points=np.add(face.points, (60, 0)))
    assert finder.follow(portrait, (far,)) == ()  # a neighbour's face
    assert finder.follow(portrait, (replace(face, kind="keypoints"),)) == ()


def test_a_known_face_is_not_found_a_second_time(finder: FaceFinder, portrait: np.ndarray) -> None:
    part = portrait[20:240, 40:290]
    pair = np.concatenate([part, part[:, ::-1]], axis=1)
    first, _ = finder.find_in_camera_frame(pair)
    known = replace(first, yaw=12.5)
    found = finder.find_in_camera_frame(pair, known=(known,))
    assert len(found) == 2
    assert found[0] is known


def test_a_face_at_the_border_is_found(finder: FaceFinder, portrait: np.ndarray) -> None:
    (face,) = finder.find_in_photo(portrait[72:, 125:])
    assert near(face, POINTS - (125, 72))


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 3000, 3), (200, 300, 3), (2500, 3000, 3)])
def test_no_face_is_no_error(finder: FaceFinder, shape: tuple[int, int, int]) -> None:
    assert finder.find_in_photo(np.full(shape, 90, np.uint8)) == ()


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((50, 50), np.uint8),
        np.zeros((50, 50, 4), np.uint8),
        np.zeros((50, 50, 3), np.float32),
        np.zeros((0, 0, 3), np.uint8),
    ],
    ids=["grey", "RGBA", "float", "empty"],
)
def test_a_wrong_frame_is_an_error_and_harms_nothing(
    finder: FaceFinder, portrait: np.ndarray, frame: np.ndarray
) -> None:
    with pytest.raises(ValueError, match="uint8 RGB"):
        finder.find_in_camera_frame(frame)
    assert len(finder.find_in_camera_frame(portrait)) == 1


def test_memory_layout_makes_no_difference(finder: FaceFinder, portrait: np.ndarray) -> None:
    (expected,) = finder.find_in_camera_frame(portrait)
    (face,) = finder.find_in_camera_frame(np.asfortranarray(portrait))
    assert np.array_equal(face.points, expected.points)


def test_a_search_that_is_no_longer_wanted_stops_and_harms_nothing(finder: FaceFinder, portrait: np.ndarray) -> None:
    looks = iter([True] * 3)
    with pytest.raises(InterruptedWorkError):
        interruptible(lambda: next(looks, False), finder.find_in_photo, portrait)
    assert len(finder.find_in_photo(portrait)) == 1


def test_threads_share_one_finder(finder: FaceFinder, portrait: np.ndarray) -> None:
    frames = [portrait, portrait[:, ::-1]] * 6
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(finder.find_in_camera_frame, frames))
    for face, *others in found:
        assert not others
        assert any(np.array_equal(face.points, found[i][0].points) for i in (0, 1))
    assert near(found[0][0], POINTS)


def test_without_landmarks_the_key_points_serve(
    finder: FaceFinder, portrait: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = vision.FaceLandmarkerResult([], [], [])
    monkeypatch.setattr(vision.FaceLandmarker, "detect", lambda *_: nothing)
    (face,) = finder.find_in_camera_frame(portrait)
    assert face.kind == "keypoints"
    assert near(face, POINTS, 8)
    assert abs(face.yaw) < 15
    assert face.pitch == 0
