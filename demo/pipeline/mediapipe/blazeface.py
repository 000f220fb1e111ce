"""Runs MediaPipe's face detector, BlazeFace, on windows of a frame: it only sees faces that fill much of its input."""

import numpy as np

from demo.pipeline.face import Box, Detection, overlap
from demo.pipeline.mediapipe.face_models import FaceModel
from demo.pipeline.mediapipe.views import around, as_shares, cut, ratio, shrink, turn_back
from demo.pipeline.mediapipe.windows import Window, squares, tiles, whole, with_room

# The model shrinks its input to 128 pixels. Shrinking to twice that beforehand, by area, keeps small faces whole.
INPUT_SIDE = 256
# MediaPipe's key points in the order of `Detection.points`: both eyes, mouth, nose.
_KEY_POINTS = (0, 1, 3, 2)
# A window with a face has at least this range of values, however dark or pale it is.
_MIN_CONTRAST = 16
# Upside-down faces scored at most 0.85 on 300 pictures; three in four upright ones scored more than this.
_CERTAINLY_UPRIGHT_SCORE = 0.88
# Every upright face in those pictures scored at least this; faces found in a turned image have to, too.
_MIN_TURNED_SCORE = 0.8
# A second look must overlap the first by this share of the smaller box.
_MIN_SECOND_LOOK_OVERLAP = 0.5
# A face this close to a window's edge, as a share of its side, counts as cut off.
_CUT_OFF_MARGIN = 0.02


class BlazeFace:
    """Detects faces in a whole frame, in tiles and in small windows. Thread-safe.

    Every method takes frames as (height, width, 3), uint8, RGB, and returns detections in pixels of that frame.

    Args:
        model: MediaPipe's FaceDetector.
    """

    def __init__(self, model: FaceModel) -> None:
        self._model = model

    def in_whole(self, frame: np.ndarray, quarters: int = 0) -> list[Detection]:
        """Detect in the whole frame.

        Args:
            frame: (height, width, 3), uint8, RGB.
            quarters: quarter turns to the left, 0 to 3, by which the frame is turned before detection.

        Returns:
            The detections, in no particular order.
        """
        view = shrink(frame, INPUT_SIDE)
        return self._in_windows(frame, view, whole(view.shape[1], view.shape[0]), quarters)

    def in_tiles(self, frame: np.ndarray, parts: int, quarters: int = 0) -> list[Detection]:
        """Detect in overlapping square tiles.

        Args:
            frame: (height, width, 3), uint8, RGB.
            parts: tiles per longer side, a key of `demo.pipeline.mediapipe.windows.TILE_LIMITS`.
            quarters: quarter turns to the left, 0 to 3, by which each tile is turned before detection.

        Returns:
            The detections of all tiles, without faces that a tile cuts off; may contain one face more than once.
        """
        view = shrink(frame, parts * INPUT_SIDE)
        return self._in_windows(frame, view, tiles(view.shape[1], view.shape[0], parts), quarters)

    def in_padded(self, frame: np.ndarray, quarters: int = 0) -> list[Detection]:
        """Detect with black padding around the frame, to find a face that fills it.

        Args:
            frame: (height, width, 3), uint8, RGB.
            quarters: quarter turns to the left, 0 to 3, by which the padded frame is turned before detection.

        Returns:
            The detections, in no particular order.
        """
        view = shrink(frame, INPUT_SIDE // 2)
        return self._in_windows(frame, view, with_room(view.shape[1], view.shape[0]), quarters)

    def in_small_windows(self, frame: np.ndarray, side: int, quarters: int) -> list[Detection]:
        """Detect in overlapping small windows, except those with next to no contrast.

        Args:
            frame: (height, width, 3), uint8, RGB.
            side: of a window, in pixels of the frame.
            quarters: quarter turns to the left, 0 to 3, by which each window is turned before detection.

        Returns:
            The detections of all windows, without faces that a window cuts off; may contain one face more than once.
        """
        shown = min(side, INPUT_SIDE)
        view = shrink(frame, round(max(frame.shape) * shown / side))
        windows = squares(view.shape[1], view.shape[0], shown)
        textured = [window for window in windows if np.ptp(cut(view, window)) >= _MIN_CONTRAST]
        return self._in_windows(frame, view, textured, quarters)

    def look_closer(self, frame: np.ndarray, detection: Detection) -> Detection:
        """Detect the same face again, at the best size and turned each of the four ways.

        The detector also finds upside-down faces, with less confidence, and mistakes the chin for the forehead.

        Args:
            frame: (height, width, 3), uint8, RGB.
            detection: a face found in this frame.

        Returns:
            The detection with the highest score, which may be `detection` itself.
        """
        if detection.score >= _CERTAINLY_UPRIGHT_SCORE:
            return detection
        window = around(detection.box)
        crop = shrink(cut(frame, window), INPUT_SIDE)
        found = [detection]
        for quarters in range(4):
            seen = [
                part.mapped(np.array(window[2:]) / crop.shape[0], window[:2]) for part in self._detect(crop, quarters)
            ]
            found += [part for part in seen if overlap(part.box, detection.box) > _MIN_SECOND_LOOK_OVERLAP]
        return max(found, key=lambda part: part.score)

    def _in_windows(self, frame: np.ndarray, view: np.ndarray, windows: list[Window], quarters: int) -> list[Detection]:
        """Detect in windows of `view`, the shrunk frame; leave out faces that a window cuts off."""
        detections = []
        for window in windows:
            for found in self._detect(cut(view, window), quarters):
                detection = found.mapped(np.ones(2), window[:2])
                if not _is_cut_off(detection.box, window, view):
                    detections.append(detection.mapped(ratio(frame, view)))
        return detections

    def _detect(self, image: np.ndarray, quarters: int) -> list[Detection]:
        """Detect in the image turned left by `quarters`; boxes and points refer to the unturned image."""
        turned = np.rot90(image, quarters)
        size = np.array([image.shape[1], image.shape[0]])
        detections = []
        for found in self._model(turned).detections:
            bounds = found.bounding_box
            ends = np.array([[bounds.origin_x, bounds.origin_y], [bounds.width, bounds.height]]).cumsum(axis=0)
            corners = turn_back(ends / (turned.shape[1], turned.shape[0]), quarters) * size
            (left, top), (right, bottom) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
            points = turn_back(as_shares([found.keypoints[i] for i in _KEY_POINTS]), quarters) * size - 0.5
            score = found.categories[0].score
            if right > left and bottom > top and (not quarters or score >= _MIN_TURNED_SCORE):
                box = (left, top, right - left, bottom - top)
                detections.append(Detection(box, points.astype(np.float32), score, quarters))
        return detections


def _is_cut_off(box: Box, window: Window, frame: np.ndarray) -> bool:
    """Whether the window, not the frame, cuts the face off; a neighbouring window then shows it whole."""
    for start, length, low, side, limit in zip(
        box[:2], box[2:], window[:2], window[2:], frame.shape[1::-1], strict=True
    ):
        margin = _CUT_OFF_MARGIN * side
        if low > 0 and start < low + margin:
            return True
        if low + side < limit and start + length > low + side - margin:
            return True
    return False
