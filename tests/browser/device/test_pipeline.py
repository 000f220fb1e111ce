"""Given the same pictures, the scripts in demo/browser/device/pipeline do what demo/pipeline does."""

import base64
import json
from collections.abc import Iterator
from dataclasses import asdict
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from demo.pictures.decode import open_picture
from demo.pipeline.align import align
from demo.pipeline.face import Face
from demo.pipeline.mediapipe.face_models import FaceModels
from demo.pipeline.mediapipe.views import shrink
from demo.pipeline.mediapipe.windows import small_sides, squares, tiles
from demo.pipeline.quality import SteadyWarnings, measure_quality
from demo.pipeline.track import Sighting, Tracker
from tests.browser.bare import bare_page
from tests.browser.device.recorded import (
    REPLAY,
    SCRIPTS,
    Recording,
    as_png,
    assert_same_faces,
    assert_same_shown,
    described,
)
from tests.paths import EXAMPLES, PORTRAIT

MODULES = [*SCRIPTS, *(f"pipeline/{name}" for name in ("quality", "track", "mediapipe/views", "mediapipe/windows"))]
# Picture -> how many faces may be found in it. In the crowd, that may depend on the machine.
COUNTS = {"pair": [2], "upside down": [1], "sideways": [1], "crowd": range(30, 49), "close up": [1], "empty": [0]}
PIXELS = """
    window.base64 = (data) => {
      let characters = "";
      for (let i = 0; i < data.length; i += 8192) characters += String.fromCharCode(...data.subarray(i, i + 8192));
      return btoa(characters);
    };
    window.pictures = [];
"""


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    return open_picture(PORTRAIT)


@pytest.fixture(scope="module")
def models() -> FaceModels:
    return FaceModels()


@pytest.fixture(scope="module")
def page(browser: Any) -> Iterator[Any]:
    with bare_page(browser, *(f"device/{name}.js" for name in MODULES)) as page:
        page.evaluate(f"() => {{ {REPLAY} {PIXELS} }}")
        yield page


def pixels(encoded: str, *shape: int) -> np.ndarray:
    return np.frombuffer(base64.b64decode(encoded), np.uint8).reshape(shape).astype(int)


def assert_nearly_equal(found: np.ndarray, expected: np.ndarray) -> None:
    """They differ by at most one step of 255, and hardly anywhere by that."""
    difference = np.abs(found - expected)
    assert difference.max() <= 1
    assert difference.mean() < 1e-3


def test_shrinking_is_that_of_opencv(page: Any, portrait: np.ndarray) -> None:
    for width, height, longest in [(340, 425, 256), (340, 400, 200), (339, 423, 141), (100, 31, 99), (64, 64, 64)]:
        frame = np.ascontiguousarray(portrait[:height, :width])
        expected = shrink(frame, longest)
        found = page.evaluate(
            "async ([png, longest]) => base64(shrink(await frameOf(png), longest).data)", [as_png(frame), longest]
        )
        assert_nearly_equal(pixels(found, *expected.shape[:2], 4)[..., :3], expected)


def faces_anywhere() -> list[Face]:
    """Small, large and turned faces, some at the edge of the portrait and beyond it."""
    random = np.random.default_rng(0)
    template = np.array([[-20, 0], [20, 0], [0, 42]], np.float32)
    faces: list[Face] = []
    for scale in np.geomspace(0.2, 6, 12):
        angle = random.uniform(-np.pi, np.pi)
        turned = template @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        points = (scale * turned + random.uniform((-20, -20), (360, 440))).astype(np.float32)
        faces.append(Face((0, 0, 50, 50), points, "landmarks" if len(faces) % 3 else "keypoints", yaw=5 * len(faces)))
    return faces


def as_json(face: Face) -> dict[str, Any]:
    return asdict(face) | {"points": face.points.ravel().tolist()}


