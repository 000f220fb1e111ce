"""Find the faces of a frame, and in each the three points that fix its alignment, with MediaPipe."""

import hashlib
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

import cv2
import numpy as np

from demo.paths import ASSETS
from demo.pipeline.windows import TILE_LIMITS, Window, small_sides, squares, tiles, whole, with_room

Box = tuple[float, float, float, float]
PointKind = Literal["landmarks", "keypoints"]

DETECTOR = "face_detection_short_range.tflite"
LANDMARKER = "face_landmarker.task"
SHA256 = {
    DETECTOR: "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
    LANDMARKER: "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
}

# The detector shrinks what it sees to 128 pixels. Shrinking to twice that beforehand, by area, keeps small faces whole.
_DETECTOR_SIDE = 256
_LANDMARKER_SIDE = 512
# Where no face is upright, the turned frame is looked at in tiles of these shares of its longer side.
_TURNED_TILINGS = (2, 4)
# Faces of one photo are of like size: where all that were found are larger than the next smaller windows, or a few are
# larger than this share of them, these are not looked at. A longer picture, a screenshot mostly, holds many photos.
_FEW_FACES = 4
_LIKE_SHARE_OF_FEW = 0.5
_LONGEST_PHOTO = 2
# The spread of the values that a window with a face has at the very least, however dark and pale it is.
_LEAST_CONTRAST = 16
# A face as a share of the crop that the landmarker sees.
_CROP_FACTOR = 2.5
# In a photo the landmarker, too, sees faces in what the detector is unsure of: in folds and patches of a portrait that
# was enlarged to 48 million pixels, at scores up to 0.73. Of 453 true faces of 35 to 90 pixels, turned and partly dark
# and noisy, three scored less than this.
_LEAST_SCORE = 0.74
# Many small windows have more chances to go wrong. There, text and patches of hair scored up to 0.81; about two in
# a hundred true faces scored less than this.
_LEAST_SMALL_SCORE = 0.82
# Without landmarks to confirm it, a detection has to be this certain to count as a face (from the side, mostly). True
# faces scored 0.77 or more, what only looked like one up to 0.83.
_LEAST_KEYPOINT_SCORE = 0.8
# Where it is as large as in a portrait, less is enough for both. 500 true portraits scored 0.72 or more.
_LEAST_PORTRAIT_SCORE = 0.6
_PORTRAIT_SHARE = 0.25
# Upside-down faces scored at most 0.85 on 300 pictures, three in four upright ones more than this. What is found turned
# has to be as certain as all upright faces were there.
_CERTAINLY_UPRIGHT = 0.88
_LEAST_TURNED_SCORE = 0.8
_LEAST_FACE = 12
# How far landmarks may lie from the detection that they confirm, and from where they were in the frame before, as a
# share of the face's box; farther off is a neighbour's face.
_NEIGHBOUR_SHIFT = 0.3
_FOLLOWED_SHIFT = 0.5
# On 1,500 validation pictures of CelebA the line from forehead to chin leaned back by so many degrees in the middle.
# By the nose the yaw came out within 2 degrees of the landmarks' in half of the pictures, within 5 in nine of ten.
_FRONTAL_PITCH = 10.0
_YAW_BY_NOSE = 1.42


class FaceModelError(RuntimeError):
    """A model file of MediaPipe is missing or is not the one that this program was made for."""


@dataclass(frozen=True, eq=False)
class Face:
    """One face of a frame.

    Attributes:
        box: x, y, width, height in pixels of the frame, inside the frame.
        points: (3, 2) float32, the eye on the left of an upright picture, the eye on its right, the middle of the
            mouth; pixel-centre coordinates (x, y) of the frame.
        kind: what found the points, and so which alignment targets apply: the landmarker, or the detector's own key
            points where the landmarker saw no face (from the side, mostly).
        yaw, pitch: how far the head is turned to the picture's right and bowed, in degrees; (0, 0) is how half of
            CelebA's faces look into the camera. Key points tell no pitch: it is 0.
    """

    box: Box
    points: np.ndarray
    kind: PointKind
    yaw: float = 0.0
    pitch: float = 0.0


@dataclass(frozen=True, eq=False)
class Detection:
    """What the detector says of one face, in pixels of the image looked at.

    Its points, (4, 2) float32, are those of `Face` and the tip of the nose. It was found in the image turned left by so
    many `quarters`.
    """

    box: Box
    points: np.ndarray
    score: float
    quarters: int

    def moved(self, ratio: np.ndarray, shift: tuple[int, int] = (0, 0)) -> "Detection":
        """The same in a larger image, of which `ratio` pixels make one here, and which begins `shift` earlier."""
        corner, size = np.array(self.box[:2]) * ratio + shift, np.array(self.box[2:]) * ratio
        points = ((self.points + 0.5) * ratio + shift - 0.5).astype(np.float32)
        return replace(self, box=(*corner.tolist(), *size.tolist()), points=points)


