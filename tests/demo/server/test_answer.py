import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any

import cv2
import numpy as np
import pytest

from demo.limits import MAX_PICTURE_BYTES, MAX_VISITOR_CHARACTERS
from demo.pictures.decode import PictureError
from demo.pictures.decoders import NoDecoderError
from demo.pipeline.result import FaceResult
from demo.server.answer import AnalysisError, ShortageError, analyse_within_bounds, answer_on, describe_face, visitor_in
from demo.server.watchdog import WORKS
from tests.fakes.quality import CLEAR, CONDITIONS


def test_an_analysis_runs_in_the_context_of_its_call() -> None:
    visitor: ContextVar[str] = ContextVar("visitor", default="nobody")

    async def call() -> str:
        visitor.set("somebody")
        return await answer_on(pool, visitor.get)

    with ThreadPoolExecutor(1) as pool:
        assert asyncio.run(call()) == "somebody"


def test_an_analysis_is_watched_for_as_long_as_it_goes_on() -> None:
    with ThreadPoolExecutor(1, thread_name_prefix="live") as pool:
        assert asyncio.run(answer_on(pool, WORKS.still, 0)) == ["thread live_0"]
    assert WORKS.still(0) == []


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (MemoryError(), ShortageError),
        (RuntimeError("can't start new thread"), ShortageError),
        (NoDecoderError("no process"), ShortageError),
        (RuntimeError("device lost"), AnalysisError),
        (cv2.error("wrong size"), AnalysisError),
        (ValueError("a mistake of ours"), ValueError),
        (OSError("a mistake of ours"), OSError),
    ],
)
def test_a_shortage_is_told_from_a_failure_and_both_from_a_mistake(
    raised: Exception, expected: type[Exception]
) -> None:
    def fail() -> None:
        raise raised

    with ThreadPoolExecutor(1) as pool, pytest.raises(expected) as told:
        asyncio.run(answer_on(pool, fail))
    assert told.type is expected


def lists_within_lists(depth: int) -> list[Any]:
    outermost: list[Any] = []
    for _ in range(depth):
        outermost = [outermost]
    return outermost


@pytest.mark.parametrize(
    ("message", "visitor"),
    [
        ({"visitor": "she"}, "she"),
        ({"visitor": "x" * 100}, "x" * MAX_VISITOR_CHARACTERS),
        (None, None),
        ([], None),
        ({}, None),
        ({"visitor": 5}, None),
        ({"visitor": lists_within_lists(2000)}, None),
    ],
)
def test_a_visitor_s_word_is_a_short_text_or_none(message: Any, visitor: str | None) -> None:
    assert visitor_in(message) == visitor


def test_a_file_larger_than_a_picture_may_be_is_not_decoded() -> None:
    nothing: Any = None  # in place of a pipeline, which is not asked
    with pytest.raises(PictureError, match="larger than 64 MB"):
        analyse_within_bounds(bytes(MAX_PICTURE_BYTES + 1), "", nothing)


def test_a_face_is_described_in_plain_types() -> None:
    probabilities, crop = np.array([0.75, 1 / 3], np.float32), np.zeros((218, 178, 3), np.uint8)
    assert describe_face(FaceResult(2, (1, 2, 3, 4), probabilities, crop, CLEAR, ("small",))) == {
        "number": 2,
        "box": [1, 2, 3, 4],
        "probabilities": [0.75, 0.333333],
        "warnings": ["small"],
        "conditions": CONDITIONS,
    }
