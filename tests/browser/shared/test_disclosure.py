"""The page says who runs it before the camera starts, and describes other weights as what they are."""

from collections.abc import Iterator
from typing import Any

import pytest

from demo.benchmark.server import PageServer
from tests.browser.conftest import ODD_NAME, OPERATOR, Server, opener

PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def page(operated: PageServer, browser: Any) -> Iterator[Any]:
    """Its page on a phone, which the tests only look at."""
    for open_at in opener(browser):
        page = open_at(operated)
        page.set_viewport_size(PHONE)
        yield page


def test_the_operator_is_named_on_a_phone_before_anything_is_scrolled(page: Any) -> None:
    page.evaluate("scrollTo(0, 0)")
    told = page.locator("#live-disclosure")
    assert told.inner_text().startswith(f"{OPERATOR} runs this page.")
    assert "pictures are not stored" in told.inner_text()
    for part in (told, page.locator("#live-start")):
        box = part.bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= PHONE["height"]
    assert told.bounding_box()["y"] < page.locator("#live-start").bounding_box()["y"]
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


@pytest.mark.parametrize("button", ["live-start", "photo-choose", "photo-snapshot"])
def test_a_screen_reader_reads_the_operator_with_each_button_that_takes_a_picture(page: Any, button: str) -> None:
    described = page.get_attribute(f"#{button}", "aria-describedby")
    assert f"{OPERATOR} runs this page." in page.inner_text(f"#{described}")


def test_names_are_shown_as_they_are_and_never_run(page: Any) -> None:
    assert page.title() == "SlimNet Faces"
    for panel in ("live", "photo"):
        assert page.locator(f"#{panel} [data-attribute]").count() == 2
        shown = page.locator(f"#{panel} .attribute label").all_inner_texts()
        assert sorted(shown) == sorted([ODD_NAME, "Smoking"])


def test_the_page_speaks_of_the_weights_in_use(page: Any) -> None:
    page.click("#about summary")
    told = page.inner_text("#about")
    assert "not measured" in told
    assert "%" not in told
    assert "CelebA" not in told
    assert "2 attributes" in page.inner_text(".masthead .lead")
    assert "celebrities" not in page.inner_text(".masthead")


def test_without_an_operator_there_is_no_empty_line(server: Server, open_page: Any) -> None:
    page = open_page(server)
    assert page.is_hidden("#live-disclosure")
    assert page.is_hidden("#photo-disclosure")
