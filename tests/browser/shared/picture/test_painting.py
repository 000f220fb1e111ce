"""Browsers without round corners paint square ones, and a picture that cannot be painted ends with words."""

from typing import Any

from tests.browser.bare import bare_page
from tests.browser.conftest import Server, choose_panel, start_live, wait_for_live_status
from tests.browser.photo.test_photo import upload, wait_for_faces, wait_for_status
from tests.paths import PORTRAIT

BROKEN = "CanvasRenderingContext2D.prototype.fillText = () => { throw new Error('No canvas'); }; 0"


def test_live_and_photo_do_without_round_corners(server: Server, open_page: Any) -> None:
    page = open_page(server, "delete CanvasRenderingContext2D.prototype.roundRect;")
    start_live(page)
    wait_for_live_status(page, "One face")
    choose_panel(page, "photo")
    upload(page, PORTRAIT)
    wait_for_faces(page, 1)
    wait_for_status(page, "One face")


def test_a_box_is_painted_with_or_without_round_corners(browser: Any) -> None:
    painted = """() => {
        const context = document.createElement("canvas").getContext("2d");
        roundRect(context, {x: 10, y: 10, width: 40, height: 40}, 20);
        context.fill();
        return [[30, 30], [11, 11]].map(([x, y]) => context.getImageData(x, y, 1, 1).data[3]);
    }"""
    with bare_page(browser, "shared/picture/round_rect.js") as page:
        assert page.evaluate(painted) == [255, 0]
        page.evaluate("delete CanvasRenderingContext2D.prototype.roundRect")
        assert page.evaluate(painted) == [255, 255]


def test_an_error_of_the_painter_ends_live_mode_and_is_said(server: Server, unwatched: Any) -> None:
    page = unwatched
    page.goto(server.url)
    page.wait_for_selector("#live:not([inert])")
    start_live(page)
    page.evaluate(BROKEN)
    wait_for_live_status(page, "Live mode stopped (No canvas). Start it again")
    assert page.is_enabled("#live-start")
    assert page.evaluate("document.querySelector('#live video').srcObject") is None


def test_an_error_of_the_painter_ends_the_wait_for_a_photo_and_is_said(server: Server, unwatched: Any) -> None:
    page = unwatched
    page.goto(server.url)
    page.wait_for_selector("#photo:not([inert])", state="attached")
    page.evaluate(BROKEN)
    upload(page, PORTRAIT)
    wait_for_status(page, "The result could not be shown (No canvas).")
    assert page.is_hidden("#photo .working")
    assert page.get_attribute("#photo", "data-busy") is None
