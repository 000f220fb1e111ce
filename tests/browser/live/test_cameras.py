"""Three cameras at once, which Chromium imitates: which of them is open."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.conftest import (
    Server,
    choose_panel,
    launched,
    opener,
    profile_of,
    start_live,
    wait_for_live_status,
    wait_for_more,
)
from tests.browser.films import answered, face

ONE = answered(face(1, 200))
# What a browser does after a camera was unplugged, and while another program is using it.
WITHOUT = """
    window.lost = [];
    const devices = navigator.mediaDevices;
    const [list, take] = [devices.enumerateDevices.bind(devices), devices.getUserMedia.bind(devices)];
    devices.enumerateDevices = async () => (await list()).filter(({label}) => !window.lost.includes(label));
    devices.getUserMedia = async (wanted) => {
      const asked = (await list()).find(({deviceId}) => deviceId === wanted.video.deviceId?.exact);
      if (window.lost.includes(asked?.label)) throw new OverconstrainedError("deviceId");
      window.asked++;
      if (window.taken === asked?.label) throw new DOMException("", "NotReadableError");
      return take(wanted);
    };
    window.taken = "none";
"""
# Browsers that hide what cameras are called while none is open.
NAMELESS = """
    const named = navigator.mediaDevices.enumerateDevices;
    navigator.mediaDevices.enumerateDevices = async () => {
      const all = await named.call(navigator.mediaDevices);
      if (window.watched.tracks.some(({readyState}) => readyState === "live")) return all;
      return all.map(({kind}) => ({kind, deviceId: "", label: ""}));
    };
"""
# The ids of all cameras changed since the visitor chose one.
NEW_IDS = """
    const kept = JSON.parse(localStorage.getItem("slimnet-faces") ?? "{}");
    if (kept.camera) localStorage.setItem("slimnet-faces", JSON.stringify({camera: {...kept.camera, deviceId: "old"}}));