class Boxed(Protocol):
    """What has its place in a frame."""

    @property
    def box(self) -> Box: ...


Found = TypeVar("Found", bound=Boxed)


class FaceFinder:
    """Finds faces and their alignment points. Thread-safe; make one and share it.

    Raises:
        FaceModelError: a model file is missing or has been changed.
    """

    def __init__(self) -> None:
        for name, sha256 in SHA256.items():
            _verify(ASSETS / name, sha256)
        with _without_startup_notes():
            self._detector = _Task(_create_detector)
            self._landmarker = _Task(_create_landmarker)
        # An ordinary atexit hook comes too late: by then MediaPipe's threads take no more work and closing fails,
        # and what the garbage collector closes can deadlock.
        threading._register_atexit(self.close)  # type: ignore[attr-defined]
        self._process = os.getpid()

    def close(self) -> None:
        """Give MediaPipe's objects back; done by itself at exit."""
        if os.getpid() != self._process:
            return  # in a fork, where the threads do not exist that closing waits for
        self._detector.close()
        self._landmarker.close()

    def find(self, frame: np.ndarray, *, thorough: bool, known: tuple[Face, ...] = ()) -> tuple[Face, ...]:
        """All faces of a frame, the surest first.

        Args:
            frame: (height, width, 3), uint8, RGB.
            thorough: look for small faces too, and, where none is found, in the frame turned by 180 and 90 degrees.
                Takes 0.1 to 1 second for a photo of a few faces, 1 second more where there are many or small ones;
                without it a webcam's frame takes about 10 ms for each face, and small faces are looked for only where
                there is no larger one.
            known: faces of this very frame that were found already; they come first.

        Raises:
            ValueError: the frame has another shape or type.
        """
        _check(frame)
        view = _shrink(frame, max(TILE_LIMITS) * _DETECTOR_SIDE)
        detections = self._look_over(view, tuple(TILE_LIMITS) if thorough else ())
        for quarters in (2, 1, 3) if thorough else ():
            detections = detections or self._look_over(view, _TURNED_TILINGS, quarters)
        if not thorough and not detections and not known:  # somebody far from a webcam
            detections = self._detect_tiles(view, 2)
        surest_first = sorted(detections, key=lambda detection: -detection.score)
        detections = [detection.moved(_ratio(frame, view)) for detection in distinct(surest_first)]
        if thorough:
            detections = self._with_small(frame, detections)
            closer = (self._look_closer(frame, detection) for detection in detections)
            detections = [part for part in closer if part.score >= _least_score(part, frame, _LEAST_SCORE)]
        detections.sort(key=lambda detection: -detection.score)
        new = [part for part in distinct(detections) if not any(is_same(part, face) for face in known)]
        faces = (self._face(frame, detection) for detection in new)
        return tuple(distinct((*known, *(face for face in faces if face))))

    def glance(self, frame: np.ndarray) -> tuple[Detection, ...]:
        """What the detector alone sees in the frame as a whole: 3 ms, however many faces there are.

        Raises:
            ValueError: the frame has another shape or type.
        """
        _check(frame)
        return tuple(distinct(self._detect_windows(frame, _DETECTOR_SIDE, whole, 0)))

    def follow(self, frame: np.ndarray, faces: tuple[Face, ...]) -> tuple[Face, ...]:
        """Those of the faces of the frame before that are found again, near where they were, by the landmarker alone.

        Raises:
            ValueError: the frame has another shape or type.
        """
        _check(frame)
        seen = (face for face in faces if face.kind == "landmarks")
        again = (self._by_landmarks(frame, face.box, face.points, 0, _FOLLOWED_SHIFT) for face in seen)
        return tuple(distinct(face for face in again if face))

    def _look_over(self, frame: np.ndarray, tilings: tuple[int, ...], quarters: int = 0) -> list[Detection]:
        """Run the detector on the frame as a whole and in tiles."""
        detections = self._detect_windows(frame, _DETECTOR_SIDE, whole, quarters)
        for parts in tilings:
            detections += self._detect_tiles(frame, parts, quarters)
        if not detections:
            # A face that fills the picture is found once there is room around it.
            detections = self._detect_windows(frame, _DETECTOR_SIDE // 2, with_room, quarters)
        return detections

    def _with_small(self, frame: np.ndarray, detections: list[Detection]) -> list[Detection]:
        """The detections, and what else small windows show, as far down as smaller faces are to be expected."""
        height, width = frame.shape[:2]
        is_photo = max(width, height) <= _LONGEST_PHOTO * min(width, height)
        for side in small_sides(width, height):
            sure = [part for part in detections if part.score >= _least_score(part, frame, _LEAST_SCORE)]
            least = side * (_LIKE_SHARE_OF_FEW if len(sure) <= _FEW_FACES else 1)
            if is_photo and sure and min(max(part.box[2:]) for part in sure) > least:
                break
            for quarters in {0, *(part.quarters for part in sure)}:
                found = distinct(sorted(self._detect_small(frame, side, quarters), key=lambda part: -part.score))
                unknown = [part for part in found if not any(is_same(part, other) for other in sure)]
                closer = (self._look_closer(frame, part) for part in unknown)
                new = [part for part in closer if part.score >= _LEAST_SMALL_SCORE]
                detections = distinct(sorted((*detections, *new), key=lambda part: -part.score))
        return detections

    def _detect_small(self, frame: np.ndarray, side: int, quarters: int) -> list[Detection]:
        """Run the detector on windows of `side` pixels of the frame, all but those of one colour."""
        shown = min(side, _DETECTOR_SIDE)
        view = _shrink(frame, round(max(frame.shape) * shown / side))
        windows = squares(view.shape[1], view.shape[0], shown)
        windows = [window for window in windows if np.ptp(_cut(view, window)) >= _LEAST_CONTRAST]
        found = self._detect_windows(view, max(view.shape), lambda *_: windows, quarters)
        return [detection.moved(_ratio(frame, view)) for detection in found]

    def _detect_tiles(self, frame: np.ndarray, parts: int, quarters: int = 0) -> list[Detection]:
        """Run the detector on tiles of a share of the frame's longer side."""
        return self._detect_windows(frame, parts * _DETECTOR_SIDE, partial(tiles, parts=parts), quarters)

    def _detect_windows(
        self, frame: np.ndarray, longest: int, windows: Callable[[int, int], list[Window]], quarters: int
    ) -> list[Detection]:
        """Run the detector on windows of the frame, shrunk beforehand to at most `longest` pixels."""
        view = _shrink(frame, longest)
        detections = []
        for window in windows(view.shape[1], view.shape[0]):
            for found in self._detect(_cut(view, window), quarters):
                detection = found.moved(np.ones(2), window[:2])
                if not _is_cut_off(detection.box, window, view):
                    detections.append(detection.moved(_ratio(frame, view)))
        return detections

    def _detect(self, image: np.ndarray, quarters: int) -> list[Detection]:
        """Run the detector on the image turned left by so many quarters; boxes and points are those of the image."""
        turned = np.rot90(image, quarters)
        size = np.array([image.shape[1], image.shape[0]])
        detections = []
        for found in self._detector(turned).detections:
            bounds = found.bounding_box
            ends = np.array([[bounds.origin_x, bounds.origin_y], [bounds.width, bounds.height]]).cumsum(axis=0)
            corners = _turn_back(ends / (turned.shape[1], turned.shape[0]), quarters) * size
            (left, top), (right, bottom) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
            points = _turn_back(_shares([found.keypoints[i] for i in (0, 1, 3, 2)]), quarters) * size - 0.5
            score = found.categories[0].score
            if right > left and bottom > top and (not quarters or score >= _LEAST_TURNED_SCORE):
                box = (left, top, right - left, bottom - top)
                detections.append(Detection(box, points.astype(np.float32), score, quarters))
        return detections

    def _look_closer(self, frame: np.ndarray, detection: Detection) -> Detection:
        """The detection as it is at the best size and the right way up.

        The detector finds upside-down faces too, less surely, and takes the chin for the forehead.
        """
        if detection.score >= _CERTAINLY_UPRIGHT:
            return detection
        window = _around(detection.box)
        crop = _shrink(_cut(frame, window), _DETECTOR_SIDE)
        found = [detection]
        for quarters in range(4):
            closer = [
                part.moved(np.array(window[2:]) / crop.shape[0], window[:2]) for part in self._detect(crop, quarters)
            ]
            found += [part for part in closer if overlap(part.box, detection.box) > 0.5]
        return max(found, key=lambda part: part.score)

    def _face(self, frame: np.ndarray, detection: Detection) -> Face | None:
        """Confirm and refine a detection by landmarks; without them, by the detector's own certainty."""
        box, points = detection.box, detection.points[:3]
        face = self._by_landmarks(frame, box, points, detection.quarters, _NEIGHBOUR_SHIFT)
        if not face and detection.score >= _least_score(detection, frame, _LEAST_KEYPOINT_SCORE):
            return face_inside(frame, box, points, "keypoints", _yaw_by_nose(detection.points), 0.0)
        return face

    def _by_landmarks(
        self, frame: np.ndarray, box: Box, points: np.ndarray, quarters: int, farthest: float
    ) -> Face | None:
        """The face that the landmarker sees around a box, at most `farthest` of its side away, else a neighbour's."""
        window = _around(box)
        crop = np.rot90(_shrink(_cut(frame, window), _LANDMARKER_SIDE), quarters)
        for landmarks in self._landmarker(crop).face_landmarks:
            outline = _turn_back(_shares(landmarks), quarters) * window[2:] + window[:2] - 0.5
            found = np.stack([outline[468], outline[473], (outline[61] + outline[291]) / 2])
            if np.linalg.norm(found.mean(axis=0) - points.mean(axis=0)) < farthest * max(box[2:]):
                low, high = outline.min(axis=0) + 0.5, outline.max(axis=0) + 0.5
                return face_inside(frame, (*low, *(high - low)), found, "landmarks", *_head_angles(landmarks))
        return None


class _Task:
    """A MediaPipe task that is made again after any error, because an error can leave it useless for good."""

    def __init__(self, create: Callable[[], Any]) -> None:
        self._create = create
        self._lock = threading.Lock()
        self._task = create()

    def __call__(self, image: np.ndarray) -> Any:
        """Detect in a (height, width, 3) uint8 RGB image; one more try after an error."""
        import mediapipe

        # Anything but contiguous memory is read wrong without a word.
        data = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(image))
        task = self._task
        try:
            return task.detect(data)
        except Exception:
            with self._lock:
                if self._task is task:  # else another thread has already made a new one
                    _close(task)
                    self._task = self._create()
            return self._task.detect(data)

    def close(self) -> None:
        with self._lock:
            _close(self._task)


