"""The picture that people share: labels on it, saving and copying it, and many faces."""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from demo.paths import BROWSER, WEIGHTS
from slimnet import ATTRIBUTES, SlimNet
from tests.browser.bare import bare_page
from tests.browser.conftest import Server, replaced, start_live, wait_for_live_status
from tests.browser.films import answered, face
from tests.paths import OTHER_PORTRAIT, PORTRAIT

# What is written on the canvases of the page and of files, in order.
WRITTEN = """
    window.written = [];
    const fillText = CanvasRenderingContext2D.prototype.fillText;
    CanvasRenderingContext2D.prototype.fillText = function (text, x, y, ...rest) {
      window.written.push({text, x, y, mirrored: this.getTransform().a < 0, onPage: this.canvas.isConnected});
      if (window.written.length > 400) window.written.shift();
      return fillText.call(this, text, x, y, ...rest);
    };
"""
SURE = ("Eyeglasses", "Wearing_Hat", "Smiling", "Bangs", "Male", "Attractive", "No_Beard")
CALIBRATION = SlimNet.load_pretrained(WEIGHTS).calibration
assert CALIBRATION is not None
# Gray hair is ticked if the visitor wants to find all, and not sure if they want the fewest mistakes.
GRAY = sum(CALIBRATION.unsure[ATTRIBUTES.index("Gray_Hair")]) / 2  # the middle of its band
PROBABILITIES = [GRAY if name == "Gray_Hair" else 0.999 if name in SURE else 0.001 for name in ATTRIBUTES]
WRITTEN_LABELS = ["Eyeglasses", "Wearing Hat", "Smiling", "Bangs"]
CAPTION = "40 attributes read by a network of 0.57 million parameters"
CROWD_ROWS, CROWD_COLUMNS = 5, 6


def labels(page: Any, number: int = 1) -> list[str]:
    """What was written after a face's number when the picture was last painted."""
    texts = page.evaluate("window.written.filter(({onPage}) => onPage).map(({text}) => text)")
    after = texts[len(texts) - texts[::-1].index(str(number)) :]
    return [text for text in after[: next((i for i, text in enumerate(after) if text.isdigit()), None)] if text]


def wait_for_labels(page: Any, names: list[str]) -> None:
    """Wait until these are written, in any order: newly trained weights may have another order."""
    page.wait_for_function(
        """names => {
            const texts = window.written.filter(({onPage}) => onPage).map(({text}) => text);
            return texts.slice(-names.length).sort().join() === names.join();
        }""",
        arg=sorted(names),
    )


def saved(page: Any, panel: str) -> tuple[str, Image.Image]:
    """Name and content of the file that the panel's button makes."""
    with page.expect_download() as download:
        page.click(f"#{panel} [data-do=save]")
    return download.value.suggested_filename, Image.open(io.BytesIO(Path(download.value.path()).read_bytes()))


def copied(page: Any) -> tuple[int, int]:
    """Size of the picture on the clipboard."""
    size = page.evaluate(
        """async () => {
            const [item] = await navigator.clipboard.read();
            const picture = await createImageBitmap(await item.getType("image/png"));
            return [picture.width, picture.height];
        }"""
    )
    return tuple(size)


def test_labels_grow_with_the_visitors_own_font(browser: Any) -> None:
    units = []
    for pixels in (16, 24):
        font = f"<style>:root {{ font-size: {pixels}px !important; }}</style>"
        with bare_page(browser, "shared/picture/painter.js", body=font) as page:
            units.append(page.evaluate("unitOf(300, 300)"))
    assert units == pytest.approx([0.8, 1.2])


# What is said for a moment stays, however slow the machine is.
STATUS_LINE = (BROWSER / "live/status_line.js").read_text(encoding="utf-8")
LASTING_NOTICES = {"live/status_line.js": replaced(STATUS_LINE, "NOTICE_MS = 4000", "NOTICE_MS = 600_000")}


def test_the_strongest_ticks_are_written_on_the_live_picture_which_is_saved_and_copied(
    server: Server, open_page: Any
) -> None:
    page = open_page(server, answered(face(1, 60, probabilities=PROBABILITIES)) + WRITTEN, LASTING_NOTICES)
    start_live(page)
    wait_for_labels(page, WRITTEN_LABELS)
    assert page.get_attribute("#live [data-do=mirror]", "aria-pressed") == "true"
    assert not page.evaluate("window.written.some(({mirrored}) => mirrored)")
    name, picture = saved(page, "live")
    assert (name, picture.format) == ("slimnet-faces-live.png", "PNG")
    assert picture.width == 640
    assert 480 < picture.height < 530  # the caption is below the picture
    made = page.evaluate("window.written.filter(({onPage}) => !onPage).map(({text}) => text)")
    assert made[0] == "1"
    assert made[1:5] == labels(page)
    assert CAPTION in made[5]
    wait_for_live_status(page, "Saved as slimnet-faces-live.png")

    page.click("#live [data-do=copy]")  # the context only grants the camera
    wait_for_live_status(page, "refused to copy")
    page.context.grant_permissions(["camera", "clipboard-read", "clipboard-write"])
    page.focus("#live [data-do=copy]")
    page.keyboard.press("Enter")
    wait_for_live_status(page, "is copied")
    assert copied(page) == picture.size

    page.click("#live [data-do=freeze]")
    wait_for_live_status(page, "Frozen")
    page.click("#live .points label:has([value=balanced])")
    wait_for_labels(page, ["Eyeglasses", "Wearing Hat", "Gray Hair", "Smiling", "Bangs"])
    assert saved(page, "live")[1].size == picture.size


