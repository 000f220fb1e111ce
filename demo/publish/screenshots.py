"""Make the README's screenshots: `python -m demo.publish.screenshots`; with a FOLDER, make every screenshot there is.

Serves the page, opens it in headless Chromium with a camera that films the example portrait, and takes Live and Photo
at the sizes of a large and a small laptop, and of a phone held upright and sideways, each in light, dark and forced
colours (live-1440x900-light.png and so on), and preview.png for links to the page. Screenshots that are used somewhere
go to assets/screenshots, or all of them to FOLDER, for inspection. They show frames a second, so keep the machine free
of other work.
"""

import argparse
import signal
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.benchmark.browser import BrowserError, browser_before, portrait_frames, write_film
from demo.benchmark.server import NotServedError, PageServer
from demo.paths import ASSETS, EXAMPLES
from demo.pictures.decode import open_picture
from demo.server.http.link_preview import PREVIEW_SIZE

_TIMEOUT_MS = 120_000
_SETTLING_FRAMES = 90  # until rates and smoothed probabilities have settled
_SIZES = ((1440, 900), (1366, 650), (390, 844), (844, 390))  # width and height of the window, in pixels
_SHOWN = ("live-1440x900-light", "photo-1366x650-dark", "live-390x844-light", "preview")  # in README and links
_PHOTO = EXAMPLES / "two_portraits.jpg"
_PHOTO_FACES = 2


@dataclass(frozen=True)
class _Look:
    """A choice of colours.

    Attributes:
        name: part of the file's name.
        scheme: colour scheme, "light" or "dark".
        forced: whether the system's own few colours replace the page's, "active" or "none".
    """

    name: str
    scheme: str
    forced: str = "none"


_LOOKS = (_Look("light", "light"), _Look("dark", "dark"), _Look("forced", "light", "active"))


def main() -> int:
    """Write the screenshots.

    Returns:
        The exit status: 0, or 2 without Chromium, or if the page can't be served or a picture not be written.
    """
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("python -m demo.publish.screenshots", description=__doc__, formatter_class=plain)
    parser.add_argument("everything", type=Path, nargs="?", metavar="FOLDER", help="make all of them, there")
    everything = parser.parse_args().everything
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that server and browser end, too
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_film(folder / "film.y4m", portrait_frames(open_picture(EXAMPLES / "eileen_collins.jpg")))
        try:
            if everything:
                everything.mkdir(parents=True, exist_ok=True)
            with PageServer(("app.py",), folder / "server") as server, browser_before(folder / "film.y4m") as browser:
                for look in _LOOKS:
                    _take_screenshots(browser, server.url, look, everything)
        except (BrowserError, NotServedError, OSError) as error:
            print(f"demo.publish.screenshots: {error}", file=sys.stderr)
            return 2
    return 0


def _take_screenshots(browser: Any, address: str, look: _Look, everything: Path | None) -> None:
    """Write one look's screenshots: the camera running, then an analysed photo with its first face chosen."""
    context = browser.new_context(
        color_scheme=look.scheme,
        forced_colors=look.forced,
        permissions=["camera"],
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.set_default_timeout(_TIMEOUT_MS)
    page.goto(address)
    page.click("#live:not([inert]) #live-start")
    _wait_for_frames(page, _SETTLING_FRAMES)
    for size in _SIZES:
        _resize(page, size)
        _wait_for_frames(page, int(page.get_attribute("#live", "data-frame")) + _SETTLING_FRAMES)
        _write(page, f"live-{size[0]}x{size[1]}-{look.name}", everything)
    page.set_input_files("#photo input[type=file]", _PHOTO)
    page.wait_for_selector(f"#photo[data-faces='{_PHOTO_FACES}']:not([data-busy])")
    for size in _SIZES:
        _resize(page, size)
        _write(page, f"photo-{size[0]}x{size[1]}-{look.name}", everything)
    if look.name == "light":
        _resize(page, PREVIEW_SIZE)
        _write(page, "preview", everything)
    context.close()


def _resize(page: Any, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.evaluate("window.scrollTo(0, 0)")


def _write(page: Any, name: str, everything: Path | None) -> None:
    """Write a screenshot to the folder for all of them, or to the assets if it is used somewhere."""
    if everything is None and name not in _SHOWN:
        return
    target = (everything or ASSETS / "screenshots") / f"{name}.png"
    target.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=target)
    print(target)


def _wait_for_frames(page: Any, count: int) -> None:
    """Wait until live mode has painted `count` frames."""
    page.wait_for_function(f"Number(document.querySelector('#live').dataset.frame) >= {count}")


if __name__ == "__main__":
    sys.exit(main())
