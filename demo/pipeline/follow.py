"""Find the faces in a camera's frames where they were a moment ago: the detector moves them along, and landmarks are
taken anew only now and then."""

from dataclasses import dataclass

import numpy as np

from demo.pipeline.align import similarity
from demo.pipeline.detect import Box, Detection, Face, FaceFinder, distinct, face_inside, is_same, overlap

# Landmarks are worth so much of a face's age. Measured: `python -m demo.benchmark following`.
_LANDMARK_SECONDS = 0.15
# How far key points may lie from where turn, scale and shift alone would have taken them, as a share of the face's
# box; the head has turned if they do, or the detection is another one's.
_MOST_BENDING = 0.06
_LOOK_SECONDS = 0.15


@dataclass(frozen=True, eq=False)
class _Followed:
    """A face as it is now, and what its place is told by: its landmarks and the detector's points of one frame.

    key_points: None where the detector did not see the face then. seconds: when that was.
    """

    face: Face
    landmarked: Face
    key_points: np.ndarray | None
    seconds: float

    @property
    def box(self) -> Box:
        return self.face.box

    def moved(self, detection: Detection, frame: np.ndarray) -> "_Followed | None":
        """Moved along with a detection; None where that tells too little of its place."""
        if self.key_points is None:
            return None
        matrix = similarity(self.key_points, detection.points)
        bent = np.abs(_through(matrix, self.key_points) - detection.points).max()
        if bent > _MOST_BENDING * max(detection.box[2:]):
            return None
        old = self.landmarked
        corner, size = np.array(old.box[:2]), np.array(old.box[2:])
        grown = float(np.hypot(matrix[0, 0], matrix[1, 0])) * size
        x, y = _through(matrix, corner + size / 2) - grown / 2
        face = face_inside(frame, (x, y, *grown), _through(matrix, old.points), old.kind, old.yaw, old.pitch)
        return _Followed(face, old, self.key_points, self.seconds) if face else None


class FaceFollower:
    """Finds the faces in the frames of one camera, in their order; not thread-safe.

    The detector, which takes 3 ms for all faces together, says how each one moved since its landmarks were taken, which
    takes 10 ms for each: that is done for one face a frame, the one that waits longest. What is found anew never
    displaces a face that is followed.
    """

    def __init__(self, finder: FaceFinder) -> None:
        self._finder = finder
        self._followed: list[_Followed] = []
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
        if frame.shape != self._shape:
            self._followed, self._shape, self._looked = [], frame.shape, -np.inf
        before = self._followed
        detections = self._finder.glance(frame) if before else ()
        faces = self._follow(frame, detections, seconds)
        is_lost = len(faces) < len(before)
        is_news = any(not any(is_same(seen, face) for face in faces) for seen in detections)
        if is_lost or ((is_news or not faces) and seconds - self._looked >= _LOOK_SECONDS):
            known = tuple(face.face for face in faces)
            found = self._finder.find(frame, thorough=False, known=known)[len(known) :]
            faces += [_landmarked(face, detections, seconds) for face in found]
            self._looked = seconds
        self._followed = faces
        return tuple(followed.face for followed in faces)

    def _follow(self, frame: np.ndarray, detections: tuple[Detection, ...], seconds: float) -> list[_Followed]:
        """Those of the faces of the frame before that are found again."""
        moved = {one: one.moved(detection, frame) for one, detection in _pairs(self._followed, detections)}
        due = [one for one, now in moved.items() if now and seconds - one.seconds >= _LANDMARK_SECONDS]
        oldest = min(due, key=lambda one: one.seconds, default=None)
        faces: list[_Followed] = []
        for one in self._followed:
            now = moved.get(one)
            if now and one is not oldest:
                faces.append(now)
            else:
                again = self._finder.follow(frame, ((now or one).face,))
                faces += [_landmarked(face, detections, seconds) for face in again]
        return distinct(faces)


def _landmarked(face: Face, detections: tuple[Detection, ...], seconds: float) -> _Followed:
    """A face whose landmarks were taken in this frame."""
    points = next((seen.points for seen in detections if is_same(seen, face)), None)
    return _Followed(face, face, points, seconds)


def _pairs(followed: list[_Followed], detections: tuple[Detection, ...]) -> list[tuple[_Followed, Detection]]:
    """Which detection is which face; each is taken once."""
    free = list(detections)
    pairs = []
    for one in followed:
        near = [seen for seen in free if is_same(one, seen)]
        if near:
            closest = max(near, key=lambda seen: overlap(one.box, seen.box))
            free.remove(closest)
            pairs.append((one, closest))
    return pairs


def _through(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points, (…, 2), taken where a (2, 3) matrix takes them."""
    return points @ matrix[:, :2].T + matrix[:, 2]
