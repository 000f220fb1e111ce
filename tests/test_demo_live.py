import asyncio
import base64
import io
import threading
from typing import Any

import numpy as np
import pytest
from PIL import Image

from demo.live import FrameDesk, FrameError, describe, read_frame
from demo.pipeline import Analysis, FaceResult


def message(width: int = 64, height: int = 48, kind: str = "JPEG", visitor: str = "one") -> dict[str, str]:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (200, 30, 30)).save(file, kind)
    return {"frame": "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode(), "visitor": visitor}


ANALYSIS = Analysis(
    attributes=("Smiling", "Bangs"),
    width=64,
    height=48,
    faces=(FaceResult(1, (4, 5, 20, 22), np.array([0.75, 0.125], np.float32), np.zeros((218, 178, 3), np.uint8)),),
)


class Gate:
    """In a pipeline's place: lets a test decide when a frame is done."""

    def __init__(self) -> None:
        self.open = threading.Event()

    def analyse(self, frame: np.ndarray, *, thorough: bool) -> Analysis:
        assert frame.shape == (48, 64, 3)
        assert not thorough
        assert self.open.wait(10)
        return ANALYSIS


def test_a_frame_is_read_as_rgb() -> None:
    frame = read_frame(message(64, 48))
    assert (frame.shape, frame.dtype) == ((48, 64, 3), np.uint8)
    assert frame.flags.c_contiguous
    assert np.abs(frame.reshape(-1, 3).mean(0) - (200, 30, 30)).max() < 4


@pytest.mark.parametrize(
    "bad",
    [
        None,
        [],
        {},
        {"frame": 5},
        {"frame": "data:image/png;base64,AAAA"},
        {"frame": "data:image/jpeg;base64,"},
        {"frame": "data:image/jpeg;base64,&&&"},
        {"frame": "data:image/jpeg;base64," + base64.b64encode(b"no picture").decode()},
        {"frame": "data:image/jpeg;base64," + "A" * 2_000_000},
        {"frame": message(800, 600)["frame"][:-2000]},
        message(kind="PNG"),
        message(width=1400),
    ],
)
def test_anything_but_a_frame_is_a_clear_error(bad: Any) -> None:
    with pytest.raises(FrameError, match="frame"):
        read_frame(bad)


def test_the_page_gets_boxes_and_probabilities() -> None:
    face = {"number": 1, "box": [4, 5, 20, 22], "probabilities": [0.75, 0.125]}
    assert describe(ANALYSIS) == {"width": 64, "height": 48, "faces": [face]}


def test_a_bad_frame_is_answered_with_a_sentence() -> None:
    answer = asyncio.run(FrameDesk(Gate()).answer({"frame": "nonsense"}))
    assert list(answer) == ["error"]


def test_an_analysis_that_fails_is_answered_with_a_sentence_and_the_visitor_goes_on() -> None:
    class Broken:
        def analyse(self, frame: np.ndarray, *, thorough: bool) -> Analysis:  # noqa: ARG002
            raise RuntimeError("device lost")

    async def twice() -> list[dict[str, Any]]:
        desk = FrameDesk(Broken())
        return [await desk.answer(message()), await desk.answer(message())]

    assert [list(answer) for answer in asyncio.run(twice())] == [["error"], ["error"]]


def test_a_visitor_has_one_frame_in_work_and_another_visitor_is_not_kept_out() -> None:
    async def visit() -> list[dict[str, Any]]:
        gate = Gate()
        desk = FrameDesk(gate)
        first = asyncio.ensure_future(desk.answer(message(visitor="one")))
        other = asyncio.ensure_future(desk.answer(message(visitor="two")))
        await asyncio.sleep(0)
        again = await desk.answer(message(visitor="one"))
        gate.open.set()
        return [again, await first, await other, await desk.answer(message(visitor="one"))]

    again, first, other, later = asyncio.run(visit())
    assert again == {"busy": True}
    assert first["faces"]
    assert first == other == later


def test_no_backlog_builds_up() -> None:
    async def crowd() -> list[dict[str, Any]]:
        gate = Gate()
        desk = FrameDesk(gate)
        waiting = [asyncio.ensure_future(desk.answer(message(visitor=str(number)))) for number in range(100)]
        await asyncio.sleep(0)
        gate.open.set()
        return await asyncio.gather(*waiting)

    answers = asyncio.run(crowd())
    busy = sum("busy" in answer for answer in answers)
    assert 0 < busy < 100
    assert all(answer["faces"] for answer in answers[: 100 - busy])
