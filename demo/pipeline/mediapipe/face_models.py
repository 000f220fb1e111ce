"""MediaPipe's two face models: their files, loading them, and recovering from errors."""

import hashlib
import os
import queue
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from demo.interruption import check_wanted
from demo.paths import ASSETS

DETECTOR = "face_detection_short_range.tflite"
LANDMARKER = "face_landmarker.task"
_SHA256 = {
    DETECTOR: "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
    LANDMARKER: "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
}


class FaceModelError(RuntimeError):
    """One of MediaPipe's model files is missing, or not the version that this program was made for."""


class FaceModels:
    """Both models, checked and loaded; closed at exit.

    Their files are read once, so changing them while the program runs has no effect.

    Args:
        copies: how many copies of each model, and so how many threads can run it at the same time.

    Attributes:
        detector: MediaPipe's FaceDetector (BlazeFace, short range).
        landmarker: MediaPipe's FaceLandmarker.

    Raises:
        FaceModelError: a model file is missing or has been changed.
    """

    def __init__(self, copies: int = 1) -> None:
        files = {name: _verified(ASSETS / name, sha256) for name, sha256 in _SHA256.items()}
        with _without_startup_notes():
            self.detector = FaceModel(partial(_create_detector, files[DETECTOR]), copies)
            self.landmarker = FaceModel(partial(_create_landmarker, files[LANDMARKER]), copies)
        self._process = os.getpid()
        # An ordinary atexit hook is too late: by then MediaPipe's threads take no more work and closing fails, and
        # objects closed by the garbage collector can deadlock.
        threading._register_atexit(self.close)  # type: ignore[attr-defined]

    def close(self) -> None:
        """Release MediaPipe's objects; runs by itself at exit."""
        if os.getpid() != self._process:
            return  # a fork lacks the threads that closing waits for
        self.detector.close()
        self.landmarker.close()


class _Copy:
    """A MediaPipe task, used by one thread at a time."""

    def __init__(self, create: Callable[[], Any]) -> None:
        self._create = create
        self._task = create()

    def detect(self, image: Any) -> Any:
        """Run the task, with one more try after an error."""
        try:
            return self._task.detect(image)
        except Exception:
            self.close()
            self._task = self._create()
            return self._task.detect(image)

    def close(self) -> None:
        with suppress(Exception):  # closing a failed task fails, too
            self._task.close()
        self._task._handle = None  # otherwise its destructor would close it again


class FaceModel:
    """A MediaPipe task that is created again after any error, since an error can break it for good. Thread-safe.

    A task runs its calls one after another on a single thread, so there may be several copies of it.

    Args:
        create: makes the task.
        copies: how many there are.
    """

    def __init__(self, create: Callable[[], Any], copies: int = 1) -> None:
        self._copies = [_Copy(create) for _ in range(copies)]
        self._idle: queue.LifoQueue[_Copy] = queue.LifoQueue()
        for copy in self._copies:
            self._idle.put(copy)

    def __call__(self, image: np.ndarray) -> Any:
        """Run the model, with one more try after an error.

        Args:
            image: (height, width, 3), uint8, RGB.

        Returns:
            MediaPipe's FaceDetectorResult or FaceLandmarkerResult.

        Raises:
            InterruptedWorkError: the work is no longer wanted.
            RuntimeError: MediaPipe failed twice.
        """
        import mediapipe

        check_wanted()
        # MediaPipe misreads memory that is not contiguous, without raising an error.
        data = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(image))
        copy = self._idle.get()
        try:
            return copy.detect(data)
        except (MemoryError, RuntimeError):
            raise
        except Exception as error:  # such as ValueError, or an OSError that is about no file
            raise RuntimeError(f"MediaPipe failed: {error}") from error
        finally:
            self._idle.put(copy)

    def close(self) -> None:
        """Release the tasks; they cannot be called afterwards."""
        for copy in self._copies:
            copy.close()


def _create_detector(file: bytes) -> Any:
    # Imported late: MediaPipe takes 0.2 s, and pages without a face finder need not wait for it.
    from mediapipe.tasks.python import BaseOptions, vision

    base_options = BaseOptions(model_asset_buffer=file)
    return vision.FaceDetector.create_from_options(vision.FaceDetectorOptions(base_options=base_options))


def _create_landmarker(file: bytes) -> Any:
    from mediapipe.tasks.python import BaseOptions, vision

    base_options = BaseOptions(model_asset_buffer=file)
    return vision.FaceLandmarker.create_from_options(vision.FaceLandmarkerOptions(base_options=base_options))


def _verified(path: Path, sha256: str) -> bytes:
    """Read a model's file.

    Raises:
        FaceModelError: it is missing or has been changed.
    """
    try:
        file = path.read_bytes()
    except OSError as error:
        raise FaceModelError(f"The face model {path} cannot be read ({error.strerror}). Restore it.") from error
    if hashlib.sha256(file).hexdigest() != sha256:
        raise FaceModelError(f"The face model {path} is damaged or another version. Restore it: see MEDIAPIPE.md.")
    return file


@contextmanager
def _without_startup_notes() -> Iterator[None]:
    """Hold back the notes that MediaPipe's C++ code always writes to stderr at start-up; pass on everything else."""
    notes = (b"INFO: Created TensorFlow Lite", b"WARNING: All log messages before absl", b"W0000 ")
    sys.stderr.flush()
    try:
        stderr = os.dup(2)
    except OSError:  # a program without a console has no stderr
        yield
        return
    with ExitStack() as stack:
        stack.callback(os.close, stderr)
        try:
            held = stack.enter_context(tempfile.TemporaryFile())
        except OSError:  # without a writable folder, the notes are shown
            yield
            return
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            held.seek(0)
            for line in held:
                if not line.startswith(notes):
                    os.write(2, line)
