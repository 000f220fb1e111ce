import base64
import csv
import hashlib
import io
import json
import re
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageColor

from demo.paths import WEIGHTS
from demo.server.content.panel import FACE_COLOURS
from slimnet import ATTRIBUTES, Predictor, decide
from tests.browser.conftest import Server, assert_ticks_agree, boxes, choose_panel
from tests.browser.films import overtaken
from tests.paths import PORTRAIT, ROOT


def upload(page: Any, picture: Path) -> None:
    page.set_input_files("#photo input[type=file]", picture)


def wait_for_faces(page: Any, count: int) -> None:
    page.wait_for_selector(f"#photo[data-faces='{count}']:not([data-busy])")


def wait_for_status(page: Any, text: str) -> None:
    page.locator("#photo .status", has_text=text).wait_for()


@pytest.fixture(autouse=True)
def _nothing_stays_on_the_server(server: Server) -> Any:
    yield
    assert server.files() == []


def test_a_photo_ends_in_ticked_boxes_the_crop_and_downloads_that_follow_them(server: Server, open_page: Any) -> None:
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
    assert page.is_checked("#photo [data-attribute='Smiling']")
    assert not page.is_checked("#photo [data-attribute='Eyeglasses']")
    assert not page.is_checked("#photo [data-attribute='Mustache']")
    assert_downloads_hold_the_ticks_of_the_page_at_that_moment(page)


def test_one_of_two_faces_is_chosen_by_button_and_by_its_box(server: Server, open_page: Any, two_faces: Path) -> None:
    page = open_page(server)
    upload(page, two_faces)
    wait_for_faces(page, 2)
    assert_nothing_is_written_on_a_face(page)
    first = boxes(page, "photo"), page.get_attribute("#photo .crop img", "src")
    page.click("#photo [data-face='2']")
    assert page.get_attribute("#photo [data-face='2']", "aria-pressed") == "true"
    assert page.get_attribute("#photo .crop img", "src") != first[1]
    assert_ticks_agree(page, "photo")
    page.click("#photo [data-box='1']")
    assert (boxes(page, "photo"), page.get_attribute("#photo .crop img", "src")) == first

    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "component_server" in request.url else None)
    plain = marks(page)
    page.click("#photo label[for=photo-Smiling]")
    sentence = page.locator("#photo .why .where", has_text="Mostly the mouth and what is below it: +")
    sentence.wait_for()
    told = sentence.inner_text()
    assert marks(page) != plain
    page.click("#photo label[for=photo-Eyeglasses]")
    page.locator("#photo .why .where", has_text="Mostly the eyes: −").wait_for()
    assert len(asked) == 1  # the maps of all attributes of a face come at once
    page.click("#photo label[for=photo-Smiling]")
    sentence.wait_for()
    page.click("#photo [data-face='2']")
    page.wait_for_function(
        "told => !['', told].includes(document.querySelector('#photo .why .where').textContent)", arg=told
    )
    page.click("#photo [data-face='1']")
    page.locator("#photo .why .where", has_text=told).wait_for()
    page.click("#photo .why [data-do=why-close]")
    assert page.is_hidden("#photo .why")
    assert marks(page) == plain


def assert_nothing_is_written_on_a_face(page: Any) -> None:
    page.wait_for_function("document.querySelector('#photo .picture canvas').width > 300")
    # The share of the canvas's pixels that have writing on them, in each box and in all.
    inside, altogether = page.evaluate(
        """() => {
            const canvas = document.querySelector("#photo .picture canvas");
            const context = canvas.getContext("2d");
            const share = (...area) => {
              const {data} = context.getImageData(...area.map(Math.round));
              return data.filter((value, place) => place % 4 === 3 && value > 0).length / (data.length / 4);
            };
            const boxes = [...document.querySelectorAll("#photo [data-box]")].map(({style}) => {
              const [left, width] = [style.left, style.width].map((part) => (parseFloat(part) * canvas.width) / 100);
              const [top, height] = [style.top, style.height].map((part) => (parseFloat(part) * canvas.height) / 100);
              return share(left, top, width, height);
            });
            return [boxes, share(0, 0, canvas.width, canvas.height)];
        }"""
    )
    assert max(inside) < 0.001  # a rim may touch the box
    assert altogether > 0.01


