"""Photos read on this device, on a page that has a server, with a stand-in for the engine."""

import base64
import csv
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.browser.conftest import Server, choose_panel
from tests.browser.device.stand_in import (
    choose_engine,
    hold_loading,
    let_load,
    open_with_stand_in,
    wait_for_engine,
)
from tests.browser.films import SMILING, face
from tests.browser.photo.test_photo import (
    downloaded,
    names_of_photos,
    upload,
    wait_for_faces,
    wait_for_status,
)
from tests.browser.photo.test_server_photos import BUSY
from tests.paths import OTHER_PORTRAIT, PORTRAIT

BY_DEVICE = "0.2"  # what the stand-in answers for every attribute

# Holds back the server's next answer until window.letThrough is called.
HOLD_ANSWER = """() => {
    const passOn = window.fetch;
    window.fetch = async (...request) => {
      window.fetch = passOn;
      await new Promise((resolve) => { window.letThrough = resolve; });
      return passOn.apply(window, request);
    };
}"""


class Posted:
    """What the page has sent since `clear`: the addresses of its requests that have a body."""

    def __init__(self, page: Any) -> None:
        self.requests: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url) if request.post_data_buffer else None)

    def clear(self) -> None:
        self.requests.clear()

    @property
    def count(self) -> int:
        return len(self.requests)


@pytest.fixture
def page(server: Server, open_page: Any) -> Any:
    page = open_with_stand_in(open_page, server)
    choose_panel(page, "photo")
    return page


def wait_until_read(page: Any, how_often: int) -> None:
    """Wait until the stand-in has read this many photos, and the last one is on the page."""
    page.wait_for_function("(count) => window.device.asked.length === count", arg=how_often)
    page.wait_for_selector("#photo[data-faces='1']:not([data-busy])")


def probabilities(page: Any) -> set[str | None]:
    return set(page.eval_on_selector_all("#photo [data-attribute]", "all => all.map((b) => b.dataset.probability)"))


def paste(page: Any, picture: Path) -> None:
    page.evaluate(
        """(data) => {
            const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
            const carried = new DataTransfer();
            carried.items.add(new File([bytes], "pasted.jpg", {type: "image/jpeg"}));
            document.dispatchEvent(new ClipboardEvent("paste", {clipboardData: carried}));
        }""",
        base64.b64encode(picture.read_bytes()).decode(),
    )


def test_photos_stay_on_the_device_from_the_switch_on(page: Any, two_faces: Path) -> None:
    assert page.is_visible("text=Photos go to this server")
    assert page.is_hidden("text=Photos stay on this device")
    posted = Posted(page)
    hold_loading(page)
    choose_engine(page, "device", "photo")
    wait_for_engine(page, "device", "loading", "live")  # both panels share one choice
    assert page.is_visible("text=Photos stay on this device")
    assert page.is_hidden("text=Photos go to this server")
    page.set_input_files("#photo input[type=file]", [PORTRAIT, two_faces])
    wait_for_status(page, "Loading onto this device")
    page.locator("#photo .amount", has_text="25\u2009%").wait_for()
    assert page.evaluate("window.device.asked") == []

    let_load(page)
    wait_for_status(page, "2 photos were read")
    assert names_of_photos(page) == [PORTRAIT.name, two_faces.name]
    assert probabilities(page) == {BY_DEVICE}
    rows = list(csv.DictReader(io.StringIO(downloaded(page, "all-csv")[1].decode())))
    assert [(row["file"], float(row["Smiling"])) for row in rows] == [(PORTRAIT.name, 0.2), (two_faces.name, 0.2)]
    with Image.open(io.BytesIO(downloaded(page, "picture")[1])) as annotated:
        assert (annotated.format, annotated.size) == ("JPEG", (480, 360))  # as the stand-in answers

    page.click("#photo-another")
    page.click("#photo [data-example='grace_hopper.jpg']")
    wait_until_read(page, 3)
    paste(page, PORTRAIT)
    wait_until_read(page, 4)
    page.click("#photo-another")
    page.click("#photo-snapshot")
    wait_for_status(page, "Look into the camera")
    page.click("#photo-capture")
    wait_until_read(page, 5)
    assert page.evaluate("window.device.asked.every(({photo, crop}) => photo && crop === 'all')")
    page.click("#photo label[for=photo-Smiling]")
    page.wait_for_function("!document.querySelector('#photo .why').textContent.includes('Working it out')")
    assert posted.requests == []
    assert page.inner_text("#photo .sent") == "0 bytes sent"

    choose_engine(page, "server", "photo")
    assert page.is_hidden("#photo .sent")
    upload(page, PORTRAIT)
    page.wait_for_selector("#photo[data-faces='1'] [data-attribute]:not([data-probability='0.2'])")
    wait_for_faces(page, 1)
    assert posted.count > 0
    choose_engine(page, "device", "photo")
    posted.clear()
    page.click("#photo label[for=photo-Eyeglasses]")  # for a photo that the server has read
    page.wait_for_function("!document.querySelector('#photo .why').textContent.includes('Working it out')")
    assert posted.requests == []
    assert page.get_attribute("#photo .sent", "data-bytes") == "0"


