"""Find the faces in a frame, and the three points that align each."""

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np

from demo.pipeline.face import Detection, Face, face_inside, same_face, suppress_overlaps
from demo.pipeline.mediapipe.blazeface import INPUT_SIDE, BlazeFace
from demo.pipeline.mediapipe.face_models import FaceModels
from demo.pipeline.mediapipe.head_pose import yaw_by_nose
from demo.pipeline.mediapipe.landmarks import Landmarker
from demo.pipeline.mediapipe.views import ratio, shrink
from demo.pipeline.mediapipe.windows import TILE_LIMITS, small_sides

# If no face is upright, the turned frame is searched with these numbers of tiles per longer side.
_TURNED_TILINGS = (2, 4)
# Faces in one photo have similar sizes. Smaller windows are skipped if all faces found are larger than these, or, if
# there are few, larger than this share of them. A longer picture, usually a screenshot, may hold many photos.
_FEW_FACES = 4
_SIMILAR_SHARE_OF_FEW = 0.5
_MAX_PHOTO_ASPECT = 2
# In a photo: folds and patches of a portrait enlarged to 48 million pixels scored up to 0.73, and the landmarker saw
# faces in them, too. Of 453 true faces of 35 to 90 pixels, turned and partly dark and noisy, three scored less.
_MIN_SCORE = 0.74
# Many small windows have more chances of a false positive: text and patches of hair scored up to 0.81. About two in a
# hundred true faces scored less.
_MIN_SMALL_SCORE = 0.82
# For a detection that no landmarks confirm (usually a profile). True faces scored 0.77 or more, false ones up to 0.83.
_MIN_KEYPOINT_SCORE = 0.8
# A face as large as in a portrait needs less of either. 500 true portraits scored 0.72 or more.
_MIN_PORTRAIT_SCORE = 0.6
_PORTRAIT_SHARE = 0.25
# A search of a photo ends early if there are more than this many times the faces allowed: among the small windows'
# detections, many of which are no faces, and among those that a closer look has confirmed.
_MAX_SEEN_RATIO, _MAX_CONFIRMED_RATIO = 10, 2
# How far landmarks may lie from the detection that they confirm, and from where they were in the previous frame, as
# a share of the face's box; a face farther off is a neighbour's.
_MAX_SHIFT_FROM_DETECTION = 0.3
_MAX_SHIFT_BETWEEN_FRAMES = 0.5


class TooManyFacesError(ValueError):
    """A picture shows more faces than allowed."""