def test_crops_and_their_quality_are_the_same(page: Any, portrait: np.ndarray) -> None:
    frames = (portrait, cv2.GaussianBlur(portrait, (0, 0), 2.5), (portrait * 0.2).astype(np.uint8))
    for frame in frames:
        faces = faces_anywhere()
        found = page.evaluate(
            """async ([png, faces]) => {
                const frame = await frameOf(png);
                return faces.map((face) => {
                  const placed = {...face, points: Float32Array.from(face.points)};
                  const crop = align(frame, placed);
                  const quality = measureQuality(placed, crop, frame);
                  return {crop: base64(crop), quality, warnings: warningsOf(quality)};
                });
            }""",
            [as_png(frame), [as_json(face) for face in faces]],
        )
        for face, answer in zip(faces, found, strict=True):
            crop = align(frame, face)
            assert_nearly_equal(pixels(answer["crop"], *crop.shape), crop)
            quality = measure_quality(face, crop, frame.shape[:2])
            assert answer["quality"] == pytest.approx(asdict(quality), rel=2e-3, abs=1e-4)
            assert answer["warnings"] == list(quality.warnings)


def test_windows_are_the_same(page: Any) -> None:
    sizes = [(320, 240), (641, 480), (1000, 1500), (2048, 1365), (1080, 9000), (6000, 4000), (31, 2100)]
    found = page.evaluate(
        """(sizes) => sizes.map(([width, height]) =>
            [smallSides(width, height), squares(width, height, 165), ...TILINGS.map((parts) =>
              tiles(width, height, parts))])""",
        sizes,
    )
    for (width, height), answer in zip(sizes, found, strict=True):
        expected = [squares(width, height, 165), *(tiles(width, height, parts) for parts in (2, 4, 8))]
        assert answer == [small_sides(width, height), *([list(window) for window in each] for each in expected)]


def crowd(portrait: np.ndarray) -> np.ndarray:
    """Many small faces and a large one."""
    small = cv2.resize(portrait, (102, 127), interpolation=cv2.INTER_AREA)
    sheet = np.tile(small, (6, 8, 1))
    sheet[: portrait.shape[0], : portrait.shape[1]] = portrait
    return sheet


@pytest.mark.parametrize("name", COUNTS)
def test_the_same_faces_are_found_in_a_photo(page: Any, models: FaceModels, portrait: np.ndarray, name: str) -> None:
    frame = {
        "pair": lambda: open_picture(EXAMPLES / "two_portraits.jpg"),
        "upside down": lambda: portrait[::-1, ::-1],
        "sideways": lambda: np.rot90(portrait),
        "crowd": lambda: crowd(portrait),
        "close up": lambda: portrait[70:180, 115:225],
        "empty": lambda: np.full((300, 400, 3), 128, np.uint8),
    }[name]()
    assert len(assert_same_photo(page, Recording(models), np.ascontiguousarray(frame))) in COUNTS[name]


def test_a_face_without_landmarks_is_told_by_its_key_points(
    page: Any, models: FaceModels, portrait: np.ndarray
) -> None:
    (face,) = assert_same_photo(page, WithoutLandmarks(models), portrait)
    assert face["warnings"] == []


class WithoutLandmarks(Recording):
    """A recording whose landmarker finds nothing, as in many profiles."""

    def landmark(self, image: np.ndarray) -> Any:
        self._note(image, [])
        return SimpleNamespace(face_landmarks=[])


def assert_same_photo(page: Any, recording: Recording, frame: np.ndarray) -> list[dict[str, Any]]:
    """Both find the same faces in a photo; returns them as the page gets them."""
    expected = described(recording.pipeline.analyse_photo(frame))
    found = page.evaluate(
        """async (text) => {
            const [png, calls] = JSON.parse(text);
            const {pipeline, shown} = replay(calls);
            const faces = await describedFaces(await pipeline.analysePhoto(await frameOf(png)));
            return {faces, shown};
        }""",
        json.dumps([as_png(frame), recording.calls]),
    )
    assert_same_shown(found["shown"], recording.calls)
    assert_same_faces(found["faces"], expected)
    return expected