def test_what_the_server_is_asked_is_broken_off_when_the_visitor_switches_to_this_device(page: Any) -> None:
    page.evaluate("(faces) => { window.device.faces = faces; }", [face(1, 200, 0.2, why=SMILING)])
    upload(page, PORTRAIT)
    wait_for_faces(page, 1)
    page.route("**/component_server/", lambda _: None)  # sending it never ends
    with page.expect_request("**/component_server/"):
        page.click("#photo label[for=photo-Smiling]")
    posted = Posted(page)
    with page.expect_event("requestfailed"):
        choose_engine(page, "device", "photo")
    page.wait_for_function("!document.querySelector('#photo .why').textContent.includes('Working it out')")
    assert posted.requests == []

    choose_engine(page, "server", "photo")
    with page.expect_request("**/component_server/"):
        upload(page, PORTRAIT)
    posted.clear()
    with page.expect_event("requestfailed"):
        choose_engine(page, "device", "photo")
    page.wait_for_selector("#photo[data-faces='1'] [data-probability='0.2']")
    assert posted.requests == []


def test_who_leaves_the_servers_line_with_a_question_sends_the_photo_no_more(page: Any) -> None:
    upload(page, PORTRAIT)
    wait_for_faces(page, 1)
    page.route("**/component_server/", lambda route: route.fulfill(json=BUSY))
    page.click("#photo label[for=photo-Smiling]")
    wait_for_status(page, "It is number 999 in line")
    page.unroute("**/component_server/")
    posted = Posted(page)
    choose_engine(page, "device", "photo")
    page.wait_for_function("!document.querySelector('#photo .why').textContent.includes('Working it out')")
    assert posted.requests == []


def test_why_is_told_of_the_chosen_face_even_if_it_has_another_number_by_now(page: Any) -> None:
    choose_engine(page, "device", "photo")
    wait_for_engine(page, "device", panel="photo")
    left, right = face(1, 20, why=SMILING), face(2, 200, 0.2, why=SMILING)
    page.evaluate("(faces) => { window.device.faces = faces; }", [left, right])
    upload(page, PORTRAIT)
    wait_for_faces(page, 2)
    page.click("#photo .faces [data-face='2']")
    page.evaluate("(faces) => { window.device.faces = faces; }", [right | {"number": 1}, left | {"number": 2}])
    page.click("#photo label[for=photo-Smiling]")
    page.locator("#photo .why .where", has_text="+2.6").wait_for()
    assert page.evaluate("window.device.asked.at(-1).why.face") == 1
    page.evaluate("window.device.faces.pop(); 0")  # then the other face is not in it any more
    page.click("#photo .faces [data-face='1']")
    page.locator("#photo .why", has_text="that face is not in it any more").wait_for()


