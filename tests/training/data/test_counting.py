import sys
from types import SimpleNamespace

import pytest

from training.data import counting
from training.data.counting import counted


class Clock:
    """A stand-in for the module `time`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 500.0
        monkeypatch.setattr(counting, "time", SimpleNamespace(monotonic=lambda: self.seconds))


def test_a_log_gets_a_line_a_minute_with_what_is_done_and_the_time_left(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    with counted("asking", 2000) as advance:
        for _ in range(100):
            clock.seconds += 1.3
            advance(10)
    assert capsys.readouterr().err.splitlines() == [
        "asking: 470 of 2,000, 3 min left",
        "asking: 940 of 2,000, 2 min left",
    ]


def test_what_was_done_before_does_not_shorten_the_time_left(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    with counted("decoding", 2000, 1000) as advance:
        clock.seconds += 60
        advance(100)
    assert capsys.readouterr().err == "decoding: 1,100 of 2,000, 9 min left\n"


def test_a_terminal_gets_a_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with counted("asking", 20, 5) as advance:
        advance(15)
        during = capsys.readouterr().err
    assert "asking" in during
    assert "/20" in during
    assert "left" not in during


@pytest.mark.parametrize("terminal", [False, True])
def test_the_other_processes_say_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    clock = Clock(monkeypatch)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    with counted("asking", 2000, reports=False) as advance:
        clock.seconds += 100
        advance(10)
    assert capsys.readouterr().err == ""
