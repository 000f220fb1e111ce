from dataclasses import replace

import numpy as np
import pytest

from demo.faces import Face
from demo.following import FaceFollower

FRAME = np.zeros((90, 160, 3), np.uint8)
POINTS = np.array([[20, 30], [40, 30], [30, 50]], np.float32)
SHE = Face((10, 10, 40, 50), POINTS, "landmarks")
HE = Face((100, 10, 40, 50), np.add(POINTS, (90, 0)), "landmarks")


class Finder:
    """In a FaceFinder's place: some faces are there to be found, some of those near where they were."""

    def __init__(self, *there: Face) -> None:
        self.there: tuple[Face, ...] = there
        self.lost: tuple[Face, ...] = ()
        self.looks = 0

    def find(self, frame: np.ndarray, *, thorough: bool, known: tuple[Face, ...] = ()) -> tuple[Face, ...]:  # noqa: ARG002
        assert not thorough
        self.looks += 1
        return (*known, *(face for face in self.there if face not in known))

    def follow(self, frame: np.ndarray, faces: tuple[Face, ...]) -> tuple[Face, ...]:  # noqa: ARG002
        return tuple(face for face in faces if face in self.there and face not in self.lost)


def looks(finder: Finder, seconds: list[float]) -> list[int]:
    """How often the detector had run after each frame."""
    follower = FaceFollower(finder)
    counts = []
    for second in seconds:
        assert set(follower.find(FRAME, second)) == set(finder.there)
        counts.append(finder.looks)
    return counts


def test_between_looks_faces_are_only_followed() -> None:
    assert looks(Finder(SHE, HE), [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]) == [1, 1, 2, 2, 3, 3, 4]


def test_an_empty_room_costs_little() -> None:
    assert looks(Finder(), [0.0, 0.05, 0.1, 0.2]) == [1, 1, 1, 2]


def test_a_face_known_by_its_key_points_is_found_anew_in_each_frame() -> None:
    finder = Finder(replace(SHE, kind="keypoints"))
    finder.lost = finder.there
    assert looks(finder, [0.0, 0.01, 0.02]) == [1, 2, 3]


def test_a_newcomer_is_seen_soon() -> None:
    finder = Finder(SHE)
    follower = FaceFollower(finder)
    follower.find(FRAME, 0)
    finder.there = (SHE, HE)
    assert follower.find(FRAME, 0.1) == (SHE,)
    assert follower.find(FRAME, 0.3) == (SHE, HE)
    assert follower.find(FRAME, 0.31) == (SHE, HE)


@pytest.mark.parametrize("gone", [True, False])
def test_a_lost_face_is_looked_for_at_once(gone: bool) -> None:
    finder = Finder(SHE, HE)
    follower = FaceFollower(finder)
    follower.find(FRAME, 0)
    finder.lost, finder.there = (SHE,), (HE,) if gone else (SHE, HE)
    assert follower.find(FRAME, 0.01) == ((HE,) if gone else (HE, SHE))
    assert finder.looks == 2


def test_a_frame_of_another_size_begins_anew() -> None:
    finder = Finder(SHE)
    follower = FaceFollower(finder)
    follower.find(FRAME, 0)
    finder.there = (replace(SHE, box=(20, 20, 80, 100)),)
    assert follower.find(np.zeros((180, 320, 3), np.uint8), 0.01) == finder.there
    assert finder.looks == 2
