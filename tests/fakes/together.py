"""Shows that two threads find faces at the same time: neither goes on before the other has arrived."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from mediapipe.tasks.python import vision

_Glance = Callable[[Any], Sequence[Any]]


def glance_together(monkeypatch: pytest.MonkeyPatch, glance: _Glance, picture: Any) -> list[int]:
    """Look for faces in a picture from two threads that meet inside the detector; returns how many each found."""
    together, detect = threading.Barrier(2), vision.FaceDetector.detect

    def meet(self: Any, image: Any) -> Any:
        together.wait(60)
        return detect(self, image)

    monkeypatch.setattr(vision.FaceDetector, "detect", meet)
    with ThreadPoolExecutor(2) as pool:
        return [len(found) for found in pool.map(glance, (picture, picture))]
