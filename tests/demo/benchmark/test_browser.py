import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from demo.benchmark.browser import (
    NUMBER_BITS,
    NUMBER_HEIGHT,
    BrowserError,
    ChromiumMissingError,
    browser_before,
    launch,
    numbered,
    write_film,
)
from tests.missing import package


def test_a_missing_browser_is_said_with_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    playwright = SimpleNamespace(chromium=SimpleNamespace(executable_path=str(tmp_path / "chromium")))
    with pytest.raises(ChromiumMissingError, match="apt-get install chromium"):
        launch(playwright, tmp_path / "film.y4m")


def test_a_missing_playwright_is_said_with_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    with pytest.raises(ChromiumMissingError, match="pip install"), browser_before(tmp_path / "film.y4m"):
        pass


def test_a_browser_that_fails_is_no_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    api = package("playwright.sync_api", "needs playwright")

    def start(**_: object) -> None:
        raise api.Error("a library is missing")

    chromium = SimpleNamespace(executable_path=sys.executable, launch=start)
    monkeypatch.setattr(api, "sync_playwright", lambda: nullcontext(SimpleNamespace(chromium=chromium)))
    with pytest.raises(BrowserError, match="a library is missing"), browser_before(tmp_path / "film.y4m"):
        pass


def test_a_film_is_a_header_and_every_frame_in_full(tmp_path: Path) -> None:
    film = tmp_path / "film.y4m"
    write_film(film, [np.full((480, 640, 3), shade, np.uint8) for shade in (0, 255)])
    header, _, rest = film.read_bytes().partition(b"\n")
    assert header == b"YUV4MPEG2 W640 H480 F30:1 Ip A1:1 C420jpeg"
    black, white = (b"FRAME\n" + bytes([luma]) * 640 * 480 + bytes([128]) * 640 * 240 for luma in (16, 235))
    assert rest == black + white


@pytest.mark.parametrize("number", [0, 1, 0b10100101, 255])
def test_the_number_in_a_frame_survives_a_small_poor_jpeg(number: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    frame = numbered(noise, number)
    assert np.array_equal(frame[:-NUMBER_HEIGHT], noise[:-NUMBER_HEIGHT])
    small = cv2.resize(frame, (320, 240), interpolation=cv2.INTER_AREA)
    poor = cv2.imdecode(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], cv2.IMREAD_GRAYSCALE)
    assert poor is not None
    blocks = poor[-NUMBER_HEIGHT // 4 :].reshape(NUMBER_HEIGHT // 4, NUMBER_BITS, -1).mean(axis=(0, 2))
    assert "".join("1" if block > 127 else "0" for block in blocks) == f"{number:08b}"
