"""Parts of the page's own markup, style and scripts in a browser, without Gradio, a server or a network."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from demo.paths import BROWSER

STYLES = ("page.css", "shared/attributes.css", "live/timeline.css")


@contextmanager
def bare_page(browser: Any, *scripts: str, body: str = "", **context: Any) -> Iterator[Any]:
    """A page with these scripts of demo/ as globals, at an address of its own so that it can keep settings.

    It must have met no error when it is left.
    """
    style = "".join((BROWSER / name).read_text() for name in STYLES)
    script = "".join((BROWSER / name).read_text() for name in scripts)
    html = f"<!doctype html><meta charset=utf-8><style>{style}</style><body>{body}<script>{script}</script>"
    troubles: list[str] = []
    opened = browser.new_context(**context)
    try:
        page = opened.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.route("**/*", lambda route: route.fulfill(content_type="text/html", body=html))
        page.goto("http://page.test/")
        yield page
    finally:
        opened.close()
    assert not troubles
