"""The page shows one of two panels at a time, Live or Photo; the other one's camera is off."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.conftest import Server, choose_panel, opener, start_live, wait_for_more
from tests.browser.photo.test_photo import upload, wait_for_faces, wait_for_status
from tests.paths import PORTRAIT


@pytest.fixture(scope="module")
def page(server: Server, browser: Any) -> Iterator[Any]:
    """A page for the tests that choose the panel they begin with."""
    for open_at in opener(browser):
        yield open_at(server)


def seen(page: Any) -> list[str]:
    """The visible panels, and the panels whose tabs are selected."""
    panels = page.eval_on_selector_all(".panel", "all => all.filter(one => one.checkVisibility()).map(one => one.id)")
    tabs = page.eval_on_selector_all("[aria-selected=true]", "all => all.map(tab => tab.dataset.panel)")
    assert panels == tabs
    return list(panels)


def open_cameras(page: Any) -> int:
    return int(page.evaluate("window.watched.tracks.filter(track => track.readyState === 'live').length"))


def test_live_comes_first_and_the_keyboard_switches(server: Server, open_page: Any) -> None:
    page = open_page(server)
    assert seen(page) == ["live"]
    page.focus("#live-tab")
    page.keyboard.press("Control+ArrowRight")  # with such keys, browsers go back or to another tab
    assert seen(page) == ["live"]
    page.keyboard.press("ArrowRight")
    assert seen(page) == ["photo"]
    assert page.evaluate("document.activeElement.id") == "photo-tab"
    page.keyboard.press("ArrowRight")
    assert seen(page) == ["live"]


def test_a_snapshot_that_was_begun_ends_when_live_is_chosen(page: Any) -> None:
    choose_panel(page, "photo")
    page.click("#photo-snapshot")
    wait_for_status(page, "Look into the camera")
    choose_panel(page, "live")
    assert open_cameras(page) == 0
    choose_panel(page, "photo")
    assert page.is_visible("#photo-choose")


def test_the_camera_is_off_while_photo_is_seen_and_goes_on_afterwards(page: Any) -> None:
    start_live(page)
    upload(page, PORTRAIT)
    wait_for_faces(page, 1)
    assert seen(page) == ["photo"]
    assert open_cameras(page) == 0
    choose_panel(page, "live")
    wait_for_more(page)
    assert open_cameras(page) == 1
    assert page.evaluate("document.activeElement.id") == "live-tab"
    page.click("#live-stop")
    choose_panel(page, "photo")
    choose_panel(page, "live")
    assert page.get_attribute("#live", "data-state") == "off"
