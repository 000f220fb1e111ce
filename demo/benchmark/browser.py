"""Headless Chromium with a fake camera, for the tests, the benchmark and the screenshots of the page.

Needs the package playwright, and Chromium: the system's (`apt-get install chromium`), or else playwright's own
(`playwright install chromium`).
"""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np

FILM_RATE = 30
NUMBER_BITS = 8
NUMBER_HEIGHT = 16
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
)


class BrowserError(RuntimeError):
    """The browser did not start, ended, or did not show in time what was waited for; the message is playwright's."""


class ChromiumMissingError(BrowserError):
    """This machine lacks Chromium, or playwright to drive it; the message says how to get it."""


@contextmanager
def browser_before(film: Path | int) -> Iterator[Any]:
    """Launch a browser, and close it at the end of the with block.

    Args:
        film: what its camera shows, a file from `write_film`; or a number of cameras with a test pattern.

    Yields:
        Playwright's browser.

    Raises:
        ChromiumMissingError: playwright or Chromium is missing.
        BrowserError: it did not start, or did not do what the with block asked of it.
    """
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError as error:
        how = "pip install -r tests/requirements.txt"
        raise ChromiumMissingError(f"the package playwright is not installed: {how}") from error
    try:
        with sync_playwright() as playwright:
            browser = launch(playwright, film)
            try:
                yield browser
            finally:
                browser.close()
    except Error as error:
        raise BrowserError(f"Chromium: {error.message}") from error


def launch(playwright: Any, cameras: Path | int) -> Any:
    """Launch a browser that allows its cameras without asking.

    Args:
        playwright: from sync_playwright.
        cameras: a film for its only camera to show in a loop, or the number of cameras with a test pattern.

    Returns:
        Playwright's browser; the caller closes it.

    Raises:
        ChromiumMissingError: neither a Chromium on the path nor playwright's own is installed.
    """
    programs = (*map(shutil.which, _PROGRAMS), shutil.which(playwright.chromium.executable_path))
    program = next(filter(None, programs), None)
    if program is None:
        how = "apt-get install chromium, or playwright install chromium"
        raise ChromiumMissingError(f"none of {', '.join(_PROGRAMS)} is installed, nor playwright's own: {how}")
    if isinstance(cameras, int):
        fake = [f"--use-fake-device-for-media-stream=device-count={cameras}"]
    else:
        fake = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={cameras.resolve()}"]
    return playwright.chromium.launch(executable_path=program, args=[*_OPTIONS, *fake])


def write_film(path: Path, frames: Iterable[np.ndarray]) -> None:
    """Write a film that Chromium can show as its camera.

    Args:
        path: the Y4M file to write.
        frames: each (480, 640, 3), uint8, RGB; shown at 30 frames a second.
    """
    with path.open("wb") as film:
        film.write(f"YUV4MPEG2 W640 H480 F{FILM_RATE}:1 Ip A1:1 C420jpeg\n".encode())
        for frame in frames:
            film.write(b"FRAME\n" + cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420).tobytes())


def portrait_frames(portrait: np.ndarray) -> list[np.ndarray]:
    """Make frames in which a portrait sways from side to side.

    Args:
        portrait: (height, width, 3), uint8, RGB.

    Returns:
        The frames of one full swing, which takes a second, each (480, 640, 3), uint8, RGB.
    """
    width = round(480 * portrait.shape[1] / portrait.shape[0])
    portrait = cv2.resize(portrait, (width, 480), interpolation=cv2.INTER_AREA)
    # The portrait again, blurred, fills the rest of the frame, so that it is neither empty nor a second face.
    backdrop = cv2.GaussianBlur(cv2.resize(portrait, (640, 480)), (0, 0), 60)
    frames = []
    for turn in np.linspace(0, 2 * np.pi, FILM_RATE, endpoint=False):
        frame = backdrop.copy()
        left = (640 - width) // 2 + round(40 * np.sin(turn))
        frame[:, left : left + width] = portrait
        frames.append(frame)
    return frames


def numbered(frame: np.ndarray, number: int) -> np.ndarray:
    """Mark a frame with a number that survives JPEG: its bits along the lower edge, white and black, highest first.

    Args:
        frame: (height, width, 3), uint8.
        number: from 0 to 255.

    Returns:
        A marked copy.
    """
    bits = np.array([number >> bit & 1 for bit in reversed(range(NUMBER_BITS))], np.uint8)
    marked = frame.copy()
    marked[-NUMBER_HEIGHT:] = np.repeat(255 * bits, frame.shape[1] // NUMBER_BITS)[:, None]
    return marked
