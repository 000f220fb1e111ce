"""Find the faces of a camera's frames where they were a moment ago, and look for others only now and then."""

import numpy as np

from demo.faces import Face, FaceFinder

_LOOK_SECONDS = 0.25


class FaceFollower:
    """Finds the faces in the frames of one camera, in their order; not thread-safe.

    The detector, which takes 3 of 14 ms, runs every `_LOOK_SECONDS`, so that newcomers are seen, and in each frame
    while a face is lost or known by its key points alone. What it finds anew never displaces a face that is followed.
    """

    def __init__(self, finder: FaceFinder) -> None:
        self._finder = finder
        self._faces: tuple[Face, ...] = ()
        self._shape: tuple[int, ...] = ()
        self._looked = -np.inf

    def find(self, frame: np.ndarray, seconds: float) -> tuple[Face, ...]:
        """All faces of the next frame.

        Args:
            frame: (height, width, 3), uint8, RGB.
            seconds: when it was seen, on any clock that does not go back.

        Raises:
            ValueError: the frame has another shape or type.
        """
        before = self._faces if frame.shape == self._shape else ()
        faces = self._finder.follow(frame, before)
        if not faces or len(faces) < len(before) or seconds - self._looked >= _LOOK_SECONDS:
            faces = self._finder.find(frame, thorough=False, known=faces)
            self._looked = seconds
        self._faces, self._shape = faces, frame.shape
        return faces
