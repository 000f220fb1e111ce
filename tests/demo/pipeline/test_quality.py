from dataclasses import replace

import cv2
import numpy as np
import pytest

from demo.pipeline.align import align
from demo.pipeline.detect import FaceFinder
from demo.pipeline.face import Face
from demo.pipeline.quality import QualityWarning, SteadyWarnings, measure_quality


def judge(finder: FaceFinder, frame: np.ndarray) -> tuple[str, ...]:
    (face,) = finder.find_in_photo(frame)
    return measure_quality(face, align(frame, face), frame.shape[:2]).warnings


def test_a_good_picture_has_no_warnings(finder: FaceFinder, portrait: np.ndarray) -> None:
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
def test_a_face_turned_far_is_turned(finder: FaceFinder, portrait: np.ndarray, yaw: float, pitch: float) -> None:
    (face,) = finder.find_in_camera_frame(portrait)
    crop = align(portrait, face)
    turned = replace(face, yaw=yaw, pitch=pitch)
    size = portrait.shape[:2]
    assert measure_quality(turned, crop, size).warnings == ("turned",)
    assert measure_quality(replace(face, yaw=yaw / 2, pitch=pitch / 3), crop, size).warnings == ()


@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
def test_a_face_that_the_border_cuts_is_cut_and_only_that(finder: FaceFinder, portrait: np.ndarray, side: str) -> None:
    (face,) = finder.find_in_photo(portrait)
    x, y, width, height = map(round, face.box)
    cut = {
        "left": portrait[:, x + width // 3 :],
        "right": portrait[:, : x + 2 * width // 3],
        "top": portrait[y + height // 4 :],
        "bottom": portrait[: y + 2 * height // 3],
    }
    whole = {
        "left": portrait[:, x:],
        "right": portrait[:, : x + width],
        "top": portrait[y:],
        "bottom": portrait[: y + height],
    }
    assert judge(finder, cut[side]) == ("cut",)
    assert judge(finder, whole[side]) == ()


def test_there_may_be_several_warnings() -> None:
    points = np.array([[100, 100], [105, 100], [104, 108]], np.float32)
    face = Face((90, 90, 25, 25), points, "keypoints", yaw=60)
    assert measure_quality(face, np.zeros((218, 178, 3), np.uint8), (200, 103)).warnings == (
        "small", "cut", "turned", "dark"
    )  # fmt: skip


Warnings = tuple[QualityWarning, ...]
NOTHING: Warnings = ()
BLURRED: Warnings = ("blurred",)
TURNED: Warnings = ("turned",)


def shown(*frames: Warnings, rate: int = 20) -> list[Warnings]:
    steady = SteadyWarnings()
    return [steady.update(number / rate, found) for number, found in enumerate(frames)]


def test_the_first_warnings_are_shown_at_once() -> None:
    assert shown(("dark", "small")) == [("small", "dark")]


def test_a_warning_that_comes_and_goes_does_not_flicker() -> None:
    assert shown(NOTHING, *[BLURRED, NOTHING] * 20) == [NOTHING] * 41
    assert set(shown(BLURRED, *[NOTHING, BLURRED] * 20)) == {BLURRED}


@pytest.mark.parametrize("rate", [6, 30])
def test_a_warning_that_lasts_is_shown_and_dropped_within_half_a_second(rate: int) -> None:
    frames = [NOTHING, *[TURNED] * (rate // 2 + 1), *[NOTHING] * (rate // 2 + 1)]
    answers = shown(*frames, rate=rate)
    assert answers[rate // 2 + 1] == TURNED
    assert answers[-1] == ()
