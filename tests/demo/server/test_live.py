import asyncio
import base64
import gc
import io
import json
import threading
import weakref
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import partial
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from demo.interruption import InterruptedWorkError, check_wanted
from demo.limits import OWN_FRAME_SECONDS
from demo.pictures.decode import open_picture
from demo.pipeline.result import Analysis, FaceResult, Timings
from demo.server import live
from demo.server.live import FrameError, FrameQueue, describe, read_frame
from tests.fakes.quality import CLEAR, CONDITIONS


def message(
    width: int = 64, height: int = 48, kind: str = "JPEG", visitor: str = "one", **options: bool
) -> dict[str, Any]:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (200, 30, 30)).save(file, kind, **options)
    return {"frame": "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode(), "visitor": visitor}


def face_at(left: int, number: int = 1, smiling: float = 0.75, warnings: tuple[Any, ...] = ()) -> FaceResult:
    crop = np.full((218, 178, 3), (200, 30, 30), np.uint8)
    return FaceResult(number, (left, 5, 20, 22), np.array([smiling, 0.125], np.float32), crop, CLEAR, warnings)


ANALYSIS = Analysis(
    attributes=("Smiling", "Bangs"),
    width=64,
    height=48,
    faces=(face_at(4),),
    timings=Timings(1, 2, 3),
)


class Gate:
    """A stand-in for a pipeline: lets a test decide when a frame is done."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.waiting: list[int] = []

    def stream(self) -> "Gate":
        return self

    def analyse(self, frame: np.ndarray, seconds: float, waiting: int, *, explained: bool) -> Analysis:
        assert frame.shape == (48, 64, 3)
        assert seconds > 0
        assert not explained
        self.waiting.append(waiting)
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
        message(progressive=True),
    ],
)
def test_anything_but_a_frame_is_a_clear_error(bad: Any) -> None:
    with pytest.raises(FrameError, match="frame"):
        read_frame(bad)


def test_the_page_gets_boxes_probabilities_warnings_and_times() -> None:
    faces = (face_at(4, warnings=("small", "dark")),)
    analysis = Analysis(("Smiling", "Bangs"), 64, 48, faces, Timings(1, 2, 3), left_out=5)
    face = {
        "number": 1,
        "box": [4, 5, 20, 22],
        "probabilities": [0.75, 0.125],
        "warnings": ["small", "dark"],
        "conditions": CONDITIONS,
    }
    answer = describe(analysis, {"wait": 0.12345, "decode": 2.0}, None)
    assert answer == {
        "width": 64,
        "height": 48,
        "faces": [face],
        "left_out": 5,
        "ms": {"wait": 0.12, "decode": 2.0, "detect": 1, "align": 2, "infer": 3},
    }
    assert json.loads(json.dumps(answer)) == answer


def test_the_crop_of_the_chosen_face_goes_along_and_no_other() -> None:
    analysis = Analysis(("Smiling", "Bangs"), 64, 48, (face_at(40, 1), face_at(4, 2)))
    first, second = describe(analysis, {}, 2)["faces"]
    assert (first["number"], second["number"]) == (1, 2)
    assert "crop" not in first
    picture = open_picture(base64.b64decode(second["crop"].removeprefix("data:image/jpeg;base64,")))
    assert picture.shape == (218, 178, 3)
    assert np.abs(picture.reshape(-1, 3).mean(0) - (200, 30, 30)).max() < 4


def queue_for(pipeline: Any) -> FrameQueue:
    """The queue with a stand-in for a pipeline."""
    return FrameQueue(pipeline)


class Portraits:
    """A stand-in for a pipeline: the number of a face says which frame of its stream it is."""

    def __init__(self) -> None:
        self.frames = 0

    def stream(self) -> "Portraits":
        return Portraits()

    def analyse(self, frame: np.ndarray, seconds: float, waiting: int, *, explained: bool) -> Analysis:  # noqa: ARG002
        self.frames += 1
        return Analysis(("Smiling", "Bangs"), 64, 48, (face_at(4, self.frames),))


async def visits(queue: FrameQueue, *visitors: str) -> list[int]:
    return [(await queue.answer(message(visitor=visitor)))["faces"][0]["number"] for visitor in visitors]


def test_each_visitor_has_a_stream_of_frames() -> None:
    assert asyncio.run(visits(queue_for(Portraits()), "one", "one", "two", "one", "two")) == [1, 2, 1, 3, 2]


def test_who_leaves_is_forgotten_at_once() -> None:
    async def visit() -> list[Any]:
        queue = queue_for(Portraits())
        before = await visits(queue, "one", "one", "two")
        answer = await queue.answer({"visitor": "one", "leave": True})
        return [before, answer, await visits(queue, "one", "two")]

    assert asyncio.run(visit()) == [[1, 2, 1], {}, [1, 2]]


def test_who_leaves_while_a_frame_waits_is_not_analysed_any_more() -> None:
    async def visit() -> list[dict[str, Any]]:
        gate = Gate()
        queue = queue_for(gate)
        names = [str(number) for number in range(live.FRAME_THREADS + 1)]
        answers = [asyncio.ensure_future(queue.answer(message(visitor=name))) for name in names]
        await asyncio.sleep(0)
        await queue.answer({"visitor": names[-1], "leave": True})
        gate.open.set()
        return await asyncio.gather(*answers)

    assert [bool(answer) for answer in asyncio.run(visit())] == [True] * live.FRAME_THREADS + [False]


def test_who_is_silent_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MAX_SILENCE_SECONDS", 0.01)
    streams: list[weakref.ref[Portraits]] = []

    class Watched(Portraits):
        def stream(self) -> Portraits:
            stream = super().stream()
            streams.append(weakref.ref(stream))
            return stream

    async def visit() -> None:
        queue = queue_for(Watched())
        await visits(queue, "one", "two")
        while any(stream() for stream in streams):
            await asyncio.sleep(0.005)

    asyncio.run(asyncio.wait_for(visit(), 10))
    assert len(streams) == 2


def test_of_more_visitors_than_are_remembered_the_one_who_was_silent_longest_gives_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live, "MAX_VISITORS", 3)
    names = ["one", "two", "three", "one", "four", "one", "three", "two"]
    assert asyncio.run(visits(queue_for(Portraits()), *names)) == [1, 1, 1, 2, 1, 3, 2, 1]


def test_many_names_of_one_address_make_nobody_else_be_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MAX_VISITORS", 3)
    addresses = iter(["hers", *["another"] * 5, "hers"])
    monkeypatch.setattr(live, "caller_address", lambda: next(addresses))
    names = ["she", "1", "2", "3", "4", "5", "she"]
    assert asyncio.run(visits(queue_for(Portraits()), *names)) == [1, 1, 1, 1, 1, 1, 2]


def test_nobody_is_forgotten_whose_frame_is_in_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MAX_VISITORS", 2)
    done = threading.Event()

    class Slow(Portraits):
        def analyse(self, frame: np.ndarray, seconds: float, waiting: int, *, explained: bool) -> Analysis:
            assert done.wait(10)
            return super().analyse(frame, seconds, waiting, explained=explained)

    class SlowAtFirst(Portraits):
        def stream(self) -> Portraits:
            return next(first, None) or Portraits()

    first: Iterator[Portraits] = iter([Slow()])

    async def visit() -> list[list[int]]:
        queue = queue_for(SlowAtFirst())
        slow = asyncio.ensure_future(visits(queue, "slow"))
        await asyncio.sleep(0)
        others = await visits(queue, "one", "two", "three")
        done.set()
        return [await slow, others, await visits(queue, "slow", "two")]

    assert asyncio.run(visit()) == [[1], [1, 1, 1], [2, 1]]


class Minutes:
    """Replaces the timers of event loops: long ones end when a test lets time pass, however busy the machine is."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._now = 0.0
        self._timers: list[tuple[float, asyncio.TimerHandle, Callable[[], object]]] = []
        real = asyncio.BaseEventLoop.call_later

        def call_later(
            loop: asyncio.BaseEventLoop, delay: float, function: Callable[..., object], *rest: Any, **more: Any
        ) -> asyncio.TimerHandle:
            timer = real(loop, delay, function, *rest, **more)
            self._timers.append((self._now + delay, timer, partial(function, *rest)))
            return timer

        monkeypatch.setattr(asyncio.BaseEventLoop, "call_later", call_later)

    def go_by(self, seconds: float) -> None:
        self._now += seconds
        for timer in [timer for timer in self._timers if timer[0] <= self._now]:
            self._timers.remove(timer)
            if not timer[1].cancelled():
                timer[1].cancel()
                timer[2]()


@pytest.fixture
def minutes(monkeypatch: pytest.MonkeyPatch) -> Minutes:
    return Minutes(monkeypatch)


def test_who_is_silent_for_half_a_minute_is_still_known(minutes: Minutes) -> None:
    async def visit() -> list[list[int]]:
        queue = queue_for(Portraits())
        before = await visits(queue, "one")
        minutes.go_by(30)
        soon = await visits(queue, "one")
        minutes.go_by(120)
        return [before, soon, await visits(queue, "one")]

    assert asyncio.run(visit()) == [[1], [2], [1]]


def test_who_leaves_and_comes_back_is_not_forgotten_by_the_first_visits_clock(minutes: Minutes) -> None:
    async def visit() -> list[list[int]]:
        queue = queue_for(Portraits())
        before = await visits(queue, "one")
        await queue.answer({"visitor": "one", "leave": True})
        minutes.go_by(30)
        again = await visits(queue, "one")
        minutes.go_by(45)  # a minute after the first visit, not after the second
        return [before, again, await visits(queue, "one")]

    assert asyncio.run(visit()) == [[1], [1], [2]]


def test_nothing_of_the_request_is_kept_with_a_silent_visitor() -> None:
    class Request:
        pass

    asking: ContextVar[Request] = ContextVar("asking")

    async def ask(queue: FrameQueue) -> weakref.ref[Request]:
        asking.set(Request())
        await visits(queue, "one")
        return weakref.ref(asking.get())

    async def visit() -> None:
        queue = queue_for(Portraits())
        request = await asyncio.create_task(ask(queue))
        while request():  # the thread that worked on it may need a moment
            await asyncio.sleep(0.005)
            gc.collect()

    asyncio.run(asyncio.wait_for(visit(), 10))


def test_a_bad_frame_is_answered_with_a_sentence() -> None:
    answer = asyncio.run(queue_for(Gate()).answer({"frame": "nonsense"}))
    assert list(answer) == ["error"]


def test_a_visitor_s_word_of_another_kind_is_none() -> None:
    word: list[Any] = []
    for _ in range(2000):
        word = [word]  # its text would be a RecursionError
    assert list(asyncio.run(queue_for(Gate()).answer({"visitor": word}))) == ["error"]


@pytest.mark.parametrize("failure", [RuntimeError("device lost"), MemoryError(), cv2.error("no memory")])
def test_an_analysis_that_fails_is_answered_with_a_sentence_and_the_visitor_goes_on(failure: Exception) -> None:
    class Broken(Portraits):
        def stream(self) -> "Broken":
            return self

        def analyse(self, frame: np.ndarray, seconds: float, waiting: int, *, explained: bool) -> Analysis:  # noqa: ARG002
            raise failure

    async def twice() -> list[dict[str, Any]]:
        queue = queue_for(Broken())
        return [await queue.answer(message()), await queue.answer(message())]

    assert [list(answer) for answer in asyncio.run(twice())] == [["error"], ["error"]]


def test_a_visitor_has_one_frame_in_work_and_another_visitor_is_not_kept_out() -> None:
    async def visit() -> list[dict[str, Any]]:
        gate = Gate()
        queue = queue_for(gate)
        first = asyncio.ensure_future(queue.answer(message(visitor="one")))
        other = asyncio.ensure_future(queue.answer(message(visitor="two")))
        await asyncio.sleep(0)
        again = await queue.answer(message(visitor="one"))
        gate.open.set()
        return [again, await first, await other, await queue.answer(message(visitor="one"))]

    again, first, other, later = asyncio.run(visit())
    assert again == {"busy": True, "own": True, "seconds": OWN_FRAME_SECONDS}
    assert first["faces"]
    assert first["faces"] == other["faces"] == later["faces"]


def test_a_stream_is_told_how_many_frames_wait() -> None:
    async def visit(visitors: int) -> list[int]:
        gate = Gate()
        queue = queue_for(gate)
        answers = [asyncio.ensure_future(queue.answer(message(visitor=str(number)))) for number in range(visitors)]
        await asyncio.sleep(0)
        gate.open.set()
        await asyncio.gather(*answers)
        return gate.waiting[-1:] if visitors == 1 else gate.waiting

    assert asyncio.run(visit(1)) == [0]
    assert max(asyncio.run(visit(20))) == 20 - live.FRAME_THREADS


class Endless:
    """A stand-in for a pipeline: reads a frame until it is told to stop.

    Attributes:
        began: set at the beginning.
        stopped: set at the end.
    """

    def __init__(self) -> None:
        self.began, self.stopped = threading.Event(), threading.Event()

    def stream(self) -> "Endless":
        return self

    def analyse(self, frame: np.ndarray, seconds: float, waiting: int, *, explained: bool) -> Analysis:  # noqa: ARG002
        self.began.set()
        try:
            while True:
                check_wanted()
        except InterruptedWorkError:
            self.stopped.set()
            raise


def test_a_frame_that_takes_too_long_is_left_out_and_its_visitor_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MAX_FRAME_SECONDS", 0.01)
    pipeline = Endless()
    answer = asyncio.run(asyncio.wait_for(queue_for(pipeline).answer(message()), 10))
    assert answer == {"error": "This camera frame took the server too long, so it was left out."}
    assert pipeline.stopped.is_set()


def test_who_leaves_while_a_frame_is_read_costs_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MAX_FRAME_SECONDS", 60.0)
    pipeline = Endless()

    async def visit() -> dict[str, Any]:
        queue = queue_for(pipeline)
        answer = asyncio.ensure_future(queue.answer(message()))
        await asyncio.to_thread(pipeline.began.wait)
        await queue.answer({"visitor": "one", "leave": True})
        return await answer

    assert asyncio.run(asyncio.wait_for(visit(), 10)) == {}


def test_a_call_that_is_cancelled_stops_its_frame(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(live, "MAX_FRAME_SECONDS", 60.0)
    pipeline = Endless()

    async def hang_up() -> None:
        call = asyncio.ensure_future(queue_for(pipeline).answer(message()))
        await asyncio.to_thread(pipeline.began.wait)
        call.cancel()
        assert await asyncio.to_thread(pipeline.stopped.wait, 10)
        with pytest.raises(asyncio.CancelledError):
            await call

    asyncio.run(asyncio.wait_for(hang_up(), 10))
    gc.collect()  # then asyncio logs exceptions that nobody has retrieved
    assert caplog.records == []


def test_a_call_that_is_cancelled_keeps_its_place_until_its_frame_has_stopped() -> None:
    async def hang_up() -> list[dict[str, Any]]:
        gate = Gate()
        queue = queue_for(gate)
        calls = [asyncio.ensure_future(queue.answer(message(visitor=str(n)))) for n in range(live.MAX_WAITING_FRAMES)]
        while len(gate.waiting) < live.FRAME_THREADS:
            await asyncio.sleep(0.01)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        early = [await queue.answer(message(visitor="0")), await queue.answer(message(visitor="new"))]
        gate.open.set()
        while "busy" in (answer := await queue.answer(message(visitor="0"))):
            await asyncio.sleep(0.01)
        assert len(gate.waiting) == live.FRAME_THREADS + 1  # the frames that were only waiting cost nothing
        return [*early, answer]

    same, new, later = asyncio.run(asyncio.wait_for(hang_up(), 10))
    assert same["busy"]
    assert new["busy"]
    assert later["faces"]


async def crowd(visitors: int) -> list[dict[str, Any]]:
    """The answers to visitors who all send a frame before the first one is done."""
    gate = Gate()
    queue = queue_for(gate)
    waiting = [asyncio.ensure_future(queue.answer(message(visitor=str(number)))) for number in range(visitors)]
    await asyncio.sleep(0)
    gate.open.set()
    return await asyncio.gather(*waiting)


def test_no_backlog_builds_up_and_who_is_turned_away_is_told_for_how_long() -> None:
    answers = asyncio.run(crowd(400))
    busy = [answer for answer in answers if "busy" in answer]
    assert len(busy) == 400 - live.MAX_WAITING_FRAMES
    assert all(0 < answer["seconds"] <= 20 for answer in busy)
    assert all(answer["faces"] for answer in answers[: -len(busy)])


async def settle() -> None:
    """Let the calls that were just made hand their frames to the threads: a task's first step, and that of its task."""
    for _ in range(2):
        await asyncio.sleep(0)


def test_many_names_from_one_address_keep_nobody_waiting_but_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "FRAME_THREADS", 1)  # with two, one may overtake the other
    greedy = [f"greedy {number}" for number in range(60)]

    class Counted(Gate):
        def stream(self) -> "Counted":
            stream = Counted()
            stream.open = self.open
            made.append(stream)
            return stream

        def analyse(self, frame: np.ndarray, seconds: float, waiting: int, *, explained: bool) -> Analysis:
            begun.append(self)
            return super().analyse(frame, seconds, waiting, explained=explained)

    made: list[Counted] = []
    begun: list[Counted] = []

    async def visit() -> int:
        gate = Counted()
        queue = queue_for(gate)
        monkeypatch.setattr(live, "caller_address", lambda: "one")
        waiting = [asyncio.ensure_future(queue.answer(message(visitor=name))) for name in greedy]
        await settle()
        monkeypatch.setattr(live, "caller_address", lambda: "another")
        honest = asyncio.ensure_future(queue.answer(message(visitor="she")))
        await settle()
        gate.open.set()
        await asyncio.gather(honest, *waiting)
        return begun.index(made[-1])  # that is hers

    assert asyncio.run(visit()) <= 2


def test_one_address_cannot_hold_all_places(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = iter(["greedy"] * 300 + ["another"])
    monkeypatch.setattr(live, "caller_address", lambda: next(addresses))

    *greedy, other = asyncio.run(crowd(301))
    assert sum("faces" in answer for answer in greedy) == live.MAX_WAITING_FRAMES // 2
    assert other["faces"]
