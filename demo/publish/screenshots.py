"""Make the screenshots of the README: `python -m demo.publish.screenshots`.

Serves the page, opens it in headless Chromium before a camera that films the example portrait, and writes
assets/screenshots/wide-light.png, wide-dark.png and phone.png. They show frames a second, so let the machine have
nothing else to do.
"""

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.benchmark.browser import ChromiumMissingError, browser_before, portrait_frames, write_film
from demo.benchmark.server import NotServedError, PageServer
from demo.paths import ASSETS, EXAMPLES
from demo.pictures.decode import open_picture

_TIMEOUT_MS = 120_000
_SETTLING_FRAMES = 90  # until rates and smoothed probabilities have settled


@dataclass(frozen=True)
class _View:
    """A screenshot.

    Attributes:
        name: file name without ".png".
        width: of the window, in pixels.
        height: of the window, in pixels.
        scheme: colour scheme, "light" or "dark".
        photo: file name of the example that is analysed.
        faces: number of faces in it.
        whole: show all of the page, not just the window.
    """

    name: str
    width: int
    height: int
    scheme: str
    photo: str
    faces: int
    whole: bool


_VIEWS = (
    _View("wide-light", 1400, 1000, "light", "two_portraits.jpg", faces=2, whole=True),
    _View("wide-dark", 1400, 1000, "dark", "two_portraits.jpg", faces=2, whole=True),
    _View("phone", 390, 844, "light", "two_portraits.jpg", faces=2, whole=False),
)


def main() -> int:
    """Write all screenshots.

    Returns:
        The exit status: 0, or 2 without Chromium or where the page cannot be served.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_film(folder / "film.y4m", portrait_frames(open_picture(EXAMPLES / "eileen_collins.jpg")))
        try:
            with PageServer(("app.py",), folder / "server") as server, browser_before(folder / "film.y4m") as browser:
                for view in _VIEWS:
                    _take_screenshot(browser, server.url, view)
        except (ChromiumMissingError, NotServedError) as error:
            print(f"demo.publish.screenshots: {error}", file=sys.stderr)
            return 2
    return 0


def _take_screenshot(browser: Any, address: str, view: _View) -> None:
    """Write one screenshot with the camera running and a photo analysed, its first face chosen."""
    context = browser.new_context(
        viewport={"width": view.width, "height": view.height},
        color_scheme=view.scheme,
        permissions=["camera"],
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.set_default_timeout(_TIMEOUT_MS)
    page.goto(address)
    page.wait_for_selector("#live:not([inert]) #live-start")
    page.set_input_files("#photo input[type=file]", EXAMPLES / view.photo)
    page.wait_for_selector(f"#photo[data-faces='{view.faces}']")
    page.click("#photo [data-face='1']")
    page.click("#live-start")
    page.wait_for_function(f"Number(document.querySelector('#live').dataset.frame) >= {_SETTLING_FRAMES}")
    page.evaluate("window.scrollTo(0, 0)")
    target = ASSETS / "screenshots" / f"{view.name}.png"
    target.parent.mkdir(exist_ok=True)
    page.screenshot(path=target, full_page=view.whole)
    context.close()
    print(target)


if __name__ == "__main__":
    sys.exit(main())