def marks(page: Any) -> str:
    """What is painted over the photo."""
    return page.evaluate(
        """() => { const canvas = document.querySelector("#photo .picture canvas");
                   return canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.join(); }"""
    )


def downloaded(page: Any, kind: str) -> tuple[str, bytes]:
    """The name and the content of a file, downloaded by its link."""
    with page.expect_download() as download:
        page.click(f"#photo [data-download='{kind}']")
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def documented_columns() -> list[str]:
    """The columns of the photo's CSV as demo/README.md describes them, written out for each attribute."""
    text = (ROOT / "demo" / "README.md").read_text(encoding="utf-8")
    table = text.partition("### The CSV of a photo")[2].partition("\n### ")[0]
    columns = []
    for row in re.findall(r"^\| (`.+?) \|", table, re.MULTILINE):
        names = re.findall(r"`(.+?)`", row)
        meant = ATTRIBUTES if "ATTRIBUTE" in row else ("",)
        columns += [name.replace("ATTRIBUTE", attribute) for attribute in meant for name in names]
    return columns


def test_the_results_can_be_downloaded(server: Server, open_page: Any, two_faces: Path) -> None:
    page = open_page(server)
    named = two_faces.rename(two_faces.with_name("=two, faces.png"))  # a spreadsheet would run this name
    upload(page, named)
    wait_for_faces(page, 2)
    files = {kind: downloaded(page, kind) for kind in ("json", "csv", "picture")}
    assert files["json"][0].endswith("two, faces-faces.json")
    found = json.loads(files["json"][1])
    faces = found["faces"]
    assert found["file"] == named.name
    assert [face["number"] for face in faces] == [1, 2]
    percents = {name: percent for name, (_, percent) in boxes(page, "photo").items()}
    assert {name: 100 * p for name, p in faces[0]["probabilities"].items()} == pytest.approx(percents, abs=0.51)
    assert_ticks_agree(page, "photo")
    with Image.open(io.BytesIO(files["picture"][1])) as annotated, Image.open(named) as original:
        assert annotated.size == original.size == (found["width"], found["height"])
        assert not np.array_equal(np.asarray(annotated), np.asarray(original))
    assert found["weights"] == hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()
    header, *_ = csv.reader(io.StringIO(files["csv"][1].decode()))
    assert header == documented_columns()
    rows = list(csv.DictReader(io.StringIO(files["csv"][1].decode())))
    assert [row["file"] for row in rows] == [f"'{named.name}"] * 2
    for row, face in zip(rows, faces, strict=True):
        assert [int(row[name]) for name in ("x", "y", "width", "height")] == face["box"]
        assert (row["face"], row["warnings"]) == (str(face["number"]), " ".join(face["warnings"]))
        assert (row["picture_width"], row["picture_height"]) == (str(found["width"]), str(found["height"]))
        assert (row["operating_point"], row["weights"]) == (found["operating_point"], found["weights"])
        for name in ATTRIBUTES:
            assert float(row[name]) == face["probabilities"][name]
            assert {"1": True, "0": False, "": None}[row[f"{name}_tick"]] == face["ticks"][name]
            cuts = found["thresholds"][name]
            assert (float(row[f"{name}_lower"]), float(row[f"{name}_upper"])) == (cuts["lower"], cuts["upper"])
            assert float(row[f"{name}_balanced_accuracy"]) == found["reliability"][name]["balanced_accuracy"]