def test_the_server_reads_what_this_device_cannot_only_when_the_visitor_agrees(page: Any, tmp_path: Path) -> None:
    tiff, heic = tmp_path / "scan.tif", tmp_path / "phone.HEIC"
    Image.open(PORTRAIT).save(tiff)
    heic.write_bytes(b"\0\0\0\x18ftypheic")
    choose_engine(page, "device", "photo")
    wait_for_engine(page, "device", panel="photo")
    posted = Posted(page)
    page.set_input_files("#photo input[type=file]", [tiff, heic, PORTRAIT])
    wait_for_status(page, "2 of 3 photos could not be read")
    failed = page.inner_text("#photo .failed")
    assert "scan.tif: This browser cannot open the picture." in failed
    assert "phone.HEIC is of a format that is not supported." in failed
    # The server cannot read the other one either, so sending it would gain nothing.
    assert page.inner_text("#photo .offer span").startswith("The server may be able to read scan.tif. If you agree")
    assert posted.requests == []

    # Whatever has become of this device, the page says what it waits for: the server.
    page.evaluate("window.device.problem = 'No WebAssembly.'; window.device.lose()")
    wait_for_engine(page, "device", "failed", "photo")
    page.evaluate(HOLD_ANSWER)
    page.click("#photo .offer button")
    page.wait_for_function("() => Boolean(window.letThrough)")
    wait_for_status(page, "Reading 3 photos…")
    page.evaluate("window.device.problem = ''; window.letThrough()")
    page.wait_for_selector("#photo[data-faces='1'] [data-attribute]:not([data-probability='0.2'])")
    wait_for_status(page, "1 of 3 photos could not be read")
    assert names_of_photos(page) == [PORTRAIT.name, tiff.name]
    assert page.is_hidden("#photo .offer")
    assert posted.count == 1
    assert int(page.get_attribute("#photo .sent", "data-bytes")) > tiff.stat().st_size
    page.click("#photo .engine-problem [data-do=load-again]")
    wait_for_engine(page, "device", panel="photo")
    upload(page, PORTRAIT)
    wait_until_read(page, 4)
    assert probabilities(page) == {BY_DEVICE}
    assert posted.count == 1


def test_a_photo_waits_for_an_engine_that_does_not_start_or_for_another_choice(page: Any) -> None:
    page.evaluate("window.device.problem = 'No WebAssembly.'")
    posted = Posted(page)
    choose_engine(page, "device", "photo")
    wait_for_engine(page, "device", "failed", "photo")
    upload(page, PORTRAIT)
    wait_for_status(page, "Not read yet")
    assert page.inner_text("#photo .engine-problem span") == "No WebAssembly."
    assert page.is_hidden("#photo .working")
    assert posted.requests == []
    page.click("#photo .engine-problem [data-do=use-server]")
    wait_for_faces(page, 1)
    assert posted.count == 1

    choose_engine(page, "device", "photo")
    wait_for_engine(page, "device", "failed", "photo")
    upload(page, PORTRAIT)
    wait_for_status(page, "Not read yet")
    page.click("#photo-stop")
    wait_for_status(page, "Cancelled.")
    page.wait_for_selector("#photo .album", state="hidden")
    page.click("#photo .engine-problem [data-do=use-server]")
    upload(page, OTHER_PORTRAIT)
    page.wait_for_selector(f"#photo [data-download=json][download^='{OTHER_PORTRAIT.stem}']")
    assert posted.count == 2  # not the one that was cancelled

    choose_engine(page, "device", "photo")
    wait_for_engine(page, "device", "failed", "photo")
    upload(page, PORTRAIT)
    wait_for_status(page, "Not read yet")
    page.evaluate("window.device.problem = ''")
    page.click("#photo .engine-problem [data-do=load-again]")
    wait_until_read(page, 1)
    assert probabilities(page) == {BY_DEVICE}
    assert page.is_hidden("#photo .engine-problem")

    choose_engine(page, "server", "photo")
    turned_away = {"error": "Many photos are waiting.", "busy": True, "place": 3, "seconds": 0.1}
    page.route("**/component_server/", lambda route: route.fulfill(json=turned_away))
    upload(page, PORTRAIT)
    wait_for_status(page, "number 3 in line")
    choose_engine(page, "device", "photo")
    wait_until_read(page, 2)
    assert probabilities(page) == {BY_DEVICE}
