"""What the page says when it sees more faces than it reads."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from demo.limits import MAX_LIVE_FACES
from tests.browser.bare import bare_page
from tests.browser.conftest import Server, opener, start_live, wait_for_live_status, wait_for_more
from tests.browser.films import answered, face

SENTENCE = f"Only the {MAX_LIVE_FACES} largest faces are read: come closer."
CROWD = [face(number, 50 * number) for number in range(1, MAX_LIVE_FACES + 1)]
# How often the line was written to: screen readers announce it each time.
TOLD = """() => {
    window.told = [];
    const line = document.querySelector("#live .crowd");
    window.telling?.disconnect();
    const changes = {childList: true, subtree: true, characterData: true};
    window.telling = new MutationObserver(() => window.told.push(line.textContent));
    window.telling.observe(line, changes);
}"""
# The places of all parts with the line and, in the same moment, without it: figures of speed move parts, too.
PLACES = """() => {
    const line = document.querySelector("#live .crowd");
    const places = () => [...document.querySelectorAll("#live *:not(.crowd)")].map((part) => {
        const {x, y, width, height} = part.getBoundingClientRect();
        return [part.className, x, y, width, height];
    });
    const shown = places();
    const text = line.textContent;
    line.textContent = "";
    const hidden = places();
    line.textContent = text;
    return {shown, hidden};
}"""


@pytest.fixture(scope="module")
def bare(browser: Any) -> Iterator[Any]:
    with bare_page(browser, "live/remarks/crowd.js") as page:
        yield page


def remarks(page: Any, *frames: tuple[float, int]) -> list[bool]:
    """Whether the page says something after each frame (milliseconds, how many faces are left out)."""
    found: Sequence[str] = page.evaluate(
        """(frames) => {
            const crowd = new CrowdRemark();
            return frames.map(([now, leftOut]) => String(crowd.remark(8, leftOut, now)));
        }""",
        frames,
    )
    assert set(found) <= {"", SENTENCE}
    return [bool(text) for text in found]


def test_a_face_too_many_in_one_frame_is_not_worth_a_sentence(bare: Any) -> None:
    assert remarks(bare, (0, 0), (50, 1), (100, 0), (2100, 0), (2200, 1), (2600, 1)) == [False] * 6


def test_what_is_said_stays_while_the_detector_misses_a_face_now_and_then_and_goes_with_the_crowd(bare: Any) -> None:
    seen = [(100.0 * number, number % 2) for number in range(1, 41)]
    assert remarks(bare, *seen) == [False] * 6 + [True] * 34
    assert remarks(bare, (0, 1), (600, 1), (2500, 0), (2700, 0), (2800, 1)) == [False, True, True, False, False]


def test_few_frames_are_enough(bare: Any) -> None:
    assert remarks(bare, (0, 2), (3000, 2), (6000, 2), (9000, 0)) == [False, True, True, False]


@pytest.fixture(scope="module")
def opened(server: Server, browser: Any) -> Iterator[Any]:
    """The real page, before whose camera is a crowd."""
    for open_at in opener(browser):
        page = open_at(server, answered(*CROWD))
        page.emulate_media(reduced_motion="reduce")
        yield page


@pytest.fixture
def page(opened: Any) -> Any:
    """That page in live mode, of whose crowd no face is left out yet."""
    opened.evaluate("window.leftOut = 0")
    if opened.get_attribute("#live", "data-state") != "on":
        start_live(opened)
    wait_for_live_status(opened, f"{MAX_LIVE_FACES} faces")
    opened.locator("#live .crowd:empty").wait_for(state="attached")
    return opened


@pytest.mark.parametrize("size", [(390, 844), (1440, 900)])
def test_of_a_crowd_the_page_says_that_the_largest_are_read_once_and_nothing_moves(
    page: Any, size: tuple[int, int]
) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.evaluate(TOLD)
    page.evaluate("window.leftOut = 3")
    line = page.get_by_role("status").filter(has_text=SENTENCE)
    line.wait_for()
    wait_for_more(page)
    assert page.evaluate("window.told") == [SENTENCE]
    places = page.evaluate(PLACES)
    assert places["shown"] == places["hidden"]
    page.evaluate("window.leftOut = 0")
    page.locator("#live .crowd:empty").wait_for(state="attached")


def test_what_is_said_of_a_crowd_goes_with_the_camera(page: Any) -> None:
    page.evaluate("window.leftOut = 1")
    page.locator("#live .crowd", has_text=SENTENCE).wait_for()
    page.click("#live-stop")
    assert page.inner_text("#live .crowd") == ""
