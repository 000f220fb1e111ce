from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from demo.limits import MAX_LIVE_FACES
from demo.pipeline.detect import FaceFinder
from demo.pipeline.face import Detection, Face
from demo.pipeline.follow import FaceFollower, landmark_interval

FRAME = np.zeros((90, 160, 3), np.uint8)
POINTS = np.array([[20, 30], [40, 30], [30, 50]], np.float32)
SHE = Face((10, 10, 40, 50), POINTS, "landmarks", yaw=7.0)
HE = Face((100, 10, 40, 50), np.add(POINTS, (90, 0)), "landmarks")


def shifted(face: Face, x: float, y: float) -> Face:
    return replace(
        face,
        box=(face.box[0] + x, face.box[1] + y, *face.box[2:]),
        points=np.add(face.points, (x, y), dtype=np.float32),
    )


class Finder(FaceFinder):
    """A fake FaceFinder whose detector and landmarker miss the faces that they are told to miss; it counts their calls.

    Attributes:
        there: the faces in the frame.
        lost: those that the landmarker misses.
        overlooked: those that the detector misses.
        refused: those that the detector sees but no landmarks confirm.
        noses: how far each nose is off to the side, in pixels.
        glances: calls of the detector alone.
        landmarks: calls of the landmarker alone.
        looks: searches for all faces.
        glanced: the detector's faces that the last search was given.
        looked: what that search saw.
    """

    def __init__(self, *there: Face) -> None:  # does not load any models
        self.there: tuple[Face, ...] = there
        self.lost: tuple[Face, ...] = ()
        self.overlooked: tuple[Face, ...] = ()
        self.refused: tuple[Face, ...] = ()
        self.noses: tuple[float, ...] = (0.0,) * 99
        self.glances = self.landmarks = self.looks = 0
        self.glanced: tuple[Detection, ...] | None = None
        self.looked: tuple[Detection, ...] = ()

    def glance(self, frame: np.ndarray) -> tuple[Detection, ...]:  # noqa: ARG002
        self.glances += 1
        return self.detections(tuple(face for face in self.there if face not in self.overlooked))

    def look(
        self,
        frame: np.ndarray,  # noqa: ARG002
        glanced: tuple[Detection, ...] | None = None,
        *,
        far: bool,  # noqa: ARG002
    ) -> tuple[Detection, ...]:
        self.looks += 1
        self.glanced = glanced
        self.looked = self.detections(self.there)
        return self.looked

    def detections(self, seen: tuple[Face, ...]) -> tuple[Detection, ...]:
        tips = [np.add(face.points.mean(axis=0), (nose, 0)) for face, nose in zip(seen, self.noses, strict=False)]
        points = [np.vstack([face.points, tip]).astype(np.float32) for face, tip in zip(seen, tips, strict=True)]
        return tuple(Detection(face.box, four, 0.9, 0) for face, four in zip(seen, points, strict=True))

    def find_in_camera_frame(
        self,
        frame: np.ndarray,  # noqa: ARG002
        *,
        known: tuple[Face, ...] = (),
        seen: tuple[Detection, ...] | None = None,
        largest: int | None = None,
    ) -> tuple[Face, ...]:
        assert seen is self.looked
        assert largest == MAX_LIVE_FACES
        new = [face for face in self.there if not any(near(face, other) for other in (*known, *self.refused))]
        new.sort(key=lambda face: -face.box[2] * face.box[3])
        return (*known, *new)[:MAX_LIVE_FACES]

    def follow(self, frame: np.ndarray, faces: tuple[Face, ...]) -> tuple[Face, ...]:  # noqa: ARG002
        self.landmarks += len(faces)
        again = ([face for face in self.there if near(face, old) and face not in self.lost] for old in faces)
        return tuple(found[0] for found in again if found)


def near(face: Face, other: Face) -> bool:
    return bool(np.abs(face.points - other.points).max() < 20)