class FaceFinder:
    """Finds faces and their alignment points. Thread-safe; make one and share it.

    Args:
        copies: of the face models, some 50 MB each: how many threads can find faces at the same time.

    Raises:
        demo.pipeline.mediapipe.face_models.FaceModelError: a model file is missing or has been changed.
    """

    def __init__(self, copies: int = 1) -> None:
        models = FaceModels(copies)
        self._detector = BlazeFace(models.detector)
        self._landmarker = Landmarker(models.landmarker)

    def find_in_photo(self, frame: np.ndarray, *, most: int | None = None) -> tuple[Face, ...]:
        """Find all faces of a photo: small ones too and, if none is upright, those turned by 180 or 90 degrees.

        Takes 0.1 to 1 second for a photo of a few faces, 1 second more if there are many or small ones.

        Args:
            frame: (height, width, 3), uint8, RGB.
            most: how many faces there may be; None for any number.

        Returns:
            The faces, most certain first.

        Raises:
            TooManyFacesError: there are more than `most`.
            ValueError: the frame has another shape or type.
        """
        _check(frame)
        detections = _best(self._search_photo(frame, most))
        _check_number(detections, most)
        return tuple(suppress_overlaps(self._faces(frame, detections)))

    def find_in_camera_frame(
        self,
        frame: np.ndarray,
        *,
        known: tuple[Face, ...] = (),
        seen: tuple[Detection, ...] | None = None,
        largest: int | None = None,
    ) -> tuple[Face, ...]:
        """Find the upright faces of a webcam's frame; small ones only if there is no larger one.

        Takes about 10 ms per face.

        Args:
            frame: (height, width, 3), uint8, RGB.
            known: faces already found in this frame; they come first.
            seen: what `look` saw in this frame, so that it need not look again.
            largest: how many faces to find at most, including the known ones; keeps the largest. None for all.

        Returns:
            The faces, most certain first.

        Raises:
            ValueError: the frame has another shape or type.
        """
        _check(frame)
        detections = self.look(frame, far=not known) if seen is None else seen
        new = [part for part in detections if not any(same_face(part, face) for face in known)]
        room = None if largest is None else max(0, largest - len(known))
        if room is not None and len(new) > room:  # tries as many as may be found, since some are not faces
            new = sorted(new, key=lambda part: -part.box[2] * part.box[3])[:largest]
        return tuple(suppress_overlaps((*known, *islice(self._faces(frame, new), room))))

    def glance(self, frame: np.ndarray) -> tuple[Detection, ...]:
        """Run only the detector, on the whole frame: takes 3 ms, however many faces there are.

        Args:
            frame: (height, width, 3), uint8, RGB.

        Returns:
            One detection for each face, best score first.

        Raises:
            ValueError: the frame has another shape or type.
        """
        _check(frame)
        return tuple(_best(self._detector.in_whole(frame)))

    def look(
        self, frame: np.ndarray, glanced: tuple[Detection, ...] | None = None, *, far: bool
    ) -> tuple[Detection, ...]:
        """Detect faces near a webcam or, if there are none, distant ones.

        Args:
            frame: (height, width, 3), uint8, RGB.
            glanced: what `glance` has seen in this frame; None if it has not run yet.
            far: whether to look for small faces where there is no larger one.

        Returns:
            One detection for each face, by falling score.

        Raises:
            ValueError: the frame has another shape or type.
        """
        detections = list(self.glance(frame) if glanced is None else glanced)
        detections = detections or self._detector.in_padded(frame)
        if not detections and far:
            detections = self._detector.in_tiles(frame, 2)
        return tuple(_best(detections))

    def follow(self, frame: np.ndarray, faces: tuple[Face, ...]) -> tuple[Face, ...]:
        """Find faces of the previous frame again near where they were, using only the landmarker.

        Args:
            frame: (height, width, 3), uint8, RGB.
            faces: the faces of the previous frame; only those with landmarks can be found.

        Returns:
            The faces found again, in the same order.

        Raises:
            ValueError: the frame has another shape or type.
        """
        _check(frame)
        again = (
            self._landmarker.face_near(frame, face.box, face.points, max_shift=_MAX_SHIFT_BETWEEN_FRAMES)
            for face in faces
            if face.kind == "landmarks"
        )
        return tuple(suppress_overlaps(face for face in again if face))

    def _search_photo(self, frame: np.ndarray, most: int | None) -> list[Detection]:
        """Detect faces of any size; if none is upright, also turned ones.

        Raises:
            TooManyFacesError: there are far more than `most`.
        """
        view = _searchable(frame)
        detections = self._in_tiles(view, tuple(TILE_LIMITS))
        for quarters in (2, 1, 3):
            detections = detections or self._in_tiles(view, _TURNED_TILINGS, quarters)
        detections = [detection.mapped(ratio(frame, view)) for detection in _best(detections)]
        detections = self._with_small(frame, detections, most)
        closer = (self._detector.look_closer(frame, detection) for detection in detections)
        return _certain(closer, frame)

    def _in_tiles(self, frame: np.ndarray, tilings: tuple[int, ...], quarters: int = 0) -> list[Detection]:
        """Detect in the whole frame and in tiles; if that finds none, with padding around the frame."""
        detections = self._detector.in_whole(frame, quarters)
        for parts in tilings:
            detections += self._detector.in_tiles(frame, parts, quarters)
        return detections or self._detector.in_padded(frame, quarters)

    def _with_small(self, frame: np.ndarray, detections: list[Detection], most: int | None) -> list[Detection]:
        """Add faces found in small windows, going down in size as long as smaller faces are likely.

        Raises:
            TooManyFacesError: there are far more than `most`.
        """
        height, width = frame.shape[:2]
        is_photo = max(width, height) <= _MAX_PHOTO_ASPECT * min(width, height)
        for side in small_sides(width, height):
            certain = _certain(detections, frame)
            smaller = side * (_SIMILAR_SHARE_OF_FEW if len(certain) <= _FEW_FACES else 1)
            if is_photo and certain and min(max(part.box[2:]) for part in certain) > smaller:
                break
            for quarters in {0, *(part.quarters for part in certain)}:
                found = _best(self._detector.in_small_windows(frame, side, quarters))
                unknown = suppress_overlaps((*certain, *found))[len(certain) :]
                _check_number(unknown, most, _MAX_SEEN_RATIO)
                closer = (self._detector.look_closer(frame, part) for part in unknown)
                detections = _best((*detections, *(part for part in closer if part.score >= _MIN_SMALL_SCORE)))
                _check_number(detections, most, _MAX_CONFIRMED_RATIO)
        return detections

    def _faces(self, frame: np.ndarray, detections: Iterable[Detection]) -> Iterator[Face]:
        """Confirm and refine detections one at a time, so that a caller who has enough saves the rest."""
        faces = (self._face(frame, detection) for detection in detections)
        return (face for face in faces if face)

    def _face(self, frame: np.ndarray, detection: Detection) -> Face | None:
        """Confirm and refine a detection by its landmarks or, without them, by the detector's score."""
        box, points = detection.box, detection.points[:3]
        shift = _MAX_SHIFT_FROM_DETECTION
        face = self._landmarker.face_near(frame, box, points, max_shift=shift, quarters=detection.quarters)
        if not face and detection.score >= _score_needed(detection, frame, _MIN_KEYPOINT_SCORE):
            return face_inside(frame, box, points, "keypoints", yaw_by_nose(detection.points), 0.0)
        return face


def _check(frame: np.ndarray) -> None:
    # An array of any other form would break MediaPipe's task for good.
    if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8 or frame.size == 0:
        raise ValueError(f"a frame has to be (height, width, 3) uint8 RGB, not {frame.shape} {frame.dtype}")


def _check_number(detections: list[Detection], most: int | None, times: int = 1) -> None:
    """Raise TooManyFacesError if there are more than `times` the faces allowed."""
    if most is not None and len(detections) > times * most:
        raise TooManyFacesError(f"more than {most} faces")


def _searchable(frame: np.ndarray) -> np.ndarray:
    """Shrink the frame once, to the size at which the smallest tiles still fill the detector's input."""
    return shrink(frame, max(TILE_LIMITS) * INPUT_SIDE)


def _best(detections: Iterable[Detection]) -> list[Detection]:
    """One detection for each face, best score first."""
    return suppress_overlaps(sorted(detections, key=lambda detection: -detection.score))


def _certain(detections: Iterable[Detection], frame: np.ndarray) -> list[Detection]:
    """The detections of a photo whose score is high enough."""
    return [part for part in detections if part.score >= _score_needed(part, frame, _MIN_SCORE)]


def _score_needed(detection: Detection, frame: np.ndarray, usual: float) -> float:
    """The score that a detection needs: the usual one, or less if it is as large as in a portrait."""
    is_portrait = max(detection.box[2:]) >= _PORTRAIT_SHARE * min(frame.shape[:2])
    return _MIN_PORTRAIT_SCORE if is_portrait else usual
