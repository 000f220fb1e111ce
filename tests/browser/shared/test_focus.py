"""Where the keyboard focus goes when its control disappears."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.bare import bare_page, open_again

BODY = """
    <main><a id="first" href="#">first</a>
    <div><button id="one">1</button><button id="two">2</button><button id="three">3</button></div>
    <button id="last">last</button></main>
"""
# As in a browser that sends no event when a control is removed.
SILENT = """window.addEventListener("focusout", (event) => event.stopImmediatePropagation(), true)"""


@pytest.fixture(scope="module")
def opened(browser: Any) -> Iterator[Any]:
    with bare_page(browser, "shared/focus.js", body=BODY) as page:
        yield page


@pytest.fixture
def page(opened: Any) -> Any:
    open_again(opened)
    opened.evaluate("keepFocus()")
    return opened


def focused_after(page: Any, control: str, change: str) -> str:
    page.focus(f"#{control}")
    page.evaluate(change)
    # A disabled control keeps the focus until the next paint; body has no id.
    page.wait_for_function("(control) => !['', control].includes(document.activeElement.id)", arg=control)
    return page.evaluate("document.activeElement.id")


@pytest.mark.parametrize("change", ["two.remove()", "two.hidden = true", "two.disabled = true"])
def test_what_takes_the_controls_place_takes_the_focus(page: Any, change: str) -> None:
    assert focused_after(page, "two", change) == "three"


def test_the_last_of_a_group_hands_it_back(page: Any) -> None:
    assert focused_after(page, "three", "three.remove()") == "two"


def test_a_group_that_goes_hands_it_to_what_is_around(page: Any) -> None:
    assert focused_after(page, "two", "two.parentElement.remove()") == "first"


def test_controls_that_are_built_again_take_it(page: Any) -> None:
    rebuild = "two.parentElement.innerHTML = '<button id=four>4</button><button id=five>5</button>'"
    assert focused_after(page, "two", rebuild) == "five"


def test_a_browser_that_cannot_tell_what_is_visible_does_not_matter(page: Any) -> None:
    page.evaluate("delete Element.prototype.checkVisibility; three.hidden = true")
    assert focused_after(page, "two", "two.remove()") == "one"


def test_a_browser_that_tells_nothing_of_a_removed_control_does_not_matter(page: Any) -> None:
    page.evaluate(SILENT)
    assert focused_after(page, "two", "two.remove()") == "three"


def test_whoever_left_a_control_is_not_called_back_when_it_goes_later(page: Any) -> None:
    page.focus("#two")
    page.evaluate("two.blur()")
    page.evaluate("new Promise((resolve) => setTimeout(resolve))")
    page.evaluate("two.remove()")
    page.evaluate("new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))")
    assert page.evaluate("document.activeElement === document.body")


def test_whoever_leaves_a_control_is_not_called_back(page: Any) -> None:
    page.focus("#two")
    page.evaluate("two.blur(); one.remove()")
    page.focus("#last")
    page.evaluate("three.remove()")
    assert page.evaluate("document.activeElement.id") == "last"
    page.evaluate("document.activeElement.blur()")
    page.evaluate("new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))")
    assert page.evaluate("document.activeElement === document.body")
