"""MediaPipe's face landmarker, which finds eyes and mouth to the pixel where a face is known to be."""

import numpy as np

from demo.pipeline.face import Box, Face, face_inside
from demo.pipeline.mediapipe.face_models import FaceModel
from demo.pipeline.mediapipe.head_pose import head_angles
from demo.pipeline.mediapipe.views import around, as_shares, cut, shrink, turn_back

_INPUT_SIDE = 512
# MediaPipe's face mesh: the irises and the corners of the mouth, left and right in the picture.
_LEFT_IRIS, _RIGHT_IRIS = 468, 473
_MOUTH_CORNERS = (61, 291)


class Landmarker:
    """Finds the points that align a face. Thread-safe.

    Args:
        model: MediaPipe's FaceLandmarker.
    """

    def __init__(self, model: FaceModel) -> None:
        self._model = model

    def face_near(
        self, frame: np.ndarray, box: Box, points: np.ndarray, *, max_shift: float, quarters: int = 0
    ) -> Face | None:
        """Look for a face around a box.

        Args:
            frame: (height, width, 3), uint8, RGB.
            box: x, y, width, height in pixels of the frame.
            points: (3, 2), where eyes and mouth are expected.
            max_shift: how far from there they may be, as a share of the box's longer side; a face farther off is a
                neighbour's.
            quarters: quarter turns to the left that put the face upright.

        Returns:
            None if there is no face, or only a neighbour's.
        """
        window = around(box)
        crop = np.rot90(shrink(cut(frame, window), _INPUT_SIDE), quarters)
        for landmarks in self._model(crop).face_landmarks:
            mesh = turn_back(as_shares(landmarks), quarters) * window[2:] + window[:2] - 0.5
            left_corner, right_corner = (mesh[i] for i in _MOUTH_CORNERS)
            found = np.stack([mesh[_LEFT_IRIS], mesh[_RIGHT_IRIS], (left_corner + right_corner) / 2])
            if np.linalg.norm(found.mean(axis=0) - points.mean(axis=0)) < max_shift * max(box[2:]):
                low, high = mesh.min(axis=0) + 0.5, mesh.max(axis=0) + 0.5
                return face_inside(frame, (*low, *(high - low)), found, "landmarks", *head_angles(landmarks))
        return None
