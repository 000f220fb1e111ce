"""A browser that keeps pages from reading pictures is told what is wrong, instead of seeing no face for ever."""

from typing import Any

import pytest

from demo.paths import BROWSER
from tests.browser.bare import bare_page
from tests.browser.conftest import Server, choose_panel, start_live, wait_for_live_status
from tests.browser.device.stand_in import choose_engine, need_npm_packages, wait_for_engine
from tests.browser.photo.test_photo import upload, wait_for_faces, wait_for_status
from tests.paths import PORTRAIT

TOLD = "This browser keeps the page from reading pictures"


def protected(change: str, context: str = "CanvasRenderingContext2D") -> str:
    """A script that replaces each value of a pixel that is read."""
    return f"""
        globalThis.readTrue = {context}.prototype.getImageData;
        {context}.prototype.getImageData = function (...area) {{
          const read = readTrue.apply(this, area);
          read.data.forEach((value, place) => {{ read.data[place] = {change}; }});
          return read;
        }};
    """


RANDOM = "Math.floor(256 * Math.random())"


@pytest.mark.parametrize(
    ("change", "can_read"), [("value", True), ("value ^ 1", True), ("255", False), ("0", False), (RANDOM, False)]
)
def test_true_colours_are_told_from_blank_and_random_ones(browser: Any, change: str, can_read: bool) -> None:
    with bare_page(browser, "shared/picture/canvas_data.js") as page:
        page.evaluate(f"{{ {protected(change)} }} 0")
        assert page.evaluate("canReadBack(document.createElement('canvas').getContext('2d'))") is can_read
        page.evaluate(f"{{ {protected(change, 'OffscreenCanvasRenderingContext2D')} }} 0")
        assert page.evaluate("canReadBack(new OffscreenCanvas(1, 1).getContext('2d'))") is can_read


def test_the_camera_stays_off_until_it_is_allowed_and_a_file_is_read_all_the_same(
    server: Server, open_page: Any
) -> None:
    page = open_page(server, protected("255"))
    page.click("#live-start")
    wait_for_live_status(page, TOLD)
    assert page.is_enabled("#live-start")
    choose_panel(page, "photo")
    page.click("#photo-snapshot")
    wait_for_status(page, TOLD)
    assert page.is_hidden("#photo-capture")
    assert page.evaluate("window.watched.tracks") == []
    upload(page, PORTRAIT)
    wait_for_faces(page, 1)
    page.evaluate("CanvasRenderingContext2D.prototype.getImageData = readTrue; 0")
    start_live(page)


def test_the_engine_on_this_device_says_so_before_it_loads(server: Server, open_page: Any) -> None:
    need_npm_packages()
    module = (BROWSER / "shared/picture/canvas_data.js").read_text(
        encoding="utf-8"
    )  # which the engine's worker imports, too
    noise = protected(RANDOM, "OffscreenCanvasRenderingContext2D")
    page = open_page(server, modules={"shared/picture/canvas_data.js": module + noise})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "files.json" in request.url else None)
    choose_engine(page, "device")
    wait_for_engine(page, "device", "failed")
    page.locator("#live .engine-problem", has_text="it keeps pages from reading pictures").wait_for()
    assert asked == []
