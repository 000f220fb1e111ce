import os
import signal
from types import FrameType

import pytest

from demo.held_signals import held_back


@pytest.mark.skipif(os.name != "posix", reason="Windows cannot hold signals back")
def test_a_signal_comes_after_the_step_and_later_ones_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    def note(_number: int, _frame: FrameType | None) -> None:
        told.append("signal")

    before = signal.signal(signal.SIGTERM, note)
    try:
        with held_back(signal.SIGTERM):
            signal.raise_signal(signal.SIGTERM)
            told.append("step")
        signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert told == ["step", "signal", "signal"]
    monkeypatch.delattr(signal, "pthread_sigmask")
    with held_back(signal.SIGTERM):  # as on Windows
        told.append("another step")
    assert told[-1] == "another step"
