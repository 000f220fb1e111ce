import base64
import io
import json
import shutil
import signal
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageColor

from demo.server.panel import FACE_COLOURS
from tests.paths import PORTRAIT

from .conftest import Server, assert_ticks_agree, boxes
from .films import overtaken


def upload(page: Any, picture: Path) -> None:
    page.set_input_files("#photo input[type=file]", picture)


def wait_for_faces(page: Any, count: int) -> None:
    page.wait_for_selector(f"#photo[data-faces='{count}']:not([aria-busy])")


def wait_for_status(page: Any, text: str) -> None:
    page.locator("#photo .status", has_text=text).wait_for()


@pytest.fixture(autouse=True)
def _nothing_stays_on_the_server(server: Server) -> Any:
    yield
    assert server.files() == []


def test_a_photo_ends_in_ticked_boxes_and_the_crop(server: Server, open_page: Any) -> None:
    page = open_page(server)
    upload(page, PORTRAIT)
    wait_for_faces(page, 1)
    assert_ticks_agree(page, "photo")
    assert page.locator("#photo [data-face='1']").count() == 1
    colour = page.eval_on_selector("#photo [data-box='1']", "box => getComputedStyle(box).borderColor")
    assert colour == "rgb({}, {}, {})".format(*ImageColor.getrgb(FACE_COLOURS[0]))
    crop = page.get_attribute("#photo .crop img", "src")
    assert Image.open(io.BytesIO(base64.b64decode(crop.partition(",")[2]))).size == (178, 218)
    assert page.evaluate("window.watched.encodings") == 0


def test_the_portrait_smiles(server: Server, open_page: Any) -> None:
    page = open_page(server)
    upload(page, PORTRAIT)
    wait_for_faces(page, 1)
    assert page.is_checked("#photo [data-attribute='Smiling']")
    assert not page.is_checked("#photo [data-attribute='Eyeglasses']")
    assert not page.is_checked("#photo [data-attribute='Mustache']")


def test_one_of_two_faces_is_chosen_by_button_and_by_its_box(server: Server, open_page: Any, two_faces: Path) -> None:
    page = open_page(server)
    upload(page, two_faces)
    wait_for_faces(page, 2)
    first = boxes(page, "photo"), page.get_attribute("#photo .crop img", "src")
    page.click("#photo [data-face='2']")
    assert page.get_attribute("#photo [data-face='2']", "aria-pressed") == "true"
    assert page.get_attribute("#photo .crop img", "src") != first[1]
    assert_ticks_agree(page, "photo")
    page.click("#photo [data-box='1']")
    assert (boxes(page, "photo"), page.get_attribute("#photo .crop img", "src")) == first


def test_the_results_can_be_downloaded(server: Server, open_page: Any, two_faces: Path) -> None:
    page = open_page(server)
    upload(page, two_faces)
    wait_for_faces(page, 2)
    files = {}
    for kind in ("json", "csv", "picture"):
        with page.expect_download() as download:
            page.click(f"#photo [data-download='{kind}']")
        files[kind] = (download.value.suggested_filename, Path(download.value.path()).read_bytes())
    assert files["json"][0] == "two faces-faces.json"
    faces = json.loads(files["json"][1])["faces"]
    assert [face["number"] for face in faces] == [1, 2]
    percents = {name: percent for name, (_, percent) in boxes(page, "photo").items()}
    assert {name: 100 * p for name, p in faces[0]["probabilities"].items()} == pytest.approx(percents, abs=0.51)
    assert_ticks_agree(page, "photo")
    header, *rows = files["csv"][1].decode().splitlines()
    assert header.startswith("file,face,x,y,width,height,5_o_Clock_Shadow,")
    assert len(rows) == 2
    assert rows[1].startswith("two faces.png,2,")
    with Image.open(io.BytesIO(files["picture"][1])) as annotated, Image.open(two_faces) as original:
        assert annotated.size == original.size
        assert not np.array_equal(np.asarray(annotated), np.asarray(original))


