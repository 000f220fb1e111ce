from dataclasses import replace

import cv2
import numpy as np
import pytest

from demo.pictures.decode import open_picture
from demo.pipeline.align import align
from demo.pipeline.detect import Face, FaceFinder
from demo.pipeline.quality import Doubt, SteadyDoubts, doubts
from tests.paths import PORTRAIT


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder()


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    return open_picture(PORTRAIT)


def judge(finder: FaceFinder, frame: np.ndarray) -> tuple[str, ...]:
    (face,) = finder.find(frame, thorough=True)
    return doubts(face, align(frame, face))


def test_a_good_picture_leaves_no_doubt(finder: FaceFinder, portrait: np.ndarray) -> None:
    assert judge(finder, portrait) == ()
    assert judge(finder, portrait[:, ::-1]) == ()


@pytest.mark.parametrize("factor", [0.25, 0.3, 0.4])
def test_a_small_face_is_small_and_not_blurred(finder: FaceFinder, portrait: np.ndarray, factor: float) -> None:
    small = cv2.resize(portrait, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    assert judge(finder, small) == ("small",)


@pytest.mark.parametrize("sigma", [2.5, 4])
def test_a_blurred_face_is_blurred_in_any_light(finder: FaceFinder, portrait: np.ndarray, sigma: float) -> None:
    blurred = cv2.GaussianBlur(portrait, (0, 0), sigma)
    assert judge(finder, blurred) == ("blurred",)
    assert "blurred" in judge(finder, (blurred * 0.3).astype(np.uint8))


def test_a_dark_face_is_dark_before_any_background(finder: FaceFinder, portrait: np.ndarray) -> None:
    assert judge(finder, (portrait * 0.2).astype(np.uint8)) == ("dark",)
    dimmed = portrait.copy()
    dimmed[:, :90] = 0
    assert judge(finder, dimmed) == ()


@pytest.mark.parametrize(("yaw", "pitch"), [(55, 0), (-55, 0), (0, 30), (0, -40)])
def test_a_face_turned_far_is_turned(portrait: np.ndarray, yaw: float, pitch: float) -> None:
    (face,) = FaceFinder().find(portrait, thorough=False)
    crop = align(portrait, face)
    turned = replace(face, yaw=yaw, pitch=pitch)
    assert doubts(turned, crop) == ("turned",)
    assert doubts(replace(face, yaw=yaw / 2, pitch=pitch / 3), crop) == ()


def test_all_doubts_are_told() -> None:
    points = np.array([[100, 100], [105, 100], [104, 108]], np.float32)
    face = Face((90, 90, 25, 25), points, "keypoints", yaw=60)
    assert doubts(face, np.zeros((218, 178, 3), np.uint8)) == ("small", "turned", "dark")


def told(*frames: tuple[Doubt, ...], rate: int = 20) -> list[tuple[Doubt, ...]]:
    steady = SteadyDoubts()
    return [steady.update(number / rate, found) for number, found in enumerate(frames)]


def test_the_first_doubts_are_told_at_once() -> None:
    assert told(("dark", "small")) == [("small", "dark")]


def test_a_doubt_that_comes_and_goes_does_not_flicker() -> None:
    assert told((), *[("blurred",), ()] * 20) == [()] * 41
    assert set(told(("blurred",), *[(), ("blurred",)] * 20)) == {("blurred",)}


@pytest.mark.parametrize("rate", [6, 30])
def test_a_doubt_that_lasts_is_told_and_taken_back_within_half_a_second(rate: int) -> None:
    frames: list[tuple[Doubt, ...]] = [(), *[("turned",)] * (rate // 2 + 1), *[()] * (rate // 2 + 1)]
    answers = told(*frames, rate=rate)
    assert answers[rate // 2 + 1] == ("turned",)
    assert answers[-1] == ()