def _create_detector() -> Any:
    # MediaPipe takes 0.2 s to import, which the pages that need no face finder should not wait for.
    from mediapipe.tasks.python import BaseOptions, vision

    base_options = BaseOptions(model_asset_path=str(ASSETS / DETECTOR))
    return vision.FaceDetector.create_from_options(vision.FaceDetectorOptions(base_options=base_options))


def _create_landmarker() -> Any:
    from mediapipe.tasks.python import BaseOptions, vision

    base_options = BaseOptions(model_asset_path=str(ASSETS / LANDMARKER))
    return vision.FaceLandmarker.create_from_options(vision.FaceLandmarkerOptions(base_options=base_options))


def _close(task: Any) -> None:
    with suppress(Exception):  # a task that has failed fails to close, too
        task.close()
    task._handle = None  # else its destructor closes once more


def _verify(path: Path, sha256: str) -> None:
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise FaceModelError(f"The face model {path} cannot be read ({error.strerror}). Restore it.") from error
    if found != sha256:
        raise FaceModelError(f"The face model {path} is damaged or another version. Restore it: see MEDIAPIPE.md.")


@contextmanager
def _without_startup_notes() -> Iterator[None]:
    """Hold back the notes that MediaPipe's C++ side always writes to stderr on creation; pass anything else on."""
    notes = (b"INFO: Created TensorFlow Lite", b"WARNING: All log messages before absl", b"W0000 ")
    sys.stderr.flush()
    try:
        stderr = os.dup(2)
    except OSError:  # a program without a console has none
        yield
        return
    with ExitStack() as stack:
        stack.callback(os.close, stderr)
        try:
            held = stack.enter_context(tempfile.TemporaryFile())
        except OSError:  # no folder can be written to: the notes are shown
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