def assert_downloads_hold_the_ticks_of_the_page_at_that_moment(page: Any) -> None:
    ticked = {}
    for point in ("accuracy", "balanced"):
        page.check(f"#photo input[type=radio][value='{point}']", force=True)
        found = json.loads(downloaded(page, "json")[1])
        assert found["operating_point"] == point
        ticks = found["faces"][0]["ticks"]
        ticked[point] = {name for name, tick in ticks.items() if tick}
        assert ticked[point] == {name for name, (tick, _) in boxes(page, "photo").items() if tick}
        calibration = Predictor(WEIGHTS, "cpu").calibration
        probabilities = np.array(list(found["faces"][0]["probabilities"].values()))
        assert list(ticks.values()) == decide(probabilities, ATTRIBUTES, calibration, point)
    assert ticked["accuracy"] < ticked["balanced"]


def test_a_bad_file_is_explained_and_what_was_shown_stays(server: Server, open_page: Any, tmp_path: Path) -> None:
    page = open_page(server)
    show_portrait(page)
    whose = f"You still see the result of {PORTRAIT.name}."
    files = {"text": b"no picture " * 9, "cut off": PORTRAIT.read_bytes()[:20_000], "empty": b""}
    for kind, content in files.items():
        bad = tmp_path / f"{kind}.jpg"
        bad.write_bytes(content)
        upload(page, bad)
        page.wait_for_selector("#photo .status[data-kind='problem']")
        wait_for_faces(page, 1)
        assert_ticks_agree(page, "photo")
        assert page.inner_text("#photo .status").endswith(whose)
        assert page.inner_text("#photo .kept") == f"{kind}.jpg could not be read. {whose}"
        page.click("#photo-another")
        page.click("#photo-another")
        wait_for_status(page, whose)  # until another photo is read
        show_portrait(page)
    pixel = tmp_path / "pixel.png"
    Image.new("RGB", (1, 1)).save(pixel)
    upload(page, pixel)
    wait_for_status(page, "No face")
    wait_for_faces(page, 0)
    show_portrait(page)


def show_portrait(page: Any) -> None:
    upload(page, PORTRAIT)
    wait_for_status(page, "One face")
    wait_for_faces(page, 1)
    assert page.is_hidden("#photo .kept")


def test_photos_that_come_while_one_is_analysed_are_analysed_next_and_the_last_is_shown(
    server: Server, open_page: Any, two_faces: Path, tmp_path: Path
) -> None:
    large, small = tmp_path / "large.png", tmp_path / "small.png"
    Image.new("RGB", (6000, 4000), "grey").save(large)
    Image.new("RGB", (60, 40), "grey").save(small)
    page = open_page(server)
    held: list[Any] = []
    page.route("**/component_server/", lambda route: route.continue_() if held else held.append(route))
    with page.expect_request("**/component_server/"):
        upload(page, large)
    for picture in (small, two_faces):
        upload(page, picture)
    page.locator("#photo .progress span", has_text="0 of 3").wait_for()
    held[0].continue_()
    wait_for_faces(page, 2)
    wait_for_status(page, "3 photos were read")
    assert names_of_photos(page) == ["large.png", "small.png", "two faces.png"]
    assert page.inner_text("#photo .which") == "3 of 3: two faces.png"


def names_of_photos(page: Any) -> list[str]:
    """The photos that were read, from their thumbnails."""
    return page.eval_on_selector_all("#photo [data-photo] img", "all => all.map(image => image.alt)")


