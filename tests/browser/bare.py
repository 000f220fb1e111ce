"""Parts of the page's own markup, style and scripts in a browser, without Gradio, a server or a network."""

import mimetypes
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from demo.paths import BROWSER

STYLES = ("page.css", "shared/attributes/attributes.css", "live/timeline/timeline.css", "shared/forced_colours.css")
_ADDRESS = "http://page.test/"


@contextmanager
def bare_page(
    browser: Any,
    *scripts: str,
    body: str = "",
    language: str = "en",
    files: Mapping[str, str] = MappingProxyType({}),
    **context: Any,
) -> Iterator[Any]:
    """A page at an address of its own, so that it can keep settings. Its globals are what these modules export.

    It fails at the end if the page has met an error.

    Args:
        browser: playwright's.
        scripts: paths in demo/browser.
        body: HTML.
        language: the page's chosen language.
        files: path in demo/browser -> content to use instead of that file's.
        context: options of the browser's context.
    """
    style = "".join((BROWSER / name).read_text(encoding="utf-8") for name in STYLES)
    imports = "".join(f'Object.assign(window, await import("./{name}")); ' for name in scripts)
    loading = f'<script type="module">{imports}window.loaded = true;</script>'
    html = f"<!doctype html><html lang={language}><meta charset=utf-8><style>{style}</style><body>{body}{loading}"
    troubles: list[str] = []
    opened = browser.new_context(**context)
    try:
        page = opened.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        opened.route("**/*", lambda route: _answer(route, html, files))
        open_again(page)
        yield page
    finally:
        opened.close()
    assert not troubles


def open_again(page: Any) -> None:
    """Load the page with its modules, for the first time or again."""
    page.goto(_ADDRESS)
    page.wait_for_function("window.loaded")


def _answer(route: Any, html: str, files: Mapping[str, str]) -> None:
    name = urlsplit(route.request.url).path.lstrip("/")
    if name:
        text = files[name] if name in files else (BROWSER / name).read_text(encoding="utf-8")
        route.fulfill(content_type=mimetypes.guess_type(name)[0], body=text)
    else:
        route.fulfill(content_type="text/html", body=html)