def _check(frame: np.ndarray) -> None:
    # An array of another form leaves MediaPipe useless ever after.
    if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8 or frame.size == 0:
        raise ValueError(f"a frame has to be (height, width, 3) uint8 RGB, not {frame.shape} {frame.dtype}")


def _shrink(image: np.ndarray, longest: int) -> np.ndarray:
    """The image at a longer side of at most `longest` pixels."""
    height, width = image.shape[:2]
    scale = longest / max(width, height)
    if scale >= 1:
        return image
    return cv2.resize(
        image, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_AREA
    )


def _ratio(image: np.ndarray, shrunk: np.ndarray) -> np.ndarray:
    """How many pixels of the image make one of the shrunk one, across and down."""
    return np.array([image.shape[1] / shrunk.shape[1], image.shape[0] / shrunk.shape[0]])


def _cut(image: np.ndarray, window: Window) -> np.ndarray:
    """What the window shows of the image, black where it reaches outside."""
    left, top, width, height = window
    inside = image[max(0, top) : top + height, max(0, left) : left + width]
    if inside.shape[:2] == (height, width):
        return inside
    cut = np.zeros((height, width, 3), np.uint8)
    y, x = max(0, -top), max(0, -left)
    cut[y : y + inside.shape[0], x : x + inside.shape[1]] = inside
    return cut


