"""The switch between the server and this device, with a stand-in for the engine in the browser."""

from typing import Any

import pytest

from tests.browser.conftest import (
    Server,
    let_camera_frames_pass,
    start_live,
    wait_for_frames,
    wait_for_live_status,
    wait_for_more,
)
from tests.browser.device.stand_in import (
    choose_engine,
    hold_loading,
    let_load,
    open_with_stand_in,
    wait_for_engine,
)
from tests.browser.films import answered, face


@pytest.fixture
def page(server: Server, open_page: Any) -> Any:
    return open_with_stand_in(open_page, server, answered(face(1, 200)))


def probabilities(page: Any) -> set[str | None]:
    return set(page.eval_on_selector_all("#live [data-attribute]", "all => all.map((b) => b.dataset.probability)"))


def sent(page: Any) -> int:
    """The number of frames that the server got."""
    return page.evaluate("window.messages.filter(({leave}) => !leave).length")


def test_frames_stay_on_the_device_from_the_switch_on(page: Any) -> None:
    wait_for_engine(page, "server")
    assert page.evaluate("crossOriginIsolated")  # threads need that
    assert probabilities(page) == {None}
    start_live(page)
    assert probabilities(page) == {"0.9"}

    hold_loading(page)
    choose_engine(page, "device")
    wait_for_engine(page, "device", "loading")
    wait_for_live_status(page, "Loading onto this device")
    page.locator("#live .amount", has_text="25\u2009%").wait_for()
    before = sent(page)
    let_camera_frames_pass(page)
    assert sent(page) == before

    let_load(page)
    wait_for_engine(page, "device")
    wait_for_more(page)
    assert probabilities(page) == {"0.2"}
    assert sent(page) == before
    assert page.inner_text("#live .sent") == "0 bytes sent"
    page.click("#live label[for=live-Smiling]")
    page.locator("#live .why .where", has_text="Mostly the mouth and what is below it: +2.6").wait_for()
    page.click("#live .why [data-do=why-close]")
    assert page.inner_text("#live .sent") == "0 bytes sent"
    assert page.get_attribute("#live", "data-sent-width") is None
    assert page.evaluate("new Set(window.device.asked.map(({size, visitor}) => `${size} ${visitor}`)).size") == 1

    page.focus("#live [data-do=compare]")
    page.keyboard.press("Enter")  # the button says that it sends a picture
    page.locator("#live .comparison", has_text="at most 0.70000, on average by 0.70000").wait_for()
    page.wait_for_selector("#live [data-do=compare][aria-disabled=false]:focus")
    assert sent(page) == before + 1
    assert int(page.get_attribute("#live .sent", "data-bytes")) > page.evaluate("window.messages.at(-1).size")
    page.evaluate("window.leftOut = 2")  # which the server has found, too, but does not read
    page.click("#live [data-do=compare]")
    page.locator("#live .comparison", has_text="Faces found: 3 by the server, 1 by this device.").wait_for()

    choose_engine(page, "server")
    wait_for_more(page)
    assert probabilities(page) == {"0.9"}
    assert not page.is_visible("#live .sent")
    page.click("#live-stop")
    assert probabilities(page) == {None}


def test_while_the_other_engine_loads_the_face_on_the_page_keeps_its_name(page: Any) -> None:
    page.evaluate("window.faces.push({...window.faces[0], number: 2, box: [20, 100, 90, 110]})")
    start_live(page)
    wait_for_live_status(page, "2 faces")
    page.click("#live [data-face='2']")
    page.wait_for_selector("#live [data-face='2'][aria-pressed=true]")
    wait_for_more(page)
    hold_loading(page)
    choose_engine(page, "device")
    wait_for_live_status(page, "Loading onto this device")
    page.click("#live .help")
    page.click("#live .keys [data-do=say]")
    wait_for_live_status(page, "Face 2: ")


def test_what_fails_is_told_and_the_server_takes_over_only_when_asked(page: Any) -> None:
    page.evaluate("window.device.problem = 'No WebAssembly.'")
    start_live(page)
    page.evaluate("location.hash = 'engine=device'")
    wait_for_engine(page, "device", "failed")
    page.locator("#live .engine-problem", has_text="No WebAssembly.").wait_for()
    wait_for_live_status(page, "Not read yet: this device is not ready.")
    before = sent(page)
    let_camera_frames_pass(page)
    assert sent(page) == before
    page.click("#live .engine-problem [data-do=load-again]")  # which fails as before
    wait_for_engine(page, "device", "failed")
    page.click("#live .engine-problem [data-do=use-server]")
    wait_for_engine(page, "server")
    wait_for_more(page)
    assert page.evaluate("location.hash") == "#engine=server"
    assert not page.is_visible("#live .engine-problem")


def test_an_engine_that_dies_is_told_and_can_be_loaded_again(page: Any) -> None:
    choose_engine(page, "device")
    wait_for_engine(page, "device")
    start_live(page)
    page.evaluate("window.device.lose()")
    wait_for_engine(page, "device", "failed")
    page.locator("#live .engine-problem", has_text="Reading on this device has ended.").wait_for()
    wait_for_live_status(page, "Not read yet: this device is not ready.")
    hold_loading(page)
    page.click("#live .engine-problem [data-do=load-again]")
    wait_for_engine(page, "device", "loading")
    let_load(page)
    wait_for_engine(page, "device")
    wait_for_more(page)
    assert sent(page) == 0


def test_who_leaves_a_busy_server_for_this_device_waits_for_no_turn(server: Server, open_page: Any) -> None:
    page = open_with_stand_in(open_page, server)
    page.route("**/component_server/", lambda route: route.fulfill(json={"busy": True, "seconds": 600}))
    page.click("#live-start")
    wait_for_live_status(page, "your turn comes in about 600 s.")
    hold_loading(page)
    choose_engine(page, "device")
    wait_for_live_status(page, "Loading onto this device")
    let_load(page)
    wait_for_frames(page, 1)
    assert probabilities(page) == {"0.2"}


def test_the_choice_is_kept_for_the_next_visit(page: Any) -> None:
    choose_engine(page, "device")
    wait_for_engine(page, "device")
    assert page.is_visible("text=Video frames stay on this device")
    page.reload()
    wait_for_engine(page, "device")
    start_live(page)
    assert probabilities(page) == {"0.2"}
    assert sent(page) == 0