def places(faces: tuple[Face, ...]) -> list[list[float]]:
    return sorted(np.concatenate([face.box, face.points.ravel()]).round(3).tolist() for face in faces)


def follow(finder: Finder, follower: FaceFollower, *moments: float) -> None:
    """Every face that is there is found in its place in each frame."""
    for moment in moments:
        assert places(follower.find(FRAME, moment)) == places(finder.there)


def test_the_detector_moves_faces_along_between_landmarks() -> None:
    finder = Finder(SHE, HE)
    follower = FaceFollower(finder)
    follow(finder, follower, 0, 0.02, 0.04)
    known = finder.landmarks
    for step, moment in enumerate((0.05, 0.06, 0.07), start=1):
        finder.there = (shifted(SHE, 4 * step, 3 * step), shifted(HE, -5 * step, step))
        follow(finder, follower, moment)
    assert follower.find(FRAME, 0.08)[0].yaw == 7
    assert (finder.landmarks, finder.looks) == (known, 1)


def test_a_face_that_comes_nearer_grows_with_its_box() -> None:
    finder = Finder(SHE)
    follower = FaceFollower(finder)
    follow(finder, follower, 0, 0.02)
    known = finder.landmarks
    # Larger by a tenth about the image's origin, where pixel centres and the box's corners keep their distance.
    finder.there = (replace(SHE, box=(11, 11, 44, 55), points=1.1 * POINTS),)
    follow(finder, follower, 0.04)
    assert finder.landmarks == known


def test_landmarks_are_refreshed_after_a_while_for_one_face_a_frame() -> None:
    finder = Finder(SHE, HE)
    follower = FaceFollower(finder)
    follow(finder, follower, 0, 0.02)
    counts = []
    for moment in (0.1, 0.18, 0.2, 0.22):
        follow(finder, follower, moment)
        counts.append(finder.landmarks)
    assert np.diff(counts).tolist() == [1, 1, 0]


@pytest.mark.parametrize(("waiting", "seconds"), [(0, 0.15), (2, 0.45), (14, 2.25), (30, 4.65), (500, 5.0)])
def test_landmarks_are_refreshed_the_more_rarely_the_more_frames_wait(waiting: int, seconds: float) -> None:
    assert landmark_interval(waiting) == pytest.approx(seconds)
    finder = Finder(SHE)
    follower = FaceFollower(finder)
    follow(finder, follower, 0, 0.02)
    known = finder.landmarks
    assert follower.find(FRAME, 0.01 + seconds, waiting)
    assert finder.landmarks == known
    assert follower.find(FRAME, 0.03 + seconds, waiting)
    assert finder.landmarks == known + 1


def test_landmarks_are_refreshed_at_once_where_the_head_turned() -> None:
    finder = Finder(SHE, HE)
    follower = FaceFollower(finder)
    follow(finder, follower, 0, 0.02, 0.04)
    known = finder.landmarks
    finder.noses = (0.0, 8.0)
    follow(finder, follower, 0.06)
    assert finder.landmarks == known + 1


def test_a_face_that_the_detector_overlooks_is_followed_by_its_landmarks() -> None:
    finder = Finder(SHE, HE)
    finder.overlooked = (HE,)
    follower = FaceFollower(finder)
    follow(finder, follower, 0, 0.02)
    known = finder.landmarks
    follow(finder, follower, 0.04, 0.06)
    assert (finder.landmarks, finder.looks) == (known + 2, 1)


def test_an_empty_room_costs_little() -> None:
    finder = Finder()
    follower = FaceFollower(finder)
    follow(finder, follower, 0, 0.05, 0.1, 0.2)
    assert (finder.glances, finder.looks) == (0, 2)


