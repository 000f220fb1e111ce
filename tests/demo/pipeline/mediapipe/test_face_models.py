import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mediapipe.tasks.python import vision

from demo.paths import ASSETS
from demo.pipeline.detect import FaceFinder
from demo.pipeline.mediapipe import face_models
from demo.pipeline.mediapipe.face_models import FaceModelError, FaceModels
from tests.fakes.together import glance_together
from tests.paths import PORTRAIT, ROOT

# Where both eyes are, read off by eye.
EYES = np.array([[147, 101], [190, 102]])


@pytest.fixture
def assets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with copies of both models, which the program uses as its own."""
    for model in (face_models.DETECTOR, face_models.LANDMARKER):
        shutil.copy(ASSETS / model, tmp_path)
    monkeypatch.setattr(face_models, "ASSETS", tmp_path)
    return tmp_path


@pytest.mark.parametrize("task", [vision.FaceDetector, vision.FaceLandmarker])
def test_it_goes_on_after_an_error_in_mediapipe_though_the_models_are_gone(
    portrait: np.ndarray, assets: Path, monkeypatch: pytest.MonkeyPatch, task: Any
) -> None:
    finder = FaceFinder()
    for model in assets.iterdir():
        model.unlink()
    detect: Callable[..., object] = task.detect
    broken: list[object] = []

    def breaks_for_good(self: object, image: object) -> object:
        if not broken or self in broken:
            broken.append(self)
            raise RuntimeError("the graph has errors")
        return detect(self, image)

    monkeypatch.setattr(task, "detect", breaks_for_good)
    for _ in range(2):
        (face,) = finder.find_in_camera_frame(portrait)
        assert np.abs(face.points[:2] - EYES).max() < 4
    assert len(broken) == 1


def test_what_mediapipe_raises_is_an_analysis_that_failed(
    portrait: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def time_out(*_: object) -> None:
        raise TimeoutError(110, "the graph did not answer")

    monkeypatch.setattr(vision.FaceDetector, "detect", time_out)
    with pytest.raises(RuntimeError, match=r"MediaPipe failed: .*did not answer"):
        FaceFinder().find_in_camera_frame(portrait)


def test_as_many_threads_run_a_model_at_the_same_time_as_it_has_copies(
    portrait: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert glance_together(monkeypatch, FaceFinder(copies=2).glance, portrait) == [1, 1]


@pytest.mark.parametrize("name", [face_models.DETECTOR, face_models.LANDMARKER])
def test_a_damaged_or_missing_model_file_is_named(name: str, assets: Path) -> None:
    with (assets / name).open("r+b") as file:
        file.write(b"x")
    with pytest.raises(FaceModelError, match=f"{name}.*damaged"):
        FaceModels()
    (assets / name).unlink()
    with pytest.raises(FaceModelError, match=f"{name}.*cannot be read"):
        FaceModels()


def test_the_program_ends_quietly() -> None:
    program = (
        "from demo.pipeline.detect import FaceFinder\nfrom demo.pictures.decode import open_picture\n"
        f"print(len(FaceFinder().find_in_photo(open_picture({str(PORTRAIT)!r}))))"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (run.stdout, run.stderr, run.returncode) == ("1\n", "", 0)


def test_faces_are_found_where_no_temporary_file_can_be_made(
    portrait: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(face_models.tempfile, "TemporaryFile", refuse)
    assert len(FaceFinder().find_in_camera_frame(portrait)) == 1


def test_mediapipe_is_the_version_that_reports_to_nobody() -> None:
    assert version("mediapipe") == "0.10.31", "later versions bring a second OpenCV, and report their use to a server"