@pytest.fixture
def crowd(tmp_path: Path) -> Path:
    """A photo of thirty faces in rows that are not quite straight."""
    heads = [cv2.imread(str(path)) for path in (PORTRAIT, OTHER_PORTRAIT)]
    photo = np.full((CROWD_ROWS * 250, CROWD_COLUMNS * 300, 3), 120, np.uint8)
    for place in range(CROWD_ROWS * CROWD_COLUMNS):
        row, column = divmod(place, CROWD_COLUMNS)
        head = heads[place % 2]
        assert head is not None
        side = 210 + 11 * (place % 4)
        top, left = 250 * row + 3 * (column % 3), 300 * column + 20
        photo[top : top + side, left : left + side] = cv2.resize(head[: head.shape[1]], (side, side))
    path = tmp_path / "class.jpg"
    cv2.imwrite(str(path), photo)
    return path


def test_thirty_faces_are_numbered_row_by_row_and_chosen_in_a_strip_that_scrolls(
    server: Server, open_page: Any, crowd: Path
) -> None:
    page = open_page(server, WRITTEN)
    page.set_input_files("#photo input[type=file]", crowd)
    page.wait_for_selector("#photo[data-faces='30']:not([data-busy])")
    places = page.eval_on_selector_all(
        "#photo [data-box]",
        "all => all.map(({dataset, style}) => [dataset.box, parseFloat(style.top), parseFloat(style.left)])",
    )
    rows = [(int(number), int(top * CROWD_ROWS / 100), int(left * CROWD_COLUMNS / 100)) for number, top, left in places]
    assert rows == [(place + 1, *divmod(place, CROWD_COLUMNS)) for place in range(30)]
    page.wait_for_function("window.written.some(({text}) => text === '30')")
    assert len(labels(page, 1)) > 0
    assert labels(page, 2) == []

    strip, spoken = page.locator("#photo .faces"), page.locator("#photo .faces .range")
    seen = re.fullmatch(r"1–(\d+) of 30", spoken.inner_text())
    assert seen
    assert 2 <= int(seen[1]) < 30
    page.focus("#photo [data-face='1']")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#photo [data-face='2']:focus")
    page.keyboard.press("End")
    page.wait_for_selector("#photo [data-face='30']:focus")
    spoken.filter(has_text="–30 of 30").wait_for()
    page.keyboard.press("Enter")
    page.wait_for_selector("#photo [data-face='30'][aria-pressed=true]")
    assert len(labels(page, 30)) > 0
    button, area = page.locator("#photo [data-face='30']").bounding_box(), strip.bounding_box()
    assert area["x"] <= button["x"]
    assert button["x"] + button["width"] <= area["x"] + area["width"]

    page.hover("#photo [data-box='8']")
    assert page.get_attribute("#photo [data-face='30']", "aria-pressed") == "true"
    page.click("#photo [data-box='8']")
    page.wait_for_selector("#photo [data-face='8'][aria-pressed=true]")
    name, picture = saved(page, "photo")
    assert (name, picture.format, picture.width) == ("class-faces-labelled.jpg", "JPEG", 1600)
    assert picture.height > 1600 * 1250 / 1800
    assert CAPTION in page.evaluate("window.written.at(-1).text")
    assert "Saved as" in page.inner_text("#photo .status")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("#photo [data-do=copy]")
    page.locator("#photo .status", has_text="is copied").wait_for()
    assert copied(page) == picture.size
    page.click("#photo [data-do=copy]")  # the same words are said again
    page.locator("#photo .status .unseen", has_text="is copied").wait_for(state="attached")

    page.set_viewport_size({"width": 360, "height": 740})
    page.wait_for_function("document.querySelector('#photo .picture').clientWidth < 360")
    assert page.evaluate("document.documentElement.scrollWidth") == 360


STRIP = '<section class="panel" style="display: block; width: 500px"><div class="faces"></div></section>'


@pytest.fixture
def strip(browser: Any) -> Iterator[Any]:
    with bare_page(browser, "shared/face_buttons.js", body=STRIP) as page:
        page.evaluate(
            "window.buttons = new FaceButtons(document.querySelector('.faces'), ['red', 'blue'], () => {});"
            "window.numbers = (from, to) => Array.from({length: to - from + 1}, (_, place) => from + place);"
        )
        yield page


def shown_numbers(page: Any) -> list[int]:
    return page.eval_on_selector_all("[data-face]", "all => all.map(({dataset}) => Number(dataset.face))")


def test_the_strip_keeps_the_order_of_the_faces_and_the_focus_while_they_come_and_go(strip: Any) -> None:
    strip.evaluate("buttons.show([2, 5], 2)")
    strip.focus("[data-face='5']")
    strip.evaluate("buttons.show([1, 2, 4, 5, 9], 2)")
    assert shown_numbers(strip) == [1, 2, 4, 5, 9]
    strip.evaluate("buttons.show([4, 5], 5)")
    assert shown_numbers(strip) == [4, 5]
    assert strip.locator("[data-face='5']:focus").count() == 1
    assert strip.locator(".range").is_hidden()


def test_the_strip_says_which_faces_are_in_sight_and_follows_the_chosen_one(strip: Any) -> None:
    strip.evaluate("buttons.show(numbers(1, 27), 1)")
    assert re.fullmatch(r"1–\d of 27", strip.inner_text(".range"))
    strip.evaluate("buttons.show(numbers(1, 27), 14)")
    first, last = map(int, re.findall(r"\d+", strip.inner_text(".range"))[:2])
    assert first < 14 < last
    strip.evaluate("buttons.show(numbers(1, 2), 1)")
    assert strip.locator(".range").is_hidden()