@pytest.mark.parametrize("kind", ["text", "one pixel", "cut off", "empty"])
def test_a_bad_file_is_explained_and_what_was_shown_stays(
    server: Server, open_page: Any, tmp_path: Path, kind: str
) -> None:
    bad = tmp_path / "bad.jpg"
    if kind == "one pixel":
        Image.new("RGB", (1, 1)).save(bad)
    else:
        bad.write_bytes({"text": b"no picture " * 9, "cut off": PORTRAIT.read_bytes()[:20_000], "empty": b""}[kind])
    page = open_page(server)
    upload(page, PORTRAIT)
    wait_for_faces(page, 1)
    upload(page, bad)
    if kind == "one pixel":
        wait_for_status(page, "No face")
        wait_for_faces(page, 0)
    else:
        page.wait_for_selector("#photo .status[data-kind='problem']")
        wait_for_faces(page, 1)
        assert_ticks_agree(page, "photo")
    upload(page, PORTRAIT)
    wait_for_faces(page, 1)
    wait_for_status(page, "One face")


def test_the_last_photo_that_comes_while_one_is_analysed_is_analysed_next(
    server: Server, open_page: Any, two_faces: Path, tmp_path: Path
) -> None:
    large, small = tmp_path / "large.png", tmp_path / "small.png"
    Image.new("RGB", (6000, 4000), "grey").save(large)
    Image.new("RGB", (60, 40), "grey").save(small)
    page = open_page(server)
    for picture in (large, small, two_faces):
        upload(page, picture)
    wait_for_faces(page, 2)
    wait_for_status(page, "2 faces")


def test_a_face_that_shows_too_little_is_doubted_and_the_others_are_not(
    server: Server, open_page: Any, tmp_path: Path
) -> None:
    portrait = cv2.imread(str(PORTRAIT))
    assert portrait is not None
    picture = tmp_path / "sharp and blurred.png"
    cv2.imwrite(str(picture), np.hstack((portrait, cv2.GaussianBlur(portrait, (0, 0), 5))))
    page = open_page(server)
    upload(page, picture)
    wait_for_faces(page, 2)
    assert page.inner_text("#photo .doubt") == ""
    page.click("#photo [data-face='2']")
    assert "blurred" in page.inner_text("#photo .doubt")
    assert_ticks_agree(page, "photo")
    page.click("#photo [data-face='1']")
    assert page.inner_text("#photo .doubt") == ""


def test_everything_fits_on_a_small_phone(server: Server, open_page: Any, two_faces: Path) -> None:
    page = open_page(server)
    page.set_viewport_size({"width": 360, "height": 740})
    upload(page, two_faces)
    wait_for_faces(page, 2)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    outside = """all => all.filter(part => part.getBoundingClientRect().right >
                        part.closest('.faces, .more').getBoundingClientRect().right).length"""
    assert page.eval_on_selector_all("#photo .faces button, #photo .downloads a", outside) == 0


def test_an_example_runs_at_once(server: Server, open_page: Any) -> None:
    page = open_page(server)
    page.click("#photo [data-example]")
    wait_for_faces(page, 1)
    assert_ticks_agree(page, "photo")


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_photo_is_dropped_or_pasted(server: Server, open_page: Any, way: str) -> None:
    page = open_page(server)
    page.evaluate(
        """([way, data]) => {
            const bytes = Uint8Array.from(atob(data), character => character.charCodeAt(0));
            const carried = new DataTransfer();
            carried.items.add(new File([bytes], "portrait.jpg", {type: "image/jpeg"}));
            const event = way === "drop"
              ? new DragEvent("drop", {dataTransfer: carried, bubbles: true, cancelable: true})
              : new ClipboardEvent("paste", {clipboardData: carried, bubbles: true, cancelable: true});
            document.querySelector("#photo .stage").dispatchEvent(event);
        }""",
        [way, base64.b64encode(PORTRAIT.read_bytes()).decode()],
    )
    wait_for_faces(page, 1)


def test_a_snapshot_is_analysed_and_the_camera_released(server: Server, open_page: Any) -> None:
    page = open_page(server)
    page.click("#photo-snapshot")
    wait_for_status(page, "Look into the camera")
    page.click("#photo-capture")
    wait_for_faces(page, 1)
    assert page.evaluate("window.watched.encodings") == 1
    assert page.evaluate("window.watched.tracks.map(track => track.readyState)") == ["ended"]


