"""Follow faces through a camera's frames: the detector moves them along, and landmarks are refreshed now and then."""

from dataclasses import dataclass

import numpy as np

from demo.limits import MAX_LIVE_FACES
from demo.pipeline.align import similarity
from demo.pipeline.detect import FaceFinder
from demo.pipeline.face import Box, Detection, Face, face_inside, overlap, same_face, suppress_overlaps

# Re-run the landmarker on a face after this many seconds; in between, detections move its points. Each frame that waits
# meanwhile adds as much again, up to a limit, so that all visitors together, however many, cost about seven runs a
# second. `python -m demo.benchmark following` measures how much accuracy that costs.
_LANDMARK_INTERVAL_SECONDS = 0.15
_MAX_LANDMARK_INTERVAL_SECONDS = 5.0
# How far key points may lie from where rotation, scale and translation put them, as a share of the face's box. Beyond
# that, the head has turned, or the detection is another face.
_MAX_RESIDUAL = 0.06
# Look for new faces at most this often.
_SEARCH_INTERVAL_SECONDS = 0.15
# A detection may be a face that has moved, if it is no farther from the face's last place than this, in widths of the
# face, and has about its size. That never happens at 30 frames a second: in 33 ms a face does not leave its own box.
_MAX_WIDTHS_PER_SECOND = 4.0
_MAX_SIZE_RATIO = 1.5
# If there are too many faces to follow, a new one replaces one whose area is smaller by this factor. Without a factor,
# two of the same size would keep replacing each other.
_CLEARLY_LARGER = 1.3


@dataclass(frozen=True, eq=False)
class _FollowedFace:
    """A face in the present frame, with what is known from the frame in which its landmarks were found.

    Attributes:
        face: in the present frame.
        landmarked: the same face in the frame of its landmarks.
        key_points: (4, 2) the detector's points in that frame; None if the detector missed the face.
        seconds: when that frame was seen.
    """

    face: Face
    landmarked: Face
    key_points: np.ndarray | None
    seconds: float

    @property
    def box(self) -> Box:
        return self.face.box

    def moved(self, detection: Detection, frame: np.ndarray) -> "_FollowedFace | None":
        """Move the landmarks along with a detection; None if it doesn't show where they are."""
        if self.key_points is None:
            return None
        matrix = similarity(self.key_points, detection.points)
        residual = np.abs(_transformed(matrix, self.key_points) - detection.points).max()
        if residual > _MAX_RESIDUAL * max(detection.box[2:]):
            return None
        old = self.landmarked
        corner, size = np.array(old.box[:2]), np.array(old.box[2:])
        new_size = float(np.hypot(matrix[0, 0], matrix[1, 0])) * size
        x, y = _transformed(matrix, corner + size / 2) - new_size / 2
        points = _transformed(matrix, old.points)
        face = face_inside(frame, (x, y, *new_size), points, old.kind, old.yaw, old.pitch)
        return _FollowedFace(face, old, self.key_points, self.seconds) if face else None


class FaceFollower:
    """Finds the faces in the frames of one camera, in their order; not thread-safe.

    The detector takes 3 ms for all faces together and says how each one has moved since its landmarks were found. The
    landmarker takes 10 ms per face and runs for one face per frame, the one with the oldest landmarks. A new face does
    not displace a followed one, unless there are more than `MAX_LIVE_FACES`: then the largest are followed.

    Args:
        finder: detects faces and finds landmarks; it may be shared with other followers.

    Attributes:
        left_out: how many faces the detector saw beyond the `MAX_LIVE_FACES` that are followed, unconfirmed by
            landmarks: in the last frame or, where all are too small to be seen at a glance, when they were looked for.
    """

    def __init__(self, finder: FaceFinder) -> None:
        self._finder = finder
        self.left_out = 0
        self._followed: list[_FollowedFace] = []
        self._shape: tuple[int, ...] = ()
        self._searched = -np.inf  # when, in seconds
        self._seconds = -np.inf  # of the previous frame

    def find(self, frame: np.ndarray, seconds: float, waiting: int = 0) -> tuple[Face, ...]:
        """Find all faces of the next frame.

        Args:
            frame: (height, width, 3), uint8, RGB.
            seconds: when it was seen, on any clock that does not go back.
            waiting: how many frames of other cameras wait for this one; the more, the less often landmarks are found.

        Returns:
            The faces, those already followed before the new ones; at most `MAX_LIVE_FACES`.

        Raises:
            ValueError: the frame has another shape or type.
        """
        if frame.shape != self._shape:
            self._followed, self._shape, self._searched = [], frame.shape, -np.inf
        before = self._followed
        seen = self._finder.glance(frame) if before else None
        detections = seen or ()
        faces = self._follow(frame, detections, seconds, landmark_interval(waiting))
        is_one_lost = len(faces) < len(before)
        new = _unfollowed(faces, detections)
        is_search_due = seconds - self._searched >= _SEARCH_INTERVAL_SECONDS
        if is_one_lost or ((new or not faces) and is_search_due):
            faces = _still_largest(faces, detections)
            known = tuple(followed.face for followed in faces)
            looked = self._finder.look(frame, seen, far=not known)
            found = self._finder.find_in_camera_frame(frame, known=known, seen=looked, largest=MAX_LIVE_FACES)
            found = found[len(known) :]
            faces += [_landmarked(face, detections, seconds) for face in found]
            self._searched = seconds
            self.left_out = len(_unfollowed(faces, looked))
        elif detections:
            self.left_out = len(new)
        if len(faces) < MAX_LIVE_FACES:
            self.left_out = 0
        self._followed, self._seconds = faces, seconds
        return tuple(followed.face for followed in faces)

    def _follow(
        self, frame: np.ndarray, detections: tuple[Detection, ...], seconds: float, interval: float
    ) -> list[_FollowedFace]:
        """The faces of the previous frame that are found again; `interval`: seconds after which landmarks are due."""
        pairs, free = _matched(self._followed, detections)
        moved = {followed: followed.moved(detection, frame) for followed, detection in pairs}
        due = [old for old, new in moved.items() if new and seconds - old.seconds >= interval]
        oldest = min(due, key=lambda followed: followed.seconds, default=None)
        faces: list[_FollowedFace] = []
        for old in self._followed:
            new = moved.get(old)
            if new and old is not oldest:
                faces.append(new)
            elif old in moved or not self._has_moved_away(old, free, seconds):
                again = self._finder.follow(frame, ((new or old).face,))
                faces += [_landmarked(face, detections, seconds) for face in again]
        return suppress_overlaps(faces)

    def _has_moved_away(self, old: _FollowedFace, free: list[Detection], seconds: float) -> bool:
        """Whether a detection is probably this face, out of the landmarker's reach; if so, removes it from `free`."""
        reach = _MAX_WIDTHS_PER_SECOND * (seconds - self._seconds)
        elsewhere = next((detection for detection in free if _may_be(old.box, detection.box, reach)), None)
        if elsewhere:
            free.remove(elsewhere)
        return elsewhere is not None