"""


@pytest.fixture(scope="module")
def three_cameras(driver: Any) -> Iterator[Any]:
    yield from launched(driver, 3)


@pytest.fixture(scope="module")
def profile(three_cameras: Any) -> Iterator[Any]:
    yield from profile_of(three_cameras)


@pytest.fixture
def open_page(three_cameras: Any, profile: Any) -> Iterator[Any]:
    yield from opener(three_cameras, profile)


def camera(page: Any) -> str:
    """The name of the open camera; there must be only one."""
    [name] = page.evaluate(
        "window.watched.tracks.filter(track => track.readyState === 'live').map(track => track.label)"
    )
    return str(name)


def wait_for_camera(page: Any, name: str) -> None:
    page.wait_for_function(
        "(name) => window.watched.tracks.some(track => track.readyState === 'live' && track.label === name)", arg=name
    )
    wait_for_more(page)
    assert camera(page) == name


def pick(page: Any, name: str) -> None:
    page.select_option("#live .picker select", label=name)
    wait_for_camera(page, name)


def unplug(page: Any, name: str) -> None:
    page.evaluate(
        """(name) => {
            window.lost.push(name);
            const track = window.watched.tracks.find(({label, readyState}) => readyState === "live" && label === name);
            track.stop();
            track.dispatchEvent(new Event("ended"));
        }""",
        name,
    )


def snapshot(page: Any) -> str:
    """The camera that would take a snapshot."""
    choose_panel(page, "photo")
    page.click("#photo-snapshot")
    page.locator("#photo .status", has_text="Look into the camera").wait_for()
    name = camera(page)
    page.click("#photo-cancel")
    return name


def test_each_camera_can_be_picked_in_the_menu_and_the_key_goes_round_them(server: Server, open_page: Any) -> None:
    page = open_page(server, ONE)
    start_live(page)
    assert camera(page) == "fake_device_0"
    for name in ("fake_device_2", "fake_device_1", "fake_device_0"):
        pick(page, name)
        assert page.locator("#live .picker option:checked").inner_text() == name
    assert page.is_hidden("#live .other-camera")
    page.focus("#live-stop")  # in the menu, keys choose from it
    for place in (1, 2, 0):
        page.keyboard.press("c")
        wait_for_camera(page, f"fake_device_{place}")
    page.keyboard.press("c")
    page.keyboard.press("c")
    wait_for_camera(page, "fake_device_2")


def test_the_choice_holds_for_the_next_visit_and_for_snapshots(server: Server, open_page: Any) -> None:
    page = open_page(server, ONE)
    assert snapshot(page) == "fake_device_0"
    start_live(page)
    pick(page, "fake_device_2")
    page.click("#live-stop")
    assert snapshot(page) == "fake_device_2"
    page.reload()
    assert snapshot(page) == "fake_device_2"
    start_live(page)
    assert camera(page) == "fake_device_2"


def test_without_the_chosen_camera_the_front_one_is_taken_with_a_word(server: Server, open_page: Any) -> None:
    page = open_page(server, ONE + WITHOUT)
    start_live(page)
    pick(page, "fake_device_1")
    page.click("#live-stop")
    page.evaluate("window.lost = ['fake_device_1']")
    start_live(page)
    assert camera(page) == "fake_device_0"
    told = page.locator("#live .other-camera")
    assert "fake_device_1" in told.inner_text()
    assert "not available" in told.inner_text()
    page.click("#live-stop")
    assert told.is_hidden()
    assert snapshot(page) == "fake_device_0"
    page.evaluate("window.lost = []")  # it is back, and was not forgotten
    start_live(page)
    assert camera(page) == "fake_device_1"
    assert told.is_hidden()


def test_the_snapshot_says_that_it_has_another_camera(server: Server, open_page: Any) -> None:
    page = open_page(server, ONE + WITHOUT)
    start_live(page)
    pick(page, "fake_device_1")
    page.click("#live-stop")
    page.evaluate("window.lost = ['fake_device_1']")
    choose_panel(page, "photo")
    page.click("#photo-snapshot")
    page.locator("#photo .status", has_text="fake_device_1) is not available").wait_for()


def test_a_camera_that_another_program_has_gives_way_to_the_front_one(server: Server, open_page: Any) -> None:
    page = open_page(server, ONE + WITHOUT)
    start_live(page)
    page.evaluate("window.taken = 'fake_device_2'")
    page.select_option("#live .picker select", label="fake_device_2")
    page.locator("#live .other-camera", has_text="fake_device_2").wait_for()
    wait_for_camera(page, "fake_device_0")
    page.locator("#live .picker option:checked", has_text="fake_device_0").wait_for(state="attached")


def test_a_camera_whose_id_has_changed_is_known_by_its_name(server: Server, open_page: Any) -> None:
    page = open_page(server, ONE + NEW_IDS)
    start_live(page)
    pick(page, "fake_device_1")
    page.reload()
    start_live(page)
    assert camera(page) == "fake_device_1"
    assert page.is_hidden("#live .other-camera")


def test_the_choice_of_an_older_page_does_no_harm(server: Server, open_page: Any) -> None:
    page = open_page(server, ONE + """localStorage.setItem("slimnet-faces", '{"camera": "an id"}');""")
    start_live(page)
    assert camera(page) == "fake_device_0"
    assert page.is_hidden("#live .other-camera")


def test_a_camera_that_is_plugged_in_during_live_mode_can_be_picked(server: Server, open_page: Any) -> None:
    page = open_page(server, ONE + WITHOUT + "window.lost = ['fake_device_1'];")
    start_live(page)
    page.wait_for_function("document.querySelectorAll('#live .picker option').length === 2")
    page.evaluate("window.lost = []; navigator.mediaDevices.dispatchEvent(new Event('devicechange'))")
    page.wait_for_function("document.querySelectorAll('#live .picker option').length === 3")
    assert camera(page) == "fake_device_0"
    pick(page, "fake_device_1")


def test_when_the_camera_in_use_is_unplugged_another_one_can_be_picked(server: Server, open_page: Any) -> None:
    page = open_page(server, ONE + WITHOUT)
    start_live(page)
    pick(page, "fake_device_1")
    unplug(page, "fake_device_1")
    wait_for_live_status(page, "disconnected")
    page.wait_for_function("document.querySelectorAll('#live .picker option').length === 2")
    pick(page, "fake_device_2")
    wait_for_live_status(page, "One face")


def test_an_unplugged_camera_is_taken_again_and_no_other(server: Server, open_page: Any) -> None:
    page = open_page(server, ONE + WITHOUT)
    start_live(page)
    pick(page, "fake_device_2")
    page.evaluate("localStorage.clear()")
    unplug(page, "fake_device_2")
    wait_for_live_status(page, "disconnected")
    page.evaluate("window.taken = 'fake_device_2'; window.lost = []; window.asked = 0")  # back, but still in use
    page.wait_for_function("window.asked >= 2")
    assert page.evaluate("window.watched.tracks.filter(({readyState}) => readyState === 'live').length") == 0
    page.evaluate("window.taken = 'none'")
    wait_for_camera(page, "fake_device_2")
    wait_for_live_status(page, "One face")


# The named camera takes long to open, as where the browser asks for permission first.
SLOW = """(name) => {
    const take = navigator.mediaDevices.getUserMedia;
    window.opens = new Promise((resolve) => { window.letOpen = resolve; });
    navigator.mediaDevices.getUserMedia = async (wanted) => {
      const listed = await navigator.mediaDevices.enumerateDevices();
      const asked = listed.find(({deviceId}) => deviceId === wanted.video.deviceId?.exact);
      if (asked?.label === name) await window.opens;
      return take(wanted);
    };
}"""
COUNTED = """() => {
    const list = navigator.mediaDevices.enumerateDevices;
    window.looks = 0;
    navigator.mediaDevices.enumerateDevices = async () => {
      window.looks++;
      return list();
    };
}"""


def test_a_camera_that_is_chosen_while_another_one_is_awaited_is_opened_however_long_it_takes(
    server: Server, open_page: Any
) -> None:
    page = open_page(server, ONE + WITHOUT)
    start_live(page)
    pick(page, "fake_device_1")
    page.evaluate(SLOW, "fake_device_2")
    page.evaluate("window.taken = 'fake_device_1'")  # another program takes it, and it stays in the list
    page.evaluate("window.watched.tracks.at(-1).stop(); window.watched.tracks.at(-1).dispatchEvent(new Event('ended'))")
    wait_for_live_status(page, "disconnected")
    page.select_option("#live .picker select", label="fake_device_2")
    page.evaluate(COUNTED)
    page.wait_for_function("window.looks >= 1")  # it looks once more for the first one, and leaves it
    page.evaluate("window.letOpen(); 0")
    wait_for_camera(page, "fake_device_2")
    wait_for_live_status(page, "One face")


def test_a_camera_that_is_back_is_not_called_another_where_the_browser_hides_names(
    server: Server, open_page: Any
) -> None:
    page = open_page(server, ONE + WITHOUT + NAMELESS)
    start_live(page)
    front = camera(page)
    unplug(page, front)
    wait_for_live_status(page, "disconnected")
    page.evaluate("window.lost = []")
    wait_for_camera(page, front)
    wait_for_live_status(page, "One face")
    assert "another one" not in page.inner_text("#live")
