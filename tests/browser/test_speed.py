"""The frames a second and the milliseconds beside the picture."""

from collections.abc import Iterator
from typing import Any

import pytest

from .bare import bare_page

BODY = '<b class="rate"></b><b class="delay"></b><span class="split"></span><ul class="stages"></ul>'


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    with bare_page(browser, "live/speed.js", body=BODY) as page:
        page.evaluate("window.speed = new SpeedPanel(document.body); 0")
        yield page


def told(page: Any, start: float, count: int, apart: float, latency: float = 30) -> list[list[str]]:
    """What the page tells after each of so many frames, so many milliseconds apart: [frames a second, delay]."""
    return page.evaluate(
        """([start, count, apart, latency]) => Array.from({length: count}, (_, frame) => {
            const stages = Object.fromEntries(Object.keys(STAGES).map((stage) => [stage, 1]));
            speed.note(start + frame * apart, latency, stages);
            return [speed.rate.textContent, speed.delay.textContent];
        })""",
        [start, count, apart, latency],
    )


def test_the_rate_is_right_from_the_first_time_that_it_is_told(page: Any) -> None:
    found = told(page, 5000, 200, 40)
    assert {rate for rate, _ in found} == {"–", "25"}
    assert [rate for rate, _ in found].index("25") == 13  # half a second


@pytest.mark.parametrize("pause", [2100, 60_000])
def test_a_pause_makes_no_rate_lower(page: Any, pause: float) -> None:
    told(page, 5000, 100, 40)
    assert {rate for rate, _ in told(page, 9000 + pause, 100, 40)} == {"25"}


def test_a_server_that_takes_seconds_is_told_as_slow_as_it_is(page: Any) -> None:
    told(page, 5000, 100, 40)
    assert told(page, 9000 + 2900, 3, 2900, latency=2890)[1:] == [["0", "2890"]] * 2