def test_a_face_known_by_its_key_points_is_moved_along_and_then_searched_for() -> None:
    finder = Finder(replace(SHE, kind="keypoints"))
    finder.lost = finder.there
    follower = FaceFollower(finder)
    follow(finder, follower, 0, 0.02)
    known = finder.looks
    follow(finder, follower, 0.04, 0.06)
    assert finder.looks == known
    follow(finder, follower, 0.3)
    assert finder.looks == known + 1


def test_a_newcomer_is_seen_soon() -> None:
    finder = Finder(SHE)
    follower = FaceFollower(finder)
    follow(finder, follower, 0)
    finder.there = (SHE, HE)
    assert places(follower.find(FRAME, 0.1)) == places((SHE,))
    follow(finder, follower, 0.3, 0.31)


@pytest.mark.parametrize("gone", [True, False])
def test_a_lost_face_is_looked_for_at_once(gone: bool) -> None:
    finder = Finder(SHE, HE)
    follower = FaceFollower(finder)
    follow(finder, follower, 0, 0.01)
    finder.lost, finder.overlooked, finder.there = (SHE,), (SHE,), (HE,) if gone else (SHE, HE)
    follow(finder, follower, 0.02)
    assert finder.looks == 2


def test_a_face_that_has_left_its_box_is_not_looked_for_where_it_was() -> None:
    finder = Finder(SHE)
    follower = FaceFollower(finder)
    follow(finder, follower, 0)
    assert finder.glanced is None
    finder.there = (shifted(SHE, 60, 0),)
    follow(finder, follower, 0.5)
    assert (finder.landmarks, finder.looks) == (0, 2)
    assert finder.glanced is not None, "the detector has seen this frame already"
    assert [detection.box for detection in finder.glanced] == [finder.there[0].box]


@pytest.mark.parametrize(
    ("newcomer", "seconds"),
    [
        (shifted(SHE, 60, 0), 0.03),  # nobody gets that far so soon
        (replace(shifted(SHE, 60, 0), box=(70, 10, 20, 25)), 0.5),  # a smaller face
    ],
)
def test_a_newcomer_is_not_taken_for_a_face_that_the_detector_overlooks(newcomer: Face, seconds: float) -> None:
    finder = Finder(SHE)
    follower = FaceFollower(finder)
    follow(finder, follower, 0)
    finder.there, finder.overlooked = (SHE, newcomer), (SHE,)
    assert places((SHE,))[0] in places(follower.find(FRAME, seconds))
    assert finder.landmarks == 1


def test_one_newcomer_stands_for_one_face_that_has_moved() -> None:
    finder = Finder(SHE, shifted(SHE, 0, 30))
    follower = FaceFollower(finder)
    follow(finder, follower, 0)
    known, finder.overlooked = finder.there, finder.there
    finder.there = (*known, shifted(SHE, 60, 15))
    follower.find(FRAME, 0.5)
    assert finder.landmarks == 1


def test_two_that_are_followed_to_one_place_are_one() -> None:
    finder = Finder(SHE, HE)
    follower = FaceFollower(finder)
    follow(finder, follower, 0, 0.01)
    finder.overlooked = finder.there = (shifted(SHE, 12, 0),)
    finder.follow = lambda frame, faces: finder.there  # type: ignore[method-assign] # noqa: ARG005
    follow(finder, follower, 0.02)


def test_a_frame_of_another_size_starts_over() -> None:
    finder = Finder(SHE)
    follower = FaceFollower(finder)
    follow(finder, follower, 0)
    finder.there = (replace(SHE, box=(20, 20, 80, 100)),)
    assert follower.find(np.zeros((180, 320, 3), np.uint8), 0.01) == finder.there
    assert finder.looks == 2


WIDE = np.zeros((200, 1200, 3), np.uint8)


def row(*scales: float) -> list[Face]:
    """Faces side by side, this many times as large as `SHE`."""
    return [
        replace(SHE, box=(100 * place, 10, 40 * scale, 50 * scale), points=scale * POINTS + (100 * place, 0))
        for place, scale in enumerate(scales)
    ]