def landmark_interval(waiting: int) -> float:
    """How many seconds later to find a face's landmarks again.

    Args:
        waiting: how many frames of other cameras wait meanwhile.
    """
    return min(_LANDMARK_INTERVAL_SECONDS * (1 + waiting), _MAX_LANDMARK_INTERVAL_SECONDS)


def _landmarked(face: Face, detections: tuple[Detection, ...], seconds: float) -> _FollowedFace:
    """A face whose landmarks were found in this frame."""
    points = next((detection.points for detection in detections if same_face(detection, face)), None)
    return _FollowedFace(face, face, points, seconds)


def _unfollowed(followed: list[_FollowedFace], detections: tuple[Detection, ...]) -> list[Detection]:
    """The detections of faces that are not followed."""
    return [part for part in detections if not any(same_face(part, face) for face in followed)]


def _still_largest(followed: list[_FollowedFace], detections: tuple[Detection, ...]) -> list[_FollowedFace]:
    """The followed faces, except those that a new face pushes out of the largest."""
    new = _unfollowed(followed, detections)
    rivals = sorted((_area(part.box) for part in new), reverse=True)[MAX_LIVE_FACES - len(followed) :]
    if not rivals:
        return followed
    seen = {face: _area(_seen_box(face, detections)) for face in followed}
    smallest = sorted(followed, key=lambda face: seen[face])
    gone = [face for face, rival in zip(smallest, rivals, strict=False) if rival > _CLEARLY_LARGER * seen[face]]
    return [face for face in followed if face not in gone]


def _seen_box(face: _FollowedFace, detections: tuple[Detection, ...]) -> Box:
    """A face's box as the detector sees it, since only the detector's boxes are comparable; else its own."""
    return next((part.box for part in detections if same_face(part, face)), face.box)


def _area(box: Box) -> float:
    return box[2] * box[3]


def _may_be(face: Box, detection: Box, reach: float) -> bool:
    """Whether a detection has about a face's size and is at most `reach` face widths away from it."""
    across, down = (
        start + length / 2 - other_start - other_length / 2
        for start, length, other_start, other_length in zip(
            detection[:2], detection[2:], face[:2], face[2:], strict=True
        )
    )
    ratio = max(detection[2:]) / max(face[2:])
    return np.hypot(across, down) <= reach * max(face[2:]) and 1 / _MAX_SIZE_RATIO <= ratio <= _MAX_SIZE_RATIO


def _matched(
    followed: list[_FollowedFace], detections: tuple[Detection, ...]
) -> tuple[list[tuple[_FollowedFace, Detection]], list[Detection]]:
    """Match faces with detections by overlap, greedily, each at most once; also returns the detections left over."""
    free = list(detections)
    pairs = []
    for face in followed:
        near = [detection for detection in free if same_face(face, detection)]
        if near:
            closest = max(near, key=lambda detection: overlap(face.box, detection.box))
            free.remove(closest)
            pairs.append((face, closest))
    return pairs, free


def _transformed(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Apply a (2, 3) affine matrix to points, (…, 2)."""
    return points @ matrix[:, :2].T + matrix[:, 2]