def test_several_photos_are_read_one_after_another_and_the_rest_goes_on(
    server: Server, open_page: Any, two_faces: Path, tmp_path: Path
) -> None:
    bad, grey = tmp_path / "bad.jpg", tmp_path / "grey.png"
    bad.write_bytes(b"no picture " * 9)
    Image.new("RGB", (60, 40), "grey").save(grey)
    page = open_page(server)
    page.set_input_files("#photo input[type=file]", [bad, PORTRAIT, two_faces, grey])
    wait_for_status(page, "1 of 4 photos could not be read")
    assert names_of_photos(page) == [PORTRAIT.name, two_faces.name, grey.name]
    assert "'bad.jpg' is not a picture" in page.inner_text("#photo .failed")
    wait_for_faces(page, 1)  # the first one stays while the others are read
    page.click("#photo-next")
    wait_for_faces(page, 2)
    page.press("#photo [data-photo='1']", "ArrowRight")
    wait_for_faces(page, 0)
    page.wait_for_selector("#photo [data-photo='2'][aria-pressed=true]:focus")
    page.keyboard.press("Home")
    wait_for_faces(page, 1)
    assert_ticks_agree(page, "photo")
    name, table = downloaded(page, "all-csv")
    rows = list(csv.DictReader(io.StringIO(table.decode())))
    assert [(row["file"], row["face"]) for row in rows] == [
        (PORTRAIT.name, "1"), (two_faces.name, "1"), (two_faces.name, "2"),
    ]  # fmt: skip
    assert name == "photos-faces.csv"
    found = json.loads(downloaded(page, "all-json")[1])
    assert [(photo["file"], len(photo["faces"])) for photo in found["photos"]] == [
        (PORTRAIT.name, 1), (two_faces.name, 2), (grey.name, 0),
    ]  # fmt: skip
    [failed] = found["not_read"]
    assert failed["file"] == "bad.jpg"
    assert failed["reason"] in page.inner_text("#photo .failed")
    assert found["photos"][0]["faces"] == json.loads(downloaded(page, "json")[1])["faces"]

    page.click("#photo-another")
    page.click("#photo-snapshot")
    wait_for_status(page, "Look into the camera")
    page.click("#photo [data-photo='0']")
    wait_for_faces(page, 1)
    assert page.evaluate("window.watched.tracks.map(track => track.readyState)") == ["ended"]

    page.set_input_files("#photo input[type=file]", [bad, bad])
    wait_for_status(page, f"You still see the result of {PORTRAIT.name}.")
    page.click("#photo-next")
    kept = f"None of the new photos could be read. You still see the result of {two_faces.name}."
    assert page.inner_text("#photo .kept") == kept  # also when another photo is shown
    assert names_of_photos(page) == [PORTRAIT.name, two_faces.name, grey.name]  # nothing is lost
    upload(page, two_faces)
    wait_for_status(page, "2 faces")
    assert page.is_hidden("#photo .album")


# Holds back each answer but the first until window.letThrough is called.
HELD = """
    const passOn = window.fetch;
    let asked = 0;
    window.fetch = async (...request) => {
      if (String(request[0]).includes("component_server") && ++asked > 1) {
        await new Promise((resolve) => { window.letThrough = resolve; });
      }
      return passOn.apply(window, request);
    };
"""


def test_photos_that_wait_can_be_cancelled_and_no_more_than_20_are_taken(
    server: Server, open_page: Any, tmp_path: Path
) -> None:
    files = [Path(shutil.copy(PORTRAIT, tmp_path / f"{number}.jpg")) for number in range(23)]
    page = open_page(server, HELD)
    page.set_input_files("#photo input[type=file]", files)
    wait_for_faces(page, 1)
    page.locator("#photo .progress", has_text="1 of 20").wait_for()
    assert "Left out: 3." in page.inner_text("#photo .failed")
    page.wait_for_function("() => Boolean(window.letThrough)")
    page.focus("#photo-stop")
    page.keyboard.press("Enter")
    wait_for_status(page, "Cancelled")
    page.wait_for_selector("#photo-another:focus")
    page.evaluate("window.letThrough()")
    page.evaluate("window.letThrough = null")
    upload(page, PORTRAIT)
    page.wait_for_function("() => Boolean(window.letThrough)")
    page.evaluate("window.letThrough()")
    wait_for_status(page, "One face")
    wait_for_faces(page, 1)
    assert page.get_attribute("#photo [data-download='json']", "download") == f"{PORTRAIT.stem}-faces.json"


