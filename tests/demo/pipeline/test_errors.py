import os
import threading
from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch

from demo.pipeline.errors import FAILURES, is_shortage, reason


def start_a_huge_thread() -> None:
    before = threading.stack_size(2**50)
    try:
        threading.Thread().start()
    finally:
        threading.stack_size(before)


@pytest.mark.parametrize(
    "fail",
    [
        lambda: np.empty(2**60, np.uint8),
        lambda: torch.empty(2**60, dtype=torch.uint8),
        lambda: cv2.resize(np.zeros((1, 1, 3), np.uint8), (2**20, 2**20)),
        pytest.param(start_a_huge_thread, marks=pytest.mark.skipif(os.name == "nt", reason="no stack is that large")),
    ],
)
def test_what_python_and_libraries_say_where_memory_is_short_is_known(fail: Callable[[], object]) -> None:
    with pytest.raises(FAILURES) as failure:
        fail()
    assert is_shortage(failure.value)
    assert reason(failure.value)


@pytest.mark.parametrize("fail", [lambda: torch.zeros(2) @ torch.zeros(3), lambda: cv2.resize(np.zeros(1), (0, 0))])
def test_what_they_say_of_wrong_values_is_no_shortage(fail: Callable[[], object]) -> None:
    with pytest.raises(FAILURES) as failure:
        fail()
    assert not is_shortage(failure.value)
