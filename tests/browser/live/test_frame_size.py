"""The measured answers decide how large the next picture is."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from demo.paths import BROWSER
from tests.browser.bare import bare_page
from tests.browser.conftest import Server, replaced, start_live, wait_for_more
from tests.browser.films import CLOCK, answered, face

WIDTHS = [480, 400, 320, 256]


@pytest.fixture(scope="module")
def blank(browser: Any) -> Iterator[Any]:
    with bare_page(browser, "engines/frame_size.js") as page:
        yield page


def widths(blank: Any, milliseconds: list[float]) -> list[int]:
    """The width after each answer."""
    play = "const size = new FrameSize(); return all.map((one) => { size.note(one); return size.width; });"
    return blank.evaluate(f"(all) => {{ {play} }}", milliseconds)


def test_quick_answers_change_nothing(blank: Any) -> None:
    assert set(widths(blank, [40.0] * 500)) == {480}


def test_single_slow_answers_change_nothing(blank: Any) -> None:
    assert set(widths(blank, ([40.0] * 6 + [2000.0]) * 50)) == {480}


def test_slow_answers_make_the_pictures_smaller_step_by_step(blank: Any) -> None:
    found = widths(blank, [500.0] * 100)
    assert sorted(set(found), reverse=True) == WIDTHS
    assert found == sorted(found, reverse=True)
    assert found[39] == 256


def test_they_become_large_again_once_answers_are_quick(blank: Any) -> None:
    found = widths(blank, [500.0] * 100 + [60.0] * 200)
    assert found[99] == 256
    assert found[-1] == 480
    assert found[99:] == sorted(found[99:])


def test_a_width_that_is_too_much_is_tried_ever_less_often(blank: Any) -> None:
    play = """
        const size = new FrameSize();
        const seen = Array.from({length: 4000}, () => { size.note(size.width > 320 ? 400 : 60); return size.width; });
        return seen.map((width, at) => (width > 320 && seen[at - 1] === 320 ? at : 0)).filter((at) => at > 0);
    """
    tries = blank.evaluate(f"() => {{ {play} }}")
    gaps = [later - earlier for earlier, later in pairwise(tries)]
    assert 3 <= len(tries) <= 12
    assert gaps == sorted(gaps)
    assert gaps[-1] > 4 * gaps[0]


def test_an_answer_that_is_given_up_makes_the_pictures_smaller_at_once(blank: Any) -> None:
    play = "const size = new FrameSize(); return all.map(() => { size.shrink(); return size.width; });"
    assert blank.evaluate(f"(all) => {{ {play} }}", [0] * 5) == [400, 320, 256, 256, 256]


# Counts the requests that the page gives up.
GIVEN_UP = """
    window.givenUp = 0;
    const reply = window.fetch;
    window.fetch = (address, options) => {
      options?.signal?.addEventListener("abort", () => window.givenUp++);
      return reply(address, options);
    };
"""
ENGINE = (BROWSER / "engines/server.js").read_text(encoding="utf-8")
IMPATIENT = {"engines/server.js": replaced(ENGINE, "ANSWER_MS = 8000", "ANSWER_MS = 500")}


def test_a_frame_that_is_late_is_given_up_and_the_next_one_is_smaller(server: Server, open_page: Any) -> None:
    page = open_page(server, answered(face(1, 200)) + GIVEN_UP, IMPATIENT)
    start_live(page)
    page.evaluate("window.delay = 1e9")
    page.wait_for_function("window.givenUp > 0")
    page.evaluate("window.delay = 0")
    page.wait_for_selector("#live:not([data-sent-width='480'])")


def test_a_slow_server_gets_smaller_pictures_and_the_page_says_so(server: Server, open_page: Any) -> None:
    page = open_page(server, answered(face(1, 200)) + CLOCK)
    start_live(page)
    page.evaluate("window.taken = 400")
    page.wait_for_selector("#live[data-sent-width='256']")
    page.locator("#live .flow", has_text="Slow answers").wait_for()
    wait_for_more(page)
    small = page.evaluate("window.messages.at(-1).size")
    page.evaluate("window.taken = 40")
    page.wait_for_selector("#live[data-sent-width='480']")
    page.wait_for_selector("#live .flow", state="hidden")
    wait_for_more(page)
    assert page.evaluate("window.messages.at(-1).size") > 2 * small