def test_of_a_crowd_the_largest_faces_are_followed_and_keep_their_places_from_those_of_their_size() -> None:
    *followed, left_out = row(*(1.5 + 0.01 * number for number in range(MAX_LIVE_FACES)), 1.4)
    finder = Finder(left_out, *followed)
    follower = FaceFollower(finder)
    for moment in (0.0, 0.2, 0.4):
        assert places(follower.find(WIDE, moment)) == places(tuple(followed))
    left_out = replace(left_out, box=(*left_out.box[:2], 62, 77.5))  # a little larger than each of them
    finder.there = (left_out, *followed)
    assert places(follower.find(WIDE, 0.6)) == places(tuple(followed))


def test_who_comes_nearer_than_a_crowd_that_is_followed_is_followed_instead_of_the_smallest() -> None:
    *followed, near_by = row(1.1, *(1.5 for _ in range(MAX_LIVE_FACES - 1)), 2.0)
    finder = Finder(*followed)
    follower = FaceFollower(finder)
    assert places(follower.find(WIDE, 0.0)) == places(tuple(followed))
    finder.there = (*followed, near_by)
    assert places(follower.find(WIDE, 0.4)) == places((*followed[1:], near_by))


def test_how_many_more_faces_are_seen_than_are_followed_is_told() -> None:
    crowd = row(*(1.5 for _ in range(MAX_LIVE_FACES + 4)))
    finder = Finder(*crowd)
    follower = FaceFollower(finder)
    told = []
    for moment, there in enumerate((12, 10, 9, 8, 10, 7)):
        finder.there = tuple(crowd[:there])
        follower.find(WIDE, moment)
        told.append(follower.left_out)
    assert told == [4, 2, 1, 0, 2, 0]


def test_of_a_crowd_too_small_for_a_glance_it_is_told_how_many_were_seen_when_they_were_looked_for() -> None:
    crowd = row(*(1.5 for _ in range(MAX_LIVE_FACES + 2)))
    finder = Finder(*crowd)
    finder.overlooked = tuple(crowd)
    follower = FaceFollower(finder)
    told = []
    for moment in (0.0, 0.2, 0.4):
        follower.find(WIDE, moment)
        told.append(follower.left_out)
    finder.there = tuple(crowd[1:])  # another face gets a lost face's place
    follower.find(WIDE, 0.6)
    finder.there = tuple(crowd[3:])
    follower.find(WIDE, 0.8)
    assert [*told, follower.left_out] == [2, 2, 2, 0]


def test_a_detection_that_is_no_face_leaves_nobody_out_while_there_is_room() -> None:
    *followed, poster = row(*(1.5 for _ in range(MAX_LIVE_FACES)))
    finder = Finder(*followed)
    follower = FaceFollower(finder)
    follow(finder, follower, 0)
    finder.refused = (poster,)
    finder.there = (*followed, poster)
    for moment in (0.2, 0.4):
        assert len(follower.find(WIDE, moment)) == MAX_LIVE_FACES - 1
        assert follower.left_out == 0


def test_a_frame_packed_with_faces_costs_no_more_than_its_largest(
    finder: FaceFinder, portrait: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    face = Image.fromarray(portrait[49:199, 95:245]).resize((142, 142))
    crowd = np.tile(np.asarray(face), (9, 9, 1))
    assert len(finder.find_in_camera_frame(crowd)) > 50
    tried: list[int] = []
    face_near = finder._landmarker.face_near

    def counted(*where: Any, **how: Any) -> Face | None:
        tried.append(1)
        return face_near(*where, **how)

    monkeypatch.setattr(finder._landmarker, "face_near", counted)
    follower = FaceFollower(finder)
    for moment in (0.0, 0.2, 0.4):
        assert len(follower.find(crowd, moment)) == MAX_LIVE_FACES
        assert len(tried) <= MAX_LIVE_FACES
        tried.clear()
    assert follower.left_out > 40