@pytest.mark.parametrize("late", [0, 500])
def test_a_snapshot_that_was_cancelled_takes_nothing_from_the_next_one(
    server: Server, open_page: Any, late: int
) -> None:
    page = open_page(server, overtaken(1, late))
    page.click("#photo-snapshot")
    page.click("#photo-cancel")
    page.click("#photo-snapshot")
    wait_for_status(page, "Look into the camera")
    page.wait_for_timeout(2 * late)
    assert page.evaluate("window.watched.tracks.map(track => track.readyState)") == ["ended", "live"]
    page.click("#photo-capture")
    wait_for_faces(page, 1)


@pytest.mark.parametrize("way", ["example", "snapshot"])
def test_a_file_that_is_slow_to_read_does_not_replace_a_photo_that_was_chosen_later(
    server: Server, open_page: Any, tmp_path: Path, way: str
) -> None:
    slow = """
        const read = FileReader.prototype.readAsDataURL;
        FileReader.prototype.readAsDataURL = function (file) { window.readOn = () => read.call(this, file); };
    """
    page = open_page(server, slow)
    upload(page, Path(shutil.copy(PORTRAIT, tmp_path / "slow.jpg")))
    page.wait_for_function("() => Boolean(window.readOn)")
    if way == "example":
        page.click("#photo [data-example='grace_hopper.jpg']")
    else:
        page.click("#photo-snapshot")
        wait_for_status(page, "Look into the camera")
        page.click("#photo-capture")
    wait_for_faces(page, 1)
    page.evaluate("window.readOn()")
    page.wait_for_timeout(500)
    wait_for_faces(page, 1)
    name = page.get_attribute("#photo [data-download='json']", "download")
    assert name == {"example": "grace_hopper-faces.json", "snapshot": "snapshot-faces.json"}[way]


def test_the_panel_is_worked_by_keyboard_without_losing_the_focus(server: Server, open_page: Any) -> None:
    page = open_page(server)

    def press(button: str) -> None:
        page.focus(button)
        page.keyboard.press("Enter")

    press("#photo-snapshot")
    page.wait_for_selector("#photo-capture:focus")
    wait_for_status(page, "Look into the camera")
    page.keyboard.press("Enter")
    wait_for_faces(page, 1)
    page.wait_for_selector("#photo-another:focus")
    page.keyboard.press("Enter")
    page.wait_for_selector("#photo-choose:focus")
    press("#photo-snapshot")
    press("#photo-cancel")
    page.wait_for_selector("#photo-another:focus")
    press("#photo [data-face='1']")
    page.wait_for_selector("#photo [data-face='1']:focus")


def test_the_way_to_another_photo_leads_back_to_this_one(server: Server, open_page: Any) -> None:
    page = open_page(server)
    upload(page, PORTRAIT)
    wait_for_faces(page, 1)
    page.click("#photo-another")
    assert page.is_hidden("#photo .picture img")
    wait_for_status(page, "kept")
    page.click("#photo-another")
    assert page.is_visible("#photo .picture img")
    wait_for_status(page, "One face")
    page.click("#photo-another")
    page.click("#photo-snapshot")
    page.click("#photo-cancel")
    wait_for_status(page, "One face")


def test_the_number_of_a_face_stands_beside_it(server: Server, open_page: Any, two_faces: Path) -> None:
    page = open_page(server)
    upload(page, two_faces)
    wait_for_faces(page, 2)
    covered = """all => all.map(number => {
        const [own, box] = [number, number.parentElement].map(part => part.getBoundingClientRect());
        return own.bottom > box.top && own.top < box.bottom;
    })"""
    assert page.eval_on_selector_all("#photo .boxes span", covered) == [False, False]


def test_a_photo_sent_while_the_server_is_away_can_be_sent_again(own_server: Server, open_page: Any) -> None:
    page = open_page(own_server)
    page.wait_for_load_state("networkidle")  # Gradio loads parts of itself late, and misses them without a server
    own_server.stop(signal.SIGKILL)
    upload(page, PORTRAIT)
    wait_for_status(page, "does not answer")
    own_server.start()
    upload(page, PORTRAIT)
    wait_for_faces(page, 1)
