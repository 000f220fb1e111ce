import numpy as np
import pytest

from demo.pipeline.face import Box, Face
from demo.pipeline.reading_order import in_reading_order


def order(*boxes: Box) -> list[int]:
    """The boxes' indices in the order that was found."""
    faces = [Face(box, np.zeros((3, 2), np.float32), "keypoints", 0.0, 0.0) for box in boxes]
    found = in_reading_order(faces)
    return [next(place for place, face in enumerate(faces) if face is other) for other in found]


def test_no_face_and_one_face() -> None:
    assert order() == []
    assert order((5, 5, 10, 10)) == [0]


def test_faces_side_by_side_are_read_from_left_to_right_whatever_their_height() -> None:
    assert order((300, 100, 80, 100), (20, 130, 80, 100), (160, 70, 80, 100)) == [1, 2, 0]
    assert order((200, 60, 100, 120), (40, 130, 60, 70)) == [1, 0]  # a tall man and a child


@pytest.mark.parametrize("jitter", [0, 20])
def test_rows_are_read_from_the_top(jitter: int) -> None:
    random = np.random.default_rng(7)
    boxes: list[Box] = [
        (100.0 * column + random.uniform(-jitter, jitter), 150.0 * row + random.uniform(-jitter, jitter), 60, 80)
        for row in range(4)
        for column in range(8)
    ]
    places = random.permutation(len(boxes))
    found = order(*(boxes[place] for place in places))
    assert [places[place] for place in found] == list(range(len(boxes)))
