"""Messages to the live panel and the photo panel, as a stranger's script might send them."""

import asyncio
import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.paths import WEIGHTS
from demo.pipeline.analyse import Pipeline
from demo.server import photo
from demo.server.live import FrameQueue
from demo.server.turns.photo_queue import PhotoQueue
from tests.fakes.pictures import portrait, saved
from tests.fuzz.door import Door
from tests.fuzz.inputs import json_values, mistaken, mutated
from tests.fuzz.picture_files import DAMAGED, JPEGS

_PORTRAIT = saved(portrait(160, 200), "JPEG", quality=80)
_FRAME = "data:image/jpeg;base64," + base64.b64encode(_PORTRAIT).decode()
_HEADS = (
    "data:image/jpeg;base64,",
    "data:image/jpeg;base64,,",
    "data:image/jpeg;base64",
    "data:,",
    "data:image/png;base64,",
    "",
)
FRAMES = st.one_of(
    st.builds(lambda file: _HEADS[0] + base64.b64encode(file).decode(), mutated([_PORTRAIT, *JPEGS])),
    st.builds(lambda head, file: head + base64.b64encode(file).decode(), st.sampled_from(_HEADS), DAMAGED),
    st.builds(lambda head, rest: head + rest, st.sampled_from(_HEADS), st.text(max_size=40)),
)
_VISITORS = st.sampled_from(("one", "two")) | json_values()
MESSAGES = st.one_of(
    st.builds(
        lambda frame, visitor, crop: {"frame": frame, "visitor": visitor, "crop": crop},
        FRAMES,
        _VISITORS,
        json_values(),
    ),
    mistaken({"frame": _FRAME, "visitor": "one", "crop": 1, "leave": True}, FRAMES),
    json_values(FRAMES),
)
PHOTOS = st.one_of(
    st.builds(lambda file, name: {"picture": base64.b64encode(file).decode(), "name": name}, DAMAGED, json_values()),
    mistaken({"picture": _FRAME, "name": "a.jpg", "visitor": "one", "example": "eileen_collins.jpg"}, FRAMES),
    json_values(FRAMES),
)


class Panels:
    """Both panels' ways to an answer, on one event loop, as on the page."""

    def __init__(self) -> None:
        self._pipeline = Pipeline.load(WEIGHTS, "cpu")
        self._loop = asyncio.new_event_loop()
        self._frames, self._photos = FrameQueue(self._pipeline), PhotoQueue()
        self._right = [self._faces(answer) for answer in self._good_answers()]

    def frame(self, message: Any) -> dict[str, Any]:
        return self._loop.run_until_complete(self._frames.answer(message))

    def photo(self, message: Any) -> dict[str, Any]:
        return self._loop.run_until_complete(photo.answer(message, self._pipeline, self._photos))

    def check_good_input(self) -> None:
        assert [self._faces(answer) for answer in self._good_answers()] == self._right

    def close(self) -> None:
        self._loop.close()

    def _good_answers(self) -> list[dict[str, Any]]:
        self.frame({"visitor": "good", "leave": True})  # so that its face is found again, not followed
        return [self.frame({"frame": _FRAME, "visitor": "good"}), self.photo({"picture": _FRAME, "name": "good"})]

    @staticmethod
    def _faces(answer: dict[str, Any]) -> Any:
        [face] = answer["faces"]
        return face["box"], face["probabilities"]


@pytest.fixture(scope="module")
def panels() -> Iterator[Panels]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("demo.server.live.MAX_FRAME_SECONDS", 60.0)  # on a slow machine no frame is left out, either
        panels = Panels()
        yield panels
    panels.close()


@pytest.fixture(scope="module")
def live(panels: Panels) -> Door:
    return Door("live frames", panels.check_good_input)


@pytest.fixture(scope="module")
def photos(panels: Panels) -> Door:
    return Door("photos", panels.check_good_input)


def check(door: Door, answer: dict[str, Any]) -> None:
    json.dumps(answer).encode()
    if "error" in answer:
        assert answer["error"].endswith(".")
        door.refused += 1
    else:
        assert not answer or {"faces", "width", "height"} <= answer.keys()


@given(message=MESSAGES)
def test_a_frame_is_answered_by_faces_or_a_sentence(live: Door, panels: Panels, message: Any) -> None:
    with live.input():
        check(live, panels.frame(message))


@given(message=PHOTOS)
def test_a_photo_is_answered_by_faces_or_a_sentence(photos: Door, panels: Panels, message: Any) -> None:
    with photos.input():
        check(photos, panels.photo(message))
