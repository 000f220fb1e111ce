import asyncio
import base64
import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from demo.limits import MAX_FACES
from demo.pictures.decode import PictureError
from demo.pipeline.detect import TooManyFacesError
from demo.pipeline.result import Analysis, FaceResult
from demo.server.photo import annotated, answer, describe, examples, read_request
from demo.server.turns.photo_queue import PhotoQueue
from tests.fakes.quality import CLEAR
from tests.paths import PORTRAIT

FRAME = np.full((1200, 2000, 3), 128, np.uint8)
ANALYSIS = Analysis(
    attributes=("Smiling", "Bangs"),
    width=2000,
    height=1200,
    faces=(
        FaceResult(
            1, (200, 300, 400, 500), np.array([0.75, 0.125], np.float32), np.zeros((218, 178, 3), np.uint8), CLEAR
        ),
        FaceResult(
            2, (1200, 300, 400, 500), np.array([0.25, 0.5], np.float32), np.zeros((218, 178, 3), np.uint8), CLEAR
        ),
    ),
)


class TwoFaces:
    """A stand-in for a pipeline: finds two faces in everything."""

    def analyse_photo(self, frame: np.ndarray, *, most_faces: int, explained: bool) -> Analysis:
        assert frame.dtype == np.uint8
        assert (most_faces, explained) == (MAX_FACES, False)
        return ANALYSIS


TWO_FACES: Any = TwoFaces()


def picture(address: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(address.rpartition(",")[2])))


def test_a_picture_arrives_with_its_name_but_without_a_folder() -> None:
    assert read_request({"picture": "aGk=", "name": "../holiday/us.jpg"}) == (b"hi", "us.jpg")


@pytest.mark.parametrize(
    ("name", "kept"),
    [("\ud800.jpg", "\\ud800.jpg"), ("a\ud83d", "a\\ud83d"), ("\ud83d\ude00.jpg", "\\ud83d\\ude00.jpg"),
     ("a\nb.jpg", "a\nb.jpg"), ('"q".jpg', '"q".jpg'), (5, "photo"),
     ([["a.jpg"]], "photo"), ("", "photo"), (None, "photo")],
)  # fmt: skip
def test_a_name_is_kept_in_characters_that_files_can_hold(name: Any, kept: str) -> None:
    assert read_request({"picture": "aGk=", "name": name}) == (b"hi", kept)


def test_an_example_is_found_by_its_name_alone() -> None:
    path, name = read_request({"example": "eileen_collins.jpg"})
    assert isinstance(path, Path)
    assert (path.is_file(), name) == (True, "eileen_collins.jpg")
    with pytest.raises(PictureError, match="example"):
        read_request({"example": "../examples/eileen_collins.jpg"})
    example: list[Any] = []
    for _ in range(2000):
        example = [example]  # its text would be a RecursionError
    with pytest.raises(PictureError, match="example"):
        read_request({"example": example})


@pytest.mark.parametrize("bad", [None, [], {}, {"picture": 5}, {"picture": "&&&"}])
def test_a_request_without_a_picture_is_a_clear_error(bad: Any) -> None:
    with pytest.raises(PictureError, match="picture"):
        read_request(bad)


def test_a_file_that_is_no_picture_is_answered_with_a_sentence() -> None:
    text = base64.b64encode(b"no picture").decode()
    answered = asyncio.run(answer({"picture": text, "name": "text.jpg"}, TWO_FACES, PhotoQueue()))
    assert list(answered) == ["error"]


def test_a_picture_is_answered_with_its_faces() -> None:
    file = io.BytesIO()
    Image.fromarray(FRAME).save(file, "PNG")
    request = {"picture": base64.b64encode(file.getvalue()).decode(), "name": "us.png"}
    answered = asyncio.run(answer(request, TWO_FACES, PhotoQueue()))
    assert answered == describe(FRAME, ANALYSIS, "us.png")


def test_a_picture_of_too_many_faces_is_answered_with_a_sentence() -> None:
    class Crowd:
        def analyse_photo(self, frame: np.ndarray, *, most_faces: int, explained: bool) -> Analysis:  # noqa: ARG002
            raise TooManyFacesError

    crowd: Any = Crowd()
    request = {"picture": base64.b64encode(PORTRAIT.read_bytes()).decode(), "name": "us.jpg"}
    told = asyncio.run(answer(request, crowd, PhotoQueue()))
    assert told == {"error": f"'us.jpg' shows more than {MAX_FACES} faces. Cut it into parts."}


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        (MemoryError(), "The server lacks memory at the moment. Try again in a while, or with a smaller picture."),
        (cv2.error("wrong size"), "The server could not analyse this picture. Try a smaller one."),
    ],
)
def test_an_analysis_that_fails_is_answered_with_a_sentence(failure: Exception, sentence: str) -> None:
    class Broken:
        def analyse_photo(self, frame: np.ndarray, *, most_faces: int, explained: bool) -> Analysis:  # noqa: ARG002
            raise failure

    broken: Any = Broken()
    answered = asyncio.run(answer({"example": "eileen_collins.jpg"}, broken, PhotoQueue()))
    assert answered == {"error": sentence}


