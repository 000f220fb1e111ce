import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar

import cv2
import numpy as np
import pytest

from demo.pipeline.result import FaceResult
from demo.server.answer import AnalysisError, answer_on, describe_face
from tests.fakes.quality import CLEAR, CONDITIONS


def test_an_analysis_runs_in_the_context_of_its_call() -> None:
    visitor: ContextVar[str] = ContextVar("visitor", default="nobody")

    async def call() -> str:
        visitor.set("somebody")
        return await answer_on(pool, visitor.get)

    with ThreadPoolExecutor(1) as pool:
        assert asyncio.run(call()) == "somebody"


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (MemoryError(), AnalysisError),
        (RuntimeError("device lost"), AnalysisError),
        (cv2.error("no memory"), AnalysisError),
        (ValueError("a mistake of ours"), ValueError),
    ],
)
def test_only_what_memory_or_a_device_may_raise_is_an_analysis_that_failed(
    raised: Exception, expected: type[Exception]
) -> None:
    def fail() -> None:
        raise raised

    with ThreadPoolExecutor(1) as pool, pytest.raises(expected):
        asyncio.run(answer_on(pool, fail))


def test_a_face_is_described_in_plain_types() -> None:
    probabilities, crop = np.array([0.75, 1 / 3], np.float32), np.zeros((218, 178, 3), np.uint8)
    assert describe_face(FaceResult(2, (1, 2, 3, 4), probabilities, crop, CLEAR, ("small",))) == {
        "number": 2,
        "box": [1, 2, 3, 4],
        "probabilities": [0.75, 0.333333],
        "doubts": ["small"],
        "conditions": CONDITIONS,
    }
