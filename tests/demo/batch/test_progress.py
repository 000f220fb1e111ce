import io
from collections.abc import Iterator

import pytest

from demo.batch.progress import counted


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time in seconds that the bar reads."""
    now = [0.0]
    monkeypatch.setattr("tqdm.std.time", lambda: now[0])
    return now


def a_second_each(count: int, clock: list[float]) -> Iterator[int]:
    """Pictures that take a second each."""
    for picture in range(count):
        clock[0] += 1
        yield picture


def test_a_log_hears_once_a_minute(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    log = io.StringIO()
    monkeypatch.setattr("sys.stderr", log)
    assert list(counted(a_second_each(600, clock), "cropping", 700, 100)) == list(range(600))
    shown = log.getvalue().split("\r")[1:]
    assert 10 <= len(shown) <= 12
    assert all(part in shown[1] for part in ("cropping", "160/700", "1.00picture/s"))
    assert "700/700" in shown[-1]


def test_a_terminal_sees_it_move(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    assert len(list(counted(a_second_each(60, clock), "annotating", 60, 0))) == 60
    assert terminal.getvalue().count("\r") >= 60