def film(portrait: np.ndarray) -> Iterator[tuple[float, np.ndarray]]:
    """Seconds and frames: someone comes, moves, is joined from the left, is hidden, and the picture changes size."""
    small = cv2.resize(portrait, (220, 275), interpolation=cv2.INTER_AREA)
    other = cv2.resize(small[:, ::-1], (180, 225), interpolation=cv2.INTER_AREA)
    for number in range(26):
        frame: np.ndarray = np.full((300, 520, 3), 120, np.uint8)
        if number not in (0, 11, 12):
            frame[10:285, 20 + 4 * number : 240 + 4 * number] = small
        if number >= 5:
            frame[60:285, 330 - number : 510 - number] = other * (0.2 if number >= 9 else 1)
        if number >= 20:
            frame = cv2.resize(frame, (416, 240), interpolation=cv2.INTER_AREA)
        yield 0.06 * number + (30 if number >= 16 else 0), np.ascontiguousarray(frame[:, ::-1])


def test_faces_are_followed_in_the_same_way(page: Any, models: FaceModels, portrait: np.ndarray) -> None:
    recording = Recording(models)
    stream = recording.pipeline.stream()
    frames = list(film(portrait))
    expected = [described(stream.analyse(frame, seconds)) for seconds, frame in frames]
    assert {len(faces) for faces in expected} == {0, 1, 2}
    assert {warning for faces in expected for face in faces for warning in face["warnings"]} >= {"dark"}
    first, second = expected[16]  # the one who came first, now at the right, keeps the first number over a long pause
    assert (first["number"], second["number"]) == (1, 2)
    assert first["box"][0] > second["box"][0]
    found = page.evaluate(
        """async (text) => {
            const [frames, calls] = JSON.parse(text);
            const {pipeline, shown} = replay(calls);
            const stream = new Stream(pipeline);
            const faces = [];
            for (const [seconds, png] of frames) {
              faces.push(await describedFaces(await stream.analyse(await frameOf(png), seconds)));
            }
            return {faces, shown};
        }""",
        # As one text: playwright is slow with many numbers.
        json.dumps([[(seconds, as_png(frame)) for seconds, frame in frames], recording.calls]),
    )
    assert_same_shown(found["shown"], recording.calls)
    for one, other in zip(found["faces"], expected, strict=True):
        assert_same_faces(one, other)


def test_faces_keep_the_same_numbers(page: Any) -> None:
    """Five people who wander, hide and come back, in a random order."""
    random = np.random.default_rng(0)
    people = random.uniform(0.02, 0.98, (5, 8))
    places, speeds = random.uniform(0, 1, (5, 2)), random.normal(0, 0.3, (5, 2))
    tracker, frames, expected = Tracker(), [], []
    for number in range(150):
        seconds = 0.1 * number + (6 if number > 120 else 0)
        speeds += random.normal(0, 0.15, speeds.shape)
        places = np.clip(places + 0.1 * speeds, 0, 1)
        there = random.permutation(
            [i for i in range(5) if random.random() < (0.1 if (number // 12 + i) % 4 == 0 else 1)]
        )
        looks = np.clip(people + random.normal(0, 0.05, people.shape), 0, 1).astype(np.float32)
        seen = [((*places[i].tolist(), 0.1, 0.12), looks[i]) for i in there]
        expected.append(tracker.update(seconds, [Sighting(box, probabilities) for box, probabilities in seen]))
        frames.append((seconds, [(box, probabilities.tolist()) for box, probabilities in seen]))
    assert max(map(max, filter(None, expected))) > 5
    found = page.evaluate(
        """(frames) => {
            const tracker = new Tracker();
            return frames.map(([seconds, seen]) =>
              tracker.update(seconds, seen.map(([box, looks]) => sighting(box, Float32Array.from(looks)))));
        }""",
        frames,
    )
    assert found == expected


def test_warnings_are_shown_and_dropped_at_the_same_time(page: Any) -> None:
    random = np.random.default_rng(0)
    steady, seconds, frames, expected = SteadyWarnings(), 0.0, [], []
    for number in range(200):
        seconds += random.uniform(0.02, 0.2)
        likely = {"small": 0.2, "turned": 0.5, "blurred": number / 200, "dark": 0.9}
        warnings = tuple(name for name, share in likely.items() if random.random() < share)
        expected.append(list(steady.update(seconds, warnings)))  # type: ignore[arg-type]
        frames.append((seconds, warnings))
    found = page.evaluate(
        """(frames) => {
            const steady = new SteadyWarnings();
            return frames.map(([seconds, found]) => steady.update(seconds, found));
        }""",
        frames,
    )
    assert found == expected
