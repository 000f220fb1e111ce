"""Live mode with its real server: faces, their numbers, their attributes."""

import base64
import io
from typing import Any

import pytest
from PIL import Image

from tests.browser.conftest import (
    Server,
    assert_ticks_agree,
    frames,
    start_live,
    wait_for_frames,
    wait_for_live_status,
    wait_for_more,
)
from tests.browser.films import CLOCK, answered, before_the_wall, face, filmed, heads, wall


def test_the_camera_starts_only_when_asked_is_released_by_stop_and_starts_again(server: Server, open_page: Any) -> None:
    page = open_page(server)
    assert page.is_visible("#live-start")
    assert page.is_visible("#photo-tab")
    assert page.evaluate("window.watched.tracks.length") == 0
    assert frames(page) == 0
    start_live(page)
    assert page.evaluate("window.watched.tracks.length") == 1  # nobody else has asked for one in the meantime
    page.click("#live-stop")
    assert page.evaluate("window.watched.tracks.map(track => track.readyState)") == ["ended"]
    assert page.get_attribute("#live", "data-faces") == "0"
    page.wait_for_selector("#live-start:focus")
    start_live(page)


def test_boxes_tick_for_the_face_before_the_camera(server: Server, open_page: Any) -> None:
    page = open_page(
        server, "window.told = []; addEventListener('live-frame', ({detail}) => window.told.push(detail));"
    )
    page.click("#live-start")
    wait_for_frames(page, 5)
    wait_for_live_status(page, "One face")
    assert page.get_attribute("#live", "data-faces") == "1"
    assert_ticks_agree(page, "live")
    assert float(page.get_attribute("#live", "data-latency-ms")) > 0
    wait_for_more(page, 5)
    assert_each_frame_tells_where_its_milliseconds_went(page)
    assert_the_crop_that_the_network_sees_is_shown(page)


def assert_each_frame_tells_where_its_milliseconds_went(page: Any) -> None:
    page.wait_for_function("window.told.length >= 3")
    for frame in page.evaluate("window.told"):
        stages = frame["stages"]
        assert list(stages) == ["capture", "encode", "network", "wait", "decode", "detect", "align", "infer", "paint"]
        assert all(stages[name] > 0 for name in ("encode", "network", "decode", "detect", "align", "infer", "paint"))
        assert sum(stages.values()) == pytest.approx(frame["latency"], abs=50)
        assert frame["faces"] == 1
    page.click("#live .speed summary")
    page.locator("#live [data-stage='detect'] span", has_text="ms").wait_for()
    assert page.locator("#live .rate", has_text="–").count() == 0


def assert_the_crop_that_the_network_sees_is_shown(page: Any) -> None:
    address = page.wait_for_selector("#live .crop img[src]").get_attribute("src")
    assert Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))).size == (178, 218)
    page.wait_for_function("old => document.querySelector('#live .crop img').src !== old", arg=address)


# How many calls to the server have no answer yet.
IN_FLIGHT = """
    const passOn = window.fetch.bind(window);
    window.inFlight = 0;
    window.fetch = (...request) => {
      if (!String(request[0]).includes("component_server")) return passOn(...request);
      window.inFlight++;
      const answer = passOn(...request);
      answer.then((copy) => copy.clone().text()).catch(() => {}).finally(() => setTimeout(() => window.inFlight--));
      return answer;
    };
"""


def test_one_encoding_for_each_frame_and_none_besides(server: Server, open_page: Any) -> None:
    page = open_page(server, IN_FLIGHT)
    page.click("#live-start")
    wait_for_frames(page, 10)
    page.click("#live-stop")
    painted = frames(page)
    encoded = page.evaluate("window.watched.encodings")
    assert painted <= encoded <= painted + 1  # the last one may have been in flight when the camera was stopped
    page.wait_for_function("window.inFlight === 0")
    assert frames(page) == painted
    assert page.evaluate("window.watched.encodings") == encoded


def test_a_face_that_comes_and_goes(server: Server, open_page: Any) -> None:
    page = open_page(server, filmed(wall(), before_the_wall((heads()[0], 200))))
    start_live(page)
    wait_for_live_status(page, "No face")
    assert page.get_attribute("#live", "data-faces") == "0"
    assert page.locator("#live [data-attribute]:checked").count() == 0
    page.evaluate("window.filmed = 1")
    page.wait_for_selector("#live[data-faces='1']")
    page.wait_for_selector("#live [data-attribute]:checked")
    assert page.locator("#live [data-face]").count() == 1
    wait_for_live_status(page, "One face")
    page.evaluate("window.filmed = 0")
    page.wait_for_selector("#live[data-faces='0']")
    wait_for_live_status(page, "No face")
    assert page.locator("#live [data-attribute]:checked").count() == 0
    assert page.locator("#live [data-face]").count() == 0
    wait_for_more(page)