def _around(box: Box) -> Window:
    """The square that the landmarker looks at."""
    x, y, width, height = box
    side = max(1, round(_CROP_FACTOR * max(width, height)))
    return round(x + width / 2 - side / 2), round(y + height / 2 - side / 2), side, side


def _shares(points: list[Any]) -> np.ndarray:
    """MediaPipe's points as (points, 2) shares of the image's width and height."""
    return np.array([(point.x, point.y) for point in points])


def _turn_back(shares: np.ndarray, quarters: int) -> np.ndarray:
    """Points of an image turned by ``np.rot90(image, quarters)`` as shares of the image itself."""
    x, y = shares[:, 0], shares[:, 1]
    return np.stack([(x, y), (1 - y, x), (1 - x, 1 - y), (y, 1 - x)][quarters], axis=1)


def _is_cut_off(box: Box, window: Window, frame: np.ndarray) -> bool:
    """Whether the window, not the frame, cuts the face off; a window beside it shows the face whole."""
    for start, length, low, side, limit in zip(
        box[:2], box[2:], window[:2], window[2:], frame.shape[1::-1], strict=True
    ):
        tolerance = 0.02 * side
        if low > 0 and start < low + tolerance:
            return True
        if low + side < limit and start + length > low + side - tolerance:
            return True
    return False


def distinct(found: Iterable[Found]) -> list[Found]:
    """Keep of those that overlap the one that comes first."""
    kept: list[Found] = []
    for candidate in found:
        if not any(is_same(candidate, other) for other in kept):
            kept.append(candidate)
    return kept


def is_same(a: Boxed, b: Boxed) -> bool:
    """Whether two boxes are around one face."""
    return overlap(a.box, b.box) > 0.45


def overlap(a: Box, b: Box) -> float:
    """The common area of two boxes as a share of the smaller one."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return max(0.0, width) * max(0.0, height) / min(a[2] * a[3], b[2] * b[3])


def _least_score(detection: Detection, frame: np.ndarray, small: float) -> float:
    """The score that a detection needs: `small`, or less where it is as large as in a portrait."""
    is_portrait = max(detection.box[2:]) >= _PORTRAIT_SHARE * min(frame.shape[:2])
    return _LEAST_PORTRAIT_SCORE if is_portrait else small


def _head_angles(landmarks: list[Any]) -> tuple[float, float]:
    """Yaw and pitch as in `Face` from the landmarks of a square crop; z counts in the same unit as x, away from us."""
    eyes, chin = (
        np.array(
            [
                landmarks[end].x - landmarks[start].x,
                landmarks[end].y - landmarks[start].y,
                landmarks[end].z - landmarks[start].z,
            ]
        )
        for start, end in ((33, 263), (10, 152))
    )
    yaw, pitch = (np.degrees(np.arctan2(line[2], np.hypot(line[0], line[1]))) for line in (eyes, chin))
    return float(yaw), float(pitch - _FRONTAL_PITCH)


def _yaw_by_nose(points: np.ndarray) -> float:
    """The yaw in degrees by how far the nose lies off the middle of the eyes, in eye distances."""
    eyes = points[1] - points[0]
    off = (points[3] - (points[0] + points[1]) / 2) @ eyes / max(1e-6, eyes @ eyes)
    return float(np.degrees(np.arctan(_YAW_BY_NOSE * off)))


def face_inside(
    frame: np.ndarray, box: Box, points: np.ndarray, kind: PointKind, yaw: float, pitch: float
) -> Face | None:
    """The face with its box cut to the frame; None where that leaves too little to look at."""
    height, width = frame.shape[:2]
    left, top = max(0.0, float(box[0])), max(0.0, float(box[1]))
    right, bottom = min(float(width), float(box[0] + box[2])), min(float(height), float(box[1] + box[3]))
    if min(right - left, bottom - top) < _LEAST_FACE or np.ptp(points, axis=0).max() < _LEAST_FACE / 4:
        return None
    return Face((left, top, right - left, bottom - top), points.astype(np.float32), kind, yaw, pitch)
