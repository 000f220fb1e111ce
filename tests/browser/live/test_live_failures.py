"""The page says plainly what goes wrong with the camera or the server, and live mode goes on by itself."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.conftest import (
    Server,
    frames,
    let_camera_frames_pass,
    opener,
    start_live,
    wait_for_answers,
    wait_for_frames,
    wait_for_live_status,
    wait_for_more,
)
from tests.browser.films import answered, face

KEPT = "window.kept = {fetch: window.fetch, open: navigator.mediaDevices.getUserMedia};"
# Takes back what a test has put in place of the browser's own, and forgets its messages and cameras.
FORGET = """() => {
    window.fetch = window.kept.fetch;
    window.delay = 0;
    navigator.mediaDevices.getUserMedia = window.kept.open;
    delete navigator.mediaDevices.enumerateDevices;
    delete document.hidden;
    delete document.querySelector("#live video").requestVideoFrameCallback;
    const painted = Number(document.querySelector("#live").dataset.frame);
    window.messages = Array.from({length: painted}, () => ({})); // as if each had been asked for once
    window.watched.tracks = [];
}"""


@pytest.fixture(scope="module")
def opened(server: Server, browser: Any) -> Iterator[Any]:
    for open_at in opener(browser):
        yield open_at(server, answered(face(1, 200)) + KEPT)


@pytest.fixture
def page(opened: Any) -> Any:
    """A page whose camera is off, and whose server always sees one face."""
    opened.evaluate("document.querySelector('#live-stop').click()")
    opened.wait_for_selector("#live[data-state='off']")
    opened.evaluate(FORGET)
    return opened


def refused(name: str, message: str = "") -> str:
    return f"navigator.mediaDevices.getUserMedia = async () => {{ throw new DOMException('{message}', '{name}') }};"


def test_a_browser_that_gives_no_camera_at_all_is_explained(server: Server, open_page: Any) -> None:
    page = open_page(server, "Object.defineProperty(navigator, 'mediaDevices', {value: undefined})")
    secure = "(value) => { Object.defineProperty(window, 'isSecureContext', {value, configurable: true}); }"
    for is_secure, message in ((False, "https"), (True, "another browser")):
        page.evaluate(secure, is_secure)
        page.click("#live-start")
        wait_for_live_status(page, message)
        assert page.is_enabled("#live-start")


def test_each_reason_why_there_is_no_camera_is_explained(page: Any) -> None:
    for name, reason, message in (
        ("NotAllowedError", "", "Allow"),
        ("NotFoundError", "", "No camera"),
        ("NotReadableError", "", "in use"),
        ("AbortError", "", "another program"),
        ("NotAllowedError", "Permission denied by system", "operating system"),
        ("NotAllowedError", "Permission dismissed", "closed without an answer"),
    ):
        page.evaluate("navigator.mediaDevices.getUserMedia = () => new Promise(() => undefined); 0")
        page.click("#live-start")
        wait_for_live_status(page, "Waiting for the camera")  # no longer what it said before
        page.click("#live-stop")
        page.evaluate(refused(name, reason) + " 0")
        page.click("#live-start")
        wait_for_live_status(page, message)
        assert page.is_enabled("#live-start")


def test_live_goes_on_when_an_unplugged_camera_is_back(page: Any) -> None:
    start_live(page)
    page.evaluate("window.listed = navigator.mediaDevices.enumerateDevices; 0")
    page.evaluate(
        "window.looks = 0; navigator.mediaDevices.enumerateDevices = async () => { window.looks++; return []; }"
    )
    page.evaluate("window.watched.tracks[0].stop(); window.watched.tracks[0].dispatchEvent(new Event('ended'))")
    wait_for_live_status(page, "disconnected")
    page.wait_for_function("window.looks >= 3")  # the menu's, and two for the camera: the first found none
    assert page.evaluate("window.watched.tracks.length") == 1
    page.evaluate("navigator.mediaDevices.enumerateDevices = window.listed; 0")
    wait_for_more(page)
    wait_for_live_status(page, "One face")


def test_a_camera_whose_permission_is_taken_back_is_off(page: Any) -> None:
    start_live(page)
    page.evaluate(refused("NotAllowedError") + " 0")
    page.evaluate(  # what browsers answer without permission
        "navigator.mediaDevices.enumerateDevices = async () => [{kind: 'videoinput', deviceId: '', label: ''}]; 0"
    )
    page.evaluate("window.watched.tracks[0].dispatchEvent(new Event('ended'))")
    wait_for_live_status(page, "Allow")
    assert page.is_enabled("#live-start")
    assert page.locator("#live .picker option").count() == 0  # none could be told from another


def test_a_camera_that_gives_no_picture_for_a_while_says_so_unless_the_picture_is_frozen(page: Any) -> None:
    start_live(page)

    def mute(on: bool) -> None:
        page.evaluate(
            """(on) => {
                const [track] = window.watched.tracks;
                Object.defineProperty(track, "muted", {value: on, configurable: true});
                track.dispatchEvent(new Event(on ? "mute" : "unmute"));
            }""",
            on,
        )

    mute(True)
    wait_for_live_status(page, "The camera gives no picture at the moment.")
    hide(page, True)
    wait_for_live_status(page, "hidden")
    hide(page, False)
    wait_for_live_status(page, "The camera gives no picture at the moment.")
    mute(False)
    wait_for_live_status(page, "One face")
    page.click("#live [data-do='freeze']")
    wait_for_live_status(page, "Frozen")
    mute(True)
    wait_for_live_status(page, "Frozen")
    assert page.get_attribute("#live", "data-state") == "on"


@pytest.mark.parametrize(
    "leave",
    ["location.hash = '#engine=device'", "document.querySelector('#live-stop').click()"],
    ids=["another engine", "stop"],
)
def test_a_frame_on_its_way_is_broken_off_when_it_is_no_longer_wanted(
    leave: str, server: Server, open_page: Any
) -> None:
    page = open_page(server, answered(face(1, 200)))
    start_live(page)
    page.evaluate(
        """window.fetch = (_, {signal}) => new Promise((_, fail) => {
            signal.addEventListener("abort", () => { window.broken = true; fail(signal.reason); });
        }); 0"""
    )
    wait_for_live_status(page, "Waiting for the server's answer")
    page.evaluate(leave)
    page.wait_for_function("window.broken")


def hide(page: Any, hidden: bool) -> None:
    page.evaluate(
        """(hidden) => {
            Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


def test_nothing_is_sent_while_the_tab_is_hidden(page: Any) -> None:
    start_live(page)
    hide(page, True)
    wait_for_live_status(page, "hidden")
    wait_for_answers(page)
    wait_for_figures(page, there=False)
    page.wait_for_selector("#live.stale")
    sent = page.evaluate("window.messages.length")
    let_camera_frames_pass(page)
    assert page.evaluate("window.messages.length") == sent
    hide(page, False)
    wait_for_more(page)
    wait_for_live_status(page, "One face")
    wait_for_figures(page)


def wait_for_figures(page: Any, there: bool = True) -> None:
    """Wait until there are figures for the speed, or none."""
    page.wait_for_function(
        """(there) => [...document.querySelectorAll("#live :is(.rate, .delay, .stages span:last-child)")]
            .every(({textContent}) => (textContent !== "–") === there)""",
        arg=there,
    )


def test_figures_are_of_frames_that_come_and_go_on_with_them(page: Any) -> None:
    start_live(page)
    wait_for_figures(page)
    page.click("#live [data-do='freeze']")
    wait_for_figures(page, there=False)
    wait_for_answers(page)
    wait_for_figures(page, there=False)  # not even from the frame that was in flight
    assert page.locator("#live.stale").count() == 0  # the boxes belong to the picture on the page
    page.click("#live [data-do='freeze']")
    wait_for_figures(page)

    page.evaluate("document.querySelector('#live video').requestVideoFrameCallback = (next) => { window.next = next; }")
    wait_for_live_status(page, "The camera gives no picture")
    wait_for_figures(page, there=False)
    page.wait_for_selector("#live.stale")
    page.evaluate(
        """const video = document.querySelector("#live video");
            delete video.requestVideoFrameCallback;
            video.requestVideoFrameCallback(window.next);"""
    )
    wait_for_figures(page)
    page.wait_for_selector("#live:not(.stale)")

    page.evaluate("window.delay = 1e9")
    wait_for_live_status(page, "Waiting for the server's answer")
    wait_for_figures(page, there=False)
    page.wait_for_selector("#live.stale")


def test_what_a_frame_in_flight_comes_to_is_not_told_over_a_frozen_picture(page: Any) -> None:
    start_live(page)
    page.evaluate(
        """window.answering = window.fetch;
            window.held = new Promise((resolve) => { window.letGo = resolve; });
            window.fetch = async () => { await window.held; return Response.json({busy: true, seconds: 0.01}); };
            window.told = [];
            new MutationObserver(() => window.told.push(document.querySelector("#live .status").textContent))
                .observe(document.querySelector("#live .status"), {childList: true, characterData: true, subtree: true})
        """
    )
    wait_for_live_status(page, "Waiting for the server's answer")
    page.click("#live [data-do='freeze']")
    wait_for_live_status(page, "Frozen.")
    page.evaluate("window.fetch = window.answering; window.letGo()")
    let_camera_frames_pass(page)
    page.click("#live [data-do='freeze']")
    wait_for_more(page)
    assert any("Frozen." in text for text in page.evaluate("window.told"))
    assert not any("your turn" in text for text in page.evaluate("window.told"))


def test_where_frames_are_few_the_page_says_how_old_the_picture_may_be(page: Any) -> None:
    start_live(page)
    page.wait_for_selector("#live .age", state="hidden")
    page.evaluate("window.delay = 800")
    page.locator("#live .age", has_text=re.compile("Slow: what you see may be [1-9]")).wait_for()
    page.evaluate("window.delay = 0")
    page.wait_for_selector("#live .age", state="hidden")


def test_a_frozen_picture_outlasts_a_hidden_tab_and_can_be_released(page: Any) -> None:
    start_live(page)
    page.click("#live [data-do='freeze']")
    wait_for_live_status(page, "Frozen")
    hide(page, True)
    wait_for_live_status(page, "hidden")
    hide(page, False)
    wait_for_live_status(page, "Frozen")
    assert page.get_attribute("#live", "data-state") == "on"
    page.click("#live [data-do='freeze']")
    wait_for_more(page)
    wait_for_live_status(page, "One face")


def test_a_frozen_picture_outlasts_an_unplugged_camera_and_can_be_released(page: Any) -> None:
    start_live(page)
    page.click("#live [data-do='freeze']")
    wait_for_live_status(page, "Frozen")
    page.evaluate("window.listed = navigator.mediaDevices.enumerateDevices; 0")
    page.evaluate("navigator.mediaDevices.enumerateDevices = async () => []; 0")
    page.evaluate("window.watched.tracks[0].stop(); window.watched.tracks[0].dispatchEvent(new Event('ended'))")
    wait_for_live_status(page, "disconnected")
    page.evaluate("navigator.mediaDevices.enumerateDevices = window.listed; 0")
    wait_for_live_status(page, "Frozen")
    page.click("#live [data-do='freeze']")
    wait_for_more(page)


def test_a_hidden_tab_does_not_end_the_question_for_the_camera(page: Any) -> None:
    page.evaluate("navigator.mediaDevices.getUserMedia = () => new Promise(() => undefined); 0")
    page.click("#live-start")
    wait_for_live_status(page, "Waiting for the camera")
    hide(page, True)
    hide(page, False)
    wait_for_live_status(page, "Waiting for the camera")
    page.click("#live-stop")
    wait_for_live_status(page, "The camera is off")
    assert page.is_enabled("#live-start")


def test_a_device_without_a_network_is_told_so(server: Server, open_page: Any) -> None:
    page = open_page(server)
    start_live(page)
    page.context.set_offline(True)
    wait_for_live_status(page, "offline")
    wait_for_figures(page, there=False)
    page.wait_for_selector("#live.stale")
    before = frames(page)
    page.context.set_offline(False)
    wait_for_frames(page, before + 3)
    page.wait_for_selector("#live:not(.stale)")


def test_live_goes_on_by_itself_after_the_server_was_away(own_server: Server, open_page: Any) -> None:
    page = open_page(own_server)
    start_live(page)
    with own_server.away():
        wait_for_live_status(page, "does not answer")
        before = frames(page)
    wait_for_frames(page, before + 3)
    wait_for_live_status(page, "One face")


def test_a_busy_server_is_said_and_one_that_no_longer_knows_the_page_offers_to_reload_it(
    server: Server, open_page: Any
) -> None:
    page = open_page(server)
    start_live(page)
    page.route("**/component_server/", lambda route: route.fulfill(json={"busy": True, "seconds": 1.2}))
    wait_for_live_status(page, "your turn comes in about 2 s.")
    page.unroute("**/component_server/")
    own = {"busy": True, "own": True, "seconds": 0.25}
    page.route("**/component_server/", lambda route: route.fulfill(json=own))
    wait_for_live_status(page, "The server is still reading the last frame.")
    page.unroute("**/component_server/")
    wait_for_live_status(page, "One face")
    page.route("**/component_server/", lambda route: route.fulfill(status=404))
    page.wait_for_selector("#live-reload:visible")
    wait_for_live_status(page, "Reload the page")
    page.unroute("**/component_server/")
    page.click("#live-reload")
    page.wait_for_selector("#live[data-state='off']")
    start_live(page)


def test_a_visitor_who_stops_or_leaves_says_so(page: Any) -> None:
    for leave in ("document.querySelector('#live-stop').click()", "dispatchEvent(new Event('pagehide'))"):
        start_live(page)
        page.evaluate(leave)
        last = page.evaluate("window.messages.at(-1)")
        assert last["leave"] is True
        assert last["visitor"] == page.evaluate("window.messages.at(-2).visitor")
        assert page.evaluate("window.watched.tracks.at(-1).readyState") == "ended"