def test_a_frame_in_which_the_face_is_missed_takes_nothing_off_the_page(server: Server, open_page: Any) -> None:
    page = open_page(server, answered(face(1, 200)) + CLOCK)
    start_live(page)
    page.wait_for_selector("#live [data-attribute]:checked")
    before = page.locator("#live [data-attribute]:checked").count()
    page.evaluate(
        """() => {
            window.met = [];
            const panel = document.querySelector("#live .attributes");
            const top = panel.getBoundingClientRect().top;
            addEventListener("live-frame", ({detail}) => {
              if (detail.faces) return;
              const moved = panel.getBoundingClientRect().top - top;
              window.met.push([panel.querySelectorAll("[data-attribute]:checked").length, moved, panel.className]);
              window.faces = window.kept;
            });
            [window.kept, window.faces] = [window.faces, []];
        }"""
    )
    page.wait_for_function("window.met.length > 0")
    ticked, moved, classes = page.evaluate("window.met[0]")
    assert (ticked, moved) == (before, 0)
    assert "greyed" in classes
    wait_for_more(page)
    assert page.locator("#live .attributes.greyed").count() == 0


def test_a_face_too_small_to_be_read_is_greyed_out_with_the_reason(server: Server, open_page: Any) -> None:
    page = open_page(server, filmed(before_the_wall((heads(130)[0], 260))))
    start_live(page)
    wait_for_live_status(page, "too small")
    page.wait_for_selector("#live .attributes.greyed")


def test_two_people_keep_their_numbers_when_they_cross(server: Server, open_page: Any) -> None:
    collins, hopper = heads()
    walk = [before_the_wall((collins, left), (hopper, 480 - left)) for left in range(0, 481, 48)]
    # The film goes on by one picture for each analysed frame, so it takes the same steps on a slow machine. A fast one
    # shows at most eight pictures a second, since nobody crosses the room faster than that.
    step = """
        window.goal = 0;
        let stepped = 0;
        addEventListener("live-frame", () => {
          if (performance.now() - stepped < 120) return;
          stepped = performance.now();
          window.filmed += Math.sign(window.goal - window.filmed);
        });
    """
    page = open_page(server, filmed(*walk) + step)
    start_live(page)
    page.wait_for_selector("#live[data-faces='2']")
    before = who_wears_glasses(page)
    # If other work leaves less than a frame a second, someone may be out of sight for longer than they are remembered.
    for goal in (10, 0, 10, 0):
        page.evaluate(f"window.goal = {goal}")
        page.wait_for_function(f"window.filmed === {goal}")
        wait_for_more(page)
        page.wait_for_selector("#live[data-faces='2']")
        after = who_wears_glasses(page)
        if after == before and sorted(after.values()) == [False, True]:
            return
        before = after
    pytest.fail("in four crossings the numbers never stayed")


def who_wears_glasses(page: Any) -> dict[str, bool]:
    """Number of each face -> whether its box is ticked, for the numbers that stayed while we looked at them."""
    numbers = page.eval_on_selector_all("#live [data-face]", "all => all.map(button => button.dataset.face)")
    found = {}
    for number in numbers:
        chosen = page.locator(f"#live [data-face='{number}'][aria-pressed='true']")
        page.evaluate("number => document.querySelector(`#live [data-face='${number}']`)?.click()", number)
        wait_for_more(page)
        assert_ticks_agree(page, "live")
        ticked = page.is_checked("#live [data-attribute='Eyeglasses']")
        if chosen.count():  # else so few frames came in that someone was forgotten and now has another number
            found[number] = ticked
    return found


def test_four_visitors_at_once_all_go_on(server: Server, open_page: Any) -> None:
    pages = [open_page(server) for _ in range(4)]
    for page in pages:
        page.click("#live-start")
    for count in (2, 5):
        for page in pages:
            wait_for_frames(page, count)
    assert all(page.get_attribute("#live", "data-faces") == "1" for page in pages)
