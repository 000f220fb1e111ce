"""The frames a second and the milliseconds beside the picture."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.bare import bare_page

BODY = '<b class="rate"></b><b class="delay"></b><span class="split"></span><ul class="stages"></ul>'


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    with bare_page(browser, "live/speed.js", "live/remarks/age.js", body=BODY) as page:
        page.evaluate(
            """window.silences = 0;
                window.speed = new SpeedPanel(document.body, () => {}, () => { window.silences++; });
                window.age = new PictureAge();"""
        )
        yield page


def told(page: Any, start: float, count: int, apart: float, latency: float = 30) -> list[list[str]]:
    """What the page shows after each of `count` frames, `apart` milliseconds apart: [frames a second, delay]."""
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
    assert told(page, 9000 + 2900, 3, 2900, latency=2890)[1:] == [["0.3", "2890"]] * 2


def figures(page: Any) -> set[str]:
    return set(page.locator(".rate, .delay, .stages span:last-child").all_text_contents())


def test_figures_go_when_the_next_frame_is_overdue_and_come_back(page: Any) -> None:
    page.clock.install(time=0)
    page.clock.pause_at(10)
    told(page, 5000, 50, 40)
    page.clock.run_for(900)
    assert page.inner_text(".rate") == "25"
    page.clock.run_for(200)
    assert figures(page) == {"–"}
    assert page.evaluate("window.silences") == 1
    told(page, 9000, 50, 40)
    assert page.inner_text(".rate") == "25"
    told(page, 12000 + 2900, 4, 2900, latency=2890)
    page.clock.run_for(5000)  # less than twice the time between two frames
    assert page.inner_text(".rate") == "0.3"
    page.clock.run_for(1000)
    assert figures(page) == {"–"}


def test_the_age_of_the_picture_is_said_while_frames_are_few(page: Any) -> None:
    def remarks(*figures: tuple[float, float]) -> list[str]:
        """What the page says after each of these: frames a second, and milliseconds from the camera to the page."""
        return page.evaluate("(all) => all.map((figures) => String(age.remark(...figures)))", figures)

    assert remarks((30, 40), (2, 300), (30, 40)) == ["", "", ""]  # one late answer
    old = "Slow: what you see may be {} s old."
    assert remarks((2, 300), (2, 300)) == ["", old.format("0.8")]
    assert remarks((2.5, 300), (2.1, 350)) == [old.format("0.8")] * 2  # not said again for a small change
    assert remarks((1, 900)) == [old.format("1.9")]
    assert remarks((3.1, 200), (2.8, 200), (2.8, 200)) == [""] * 3