def test_a_face_that_shows_too_little_has_a_warning_and_the_others_have_none(
    server: Server, open_page: Any, tmp_path: Path
) -> None:
    portrait = cv2.imread(str(PORTRAIT))
    assert portrait is not None
    picture = tmp_path / "sharp and blurred.png"
    cv2.imwrite(str(picture), np.hstack((portrait, cv2.GaussianBlur(portrait, (0, 0), 5))))
    page = open_page(server)
    upload(page, picture)
    wait_for_faces(page, 2)
    assert page.inner_text("#photo .warning") == ""
    page.click("#photo [data-face='2']")
    assert "blurred" in page.inner_text("#photo .warning")
    assert_ticks_agree(page, "photo")
    page.click("#photo [data-face='1']")
    assert page.inner_text("#photo .warning") == ""


def test_everything_fits_on_a_small_phone(server: Server, open_page: Any, two_faces: Path) -> None:
    page = open_page(server)
    page.set_viewport_size({"width": 360, "height": 740})
    page.set_input_files("#photo input[type=file]", [two_faces, PORTRAIT, two_faces])
    wait_for_status(page, "3 photos were read")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    outside = """all => all.filter(part => part.getBoundingClientRect().right >
                        part.closest('.faces, .more, .album').getBoundingClientRect().right).length"""
    assert page.eval_on_selector_all("#photo :is(.faces, .album) button, #photo .downloads a", outside) == 0
    assert all(page.is_visible(f"#photo [data-photo='{number}'] img") for number in range(3))
    assert page.eval_on_selector("#photo .thumbnails", "strip => strip.scrollWidth - strip.clientWidth") == 0


def test_a_photo_is_dropped_or_pasted(server: Server, open_page: Any) -> None:
    page = open_page(server)
    for way in ("drop", "paste"):
        choose_panel(page, "live")
        give(page, way)
        read = f"#photo[data-faces='1']:not([data-busy]) [data-download=json][download='{way}-faces.json']"
        page.wait_for_selector(read, state="attached")
        assert page.is_hidden("#live")


def give(page: Any, way: str) -> None:
    """Drop or paste the portrait, as a file that is named after the way."""
    page.evaluate(
        """([way, data]) => {
            const bytes = Uint8Array.from(atob(data), character => character.charCodeAt(0));
            const carried = new DataTransfer();
            carried.items.add(new File([bytes], `${way}.jpg`, {type: "image/jpeg"}));
            const event = way === "drop"
              ? new DragEvent("drop", {dataTransfer: carried, bubbles: true, cancelable: true})
              : new ClipboardEvent("paste", {clipboardData: carried, bubbles: true, cancelable: true});
            document.querySelector("#live .stage").dispatchEvent(event);
        }""",
        [way, base64.b64encode(PORTRAIT.read_bytes()).decode()],
    )


def test_a_snapshot_is_analysed_and_the_camera_released(server: Server, open_page: Any) -> None:
    page = open_page(server)
    choose_panel(page, "photo")
    page.click("#photo-snapshot")
    wait_for_status(page, "Look into the camera")
    assert page.is_visible("#photo .snapshot video.mirrored")
    page.click("#photo-capture")
    wait_for_faces(page, 1)
    assert page.evaluate("window.watched.encodings") == 1
    assert page.evaluate("window.watched.tracks.map(track => track.readyState)") == ["ended"]


@pytest.mark.parametrize("late", [0, 500])
def test_a_snapshot_that_was_cancelled_takes_nothing_from_the_next_one(
    server: Server, open_page: Any, late: int
) -> None:
    page = open_page(server, overtaken(1, late))
    choose_panel(page, "photo")
    page.click("#photo-snapshot")
    page.click("#photo-cancel")
    page.click("#photo-snapshot")
    wait_for_status(page, "Look into the camera")
    states = "window.watched.tracks.map(track => track.readyState).join()"
    page.wait_for_function(f"{states} === 'ended,live'")  # the cancelled one has arrived, and was closed
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
    wait_for_status(page, "2 photos were read")
    wait_for_faces(page, 1)
    name = page.get_attribute("#photo [data-download='json']", "download")
    assert name == {"example": "grace_hopper-faces.json", "snapshot": "snapshot-faces.json"}[way]