def test_more_photos_than_can_wait_are_turned_away_at_once() -> None:
    async def crowd() -> list[dict[str, Any]]:
        queue = PhotoQueue()
        request = {"example": "eileen_collins.jpg"}
        return await asyncio.gather(*(answer(request, TWO_FACES, queue) for _ in range(30)))

    answers = asyncio.run(crowd())
    turned_away = [answer for answer in answers if "error" in answer]
    assert 0 < len(turned_away) < 30
    assert "try again" in turned_away[0]["error"]
    assert all(answer["busy"] and 0 < answer["seconds"] <= 20 for answer in turned_away)  # so that the page comes again


def test_who_comes_again_keeps_the_turn() -> None:
    async def crowd() -> list[Any]:
        queue = PhotoQueue()
        inside = [asyncio.ensure_future(answer({"example": "eileen_collins.jpg"}, TWO_FACES, queue)) for _ in range(20)]
        await asyncio.sleep(0)
        asked = [{"example": "eileen_collins.jpg", "visitor": visitor} for visitor in ("she", "he", "she")]
        told = [(await answer(request, TWO_FACES, queue))["place"] for request in asked]
        await asyncio.gather(*inside)
        return [told, "faces" in await answer(asked[0], TWO_FACES, queue)]

    assert asyncio.run(crowd()) == [[1, 2, 1], True]


def test_who_was_turned_away_asks_for_the_turn_without_the_picture() -> None:
    async def crowd() -> list[Any]:
        queue = PhotoQueue()
        example = {"example": "eileen_collins.jpg"}
        inside = [asyncio.ensure_future(answer(example, TWO_FACES, queue)) for _ in range(20)]
        await asyncio.sleep(0)
        asked = [{"visitor": "she", **question} for question in (example, {"turn": True})]
        told = [await answer(question, TWO_FACES, queue) for question in asked]
        await asyncio.gather(*inside)
        free, answered = [await answer(question, TWO_FACES, queue) for question in reversed(asked)]
        return [[(answer["busy"], answer["place"]) for answer in told], free, "faces" in answered]

    assert asyncio.run(crowd()) == [[(True, 1), (True, 1)], {"turn": True}, True]


def test_the_page_gets_boxes_of_the_whole_picture_and_a_smaller_view() -> None:
    described = describe(FRAME, ANALYSIS, "us.png")
    assert (described["width"], described["height"]) == (2000, 1200)
    assert picture(described["picture"]).size == (1600, 960)
    assert [face["box"] for face in described["faces"]] == [[200, 300, 400, 500], [1200, 300, 400, 500]]
    assert [face["probabilities"] for face in described["faces"]] == [[0.75, 0.125], [0.25, 0.5]]
    assert picture(described["faces"][0]["crop"]).size == (178, 218)


def test_the_pictures_of_an_answer_have_a_size_for_their_place() -> None:
    described = describe(FRAME, ANALYSIS, "us.png")
    assert picture(described["annotated"]).size == (1600, 960)
    assert picture(described["thumbnail"]).size == (96, 96)


def test_boxes_are_drawn_at_the_scale_of_the_view_and_on_a_copy() -> None:
    view = Image.fromarray(FRAME).resize((1000, 600))
    drawn = np.asarray(annotated(view, ANALYSIS))
    changed = np.argwhere((drawn != 128).any(axis=2))
    assert (changed.min(0) == (150, 100)).all()
    assert (np.abs(changed.max(0) - (400, 800)) <= 1).all()
    assert (np.asarray(view) == 128).all()


@pytest.mark.parametrize("box", [(300, 500, 33, 29), (300, 500, 27, 23), (3, 5, 8, 8), (10, 10, 1, 1)])
def test_a_box_smaller_than_its_round_corners_is_drawn(box: tuple[int, int, int, int]) -> None:
    small = FaceResult(1, box, np.array([0.75, 0.125], np.float32), np.zeros((218, 178, 3), np.uint8), CLEAR)
    of_many = Analysis(attributes=("Smiling", "Bangs"), width=4000, height=3000, faces=(small,))
    drawn = np.asarray(annotated(Image.new("RGB", (1600, 1200)), of_many))
    assert drawn.any()


def test_every_example_has_its_source_and_licence() -> None:
    assert examples()
    assert all("Licence" in path.with_suffix(".txt").read_text() for path in examples().values())


def test_a_name_that_is_far_too_long_keeps_its_end() -> None:
    _, name = read_request({"picture": "AAAA", "name": "a" * 8_000_000 + ".jpg"})
    assert name == "a" * 251 + ".jpg"