def test_the_panel_is_worked_by_keyboard_without_losing_the_focus(server: Server, open_page: Any) -> None:
    page = open_page(server)
    choose_panel(page, "photo")

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
    wait_for_status(page, "The previous photo stays")
    page.click("#photo-another")
    assert page.is_visible("#photo .picture img")
    wait_for_status(page, "One face")
    page.click("#photo-another")
    page.click("#photo-snapshot")
    page.click("#photo-cancel")
    wait_for_status(page, "One face")


def test_a_photo_for_which_there_is_no_room_is_sent_again_as_told(server: Server, open_page: Any) -> None:
    page = open_page(server)
    assert_sent_again_only_when_it_is_its_turn(page)
    page.unroute("**/component_server/")
    assert_sent_again_after_a_while(page)


def assert_sent_again_only_when_it_is_its_turn(page: Any) -> None:
    """While the server is busy, the page asks for a turn without the picture."""
    busy = {"error": "Many photos are waiting.", "busy": True, "place": 3, "seconds": 0.01}
    answers = [busy | {"place": 1, "seconds": 600.0}, busy, busy, {"turn": True}, busy, {"turn": True}]
    asked: list[dict[str, Any]] = []

    def answer(route: Any) -> None:
        asked.append(route.request.post_data_json["data"])
        number = len(asked) - 1
        route.fulfill(json=answers[number]) if number < len(answers) else route.continue_()

    page.route("**/component_server/", answer)
    upload(page, PORTRAIT)
    wait_for_faces(page, 1)
    assert ["picture" in question for question in asked] == [True, False, False, False, True, False, True]
    assert len({question["visitor"] for question in asked}) == 1
    assert all(question["turn"] for question in asked if "picture" not in question)


def assert_sent_again_after_a_while(page: Any) -> None:
    """The server takes no request at first, and says when to try again."""
    asked: list[dict[str, Any]] = []

    def answer(route: Any) -> None:
        asked.append(route.request.post_data_json["data"])
        if len(asked) > 2:
            return route.continue_()
        route.fulfill(status=503, headers={"Retry-After": "1"}, body="Many large requests are arriving.")

    page.route("**/component_server/", answer)
    upload(page, PORTRAIT)
    wait_for_status(page, "sent again in a moment")
    wait_for_faces(page, 1)
    assert ["picture" in question for question in asked] == [True, True, True]


# Keeps the next question waiting until it is dropped.
DROPPED = """() => {
    const passOn = window.fetch;
    let asked = 0;
    window.fetch = (address, options) => {
      if (!String(address).includes("component_server") || asked++) return passOn(address, options);
      const {signal} = options;
      return new Promise((_, fail) => signal.addEventListener("abort", () => fail(signal.reason)));
    };
}"""


def test_a_question_that_makes_way_for_a_file_that_is_no_photo_is_asked_again(
    server: Server, open_page: Any, tmp_path: Path
) -> None:
    page = open_page(server)
    upload(page, PORTRAIT)
    wait_for_faces(page, 1)
    page.evaluate(DROPPED)
    page.click("#photo label[for=photo-Smiling]")
    page.locator("#photo .why .where", has_text="Working it out").wait_for()
    empty = tmp_path / "empty.jpg"
    empty.touch()
    upload(page, empty)
    page.locator("#photo .why .where", has_text="Mostly the mouth and what is below it: +").wait_for()


def test_a_photo_sent_while_the_server_is_away_can_be_sent_again(own_server: Server, open_page: Any) -> None:
    page = open_page(own_server)
    upload(page, PORTRAIT)
    wait_for_faces(page, 1)  # so all that this needs of Gradio, which loads parts of itself late, is there
    with own_server.away():
        upload(page, PORTRAIT)
        wait_for_status(page, "does not answer")
    upload(page, PORTRAIT)
    wait_for_faces(page, 1)
    assert own_server.files() == []
