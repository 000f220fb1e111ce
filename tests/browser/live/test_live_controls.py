"""The buttons and keys of live mode, with a server that always gives the same answer."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.conftest import (
    Server,
    boxes,
    frames,
    let_camera_frames_pass,
    opener,
    start_live,
    wait_for_answers,
    wait_for_live_status,
    wait_for_more,
)
from tests.browser.films import answered, face, overtaken

# Their boxes, as shares of the picture's width and height; the mirror shows the first one at the right.
FACES = [face(1, 40, 0.9), face(2, 340, 0.2)]
TWO = answered(*FACES)
PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="
CAMERAS = """
    navigator.mediaDevices.enumerateDevices = async () =>
      ["Front", "Rear"].map((label) => ({kind: "videoinput", label, deviceId: label}));
    const asked = navigator.mediaDevices.getUserMedia;
    window.wanted = [];
    navigator.mediaDevices.getUserMedia = async (wanted) => {
      window.wanted.push(wanted.video.deviceId?.exact ?? wanted.video.facingMode);
      const stream = await asked.call(navigator.mediaDevices, {video: true});
      const name = wanted.video.deviceId?.exact ?? "Front";
      stream.getVideoTracks()[0].getSettings = () =>
        ({deviceId: name, facingMode: name === "Rear" ? "environment" : "user"});
      return stream;
    };
"""


@pytest.fixture(scope="module")
def started(server: Server, browser: Any) -> Iterator[Any]:
    """A page in live mode, for the tests that leave it as they found it."""
    for open_at in opener(browser):
        page = open_at(server, TWO)
        start_live(page)
        yield page


@pytest.fixture
def page(started: Any) -> Any:
    """That page, which sees the two faces and has the first one chosen."""
    if started.get_attribute("#live [data-do='freeze']", "aria-pressed") == "true":  # a test has failed
        started.click("#live [data-do='freeze']")
    see(started, *FACES)
    started.wait_for_selector("#live [data-face='2']")
    started.click("#live [data-face='1']")
    return started


def see(page: Any, *faces: dict[str, Any]) -> None:
    """Have the server see these faces from now on."""
    page.evaluate("(faces) => { window.faces = faces; }", faces)


def point_at(page: Any, x: float, y: float = 0.43) -> tuple[float, float]:
    """Where on the page a place in the picture is; the place is in shares of its width and height."""
    area = page.locator("#live .stage > canvas").bounding_box()
    width = min(area["width"], area["height"] * 4 / 3)
    height = width * 3 / 4
    left, top = area["x"] + (area["width"] - width) / 2, area["y"] + (area["height"] - height) / 2
    return left + x * width, top + y * height


def chosen(page: Any) -> list[str]:
    return page.eval_on_selector_all(
        "#live [data-face][aria-pressed='true']", "all => all.map(button => button.dataset.face)"
    )


def wait_until_chosen(page: Any, number: int) -> None:
    page.wait_for_selector(f"#live [data-face='{number}'][aria-pressed='true']")
    wait_for_more(page)
    assert len(chosen(page)) == 1
    # The first of these two surely has every attribute, and the second has none.
    assert any(ticked for ticked, _ in boxes(page, "live").values()) == (number == 1)


@pytest.mark.parametrize("way", ["button", "tap", "key"])
def test_a_face_is_chosen(page: Any, way: str) -> None:
    for number in (2, 1):
        x = {1: 1 - 85 / 480, 2: 1 - 385 / 480}[number]
        if way == "button":
            page.click(f"#live [data-face='{number}']")
        elif way == "tap":
            page.mouse.click(*point_at(page, x))
        else:
            page.keyboard.press(str(number))
        wait_until_chosen(page, number)


def test_pointing_at_a_face_does_not_choose_it(page: Any) -> None:
    page.click("#live [data-face='2']")
    wait_until_chosen(page, 2)
    page.mouse.move(*point_at(page, 1 - 85 / 480))
    page.wait_for_function("document.querySelector('#live canvas').style.cursor === 'pointer'")
    wait_until_chosen(page, 2)


def test_the_chosen_face_stays_chosen_while_it_is_there(page: Any) -> None:
    page.click("#live [data-face='2']")
    page.focus("#live [data-face='2']")
    page.evaluate("window.faces = [...window.faces, {...window.faces[0], number: 3, box: [150, 50, 200, 300]}]")
    page.wait_for_selector("#live [data-face='3']")
    page.wait_for_selector("#live [data-face='2']:focus")
    assert chosen(page) == ["2"]
    page.evaluate("window.faces = window.faces.filter(face => face.number !== 2)")
    page.wait_for_selector("#live [data-face='3'][aria-pressed='true']")  # the largest of those that are left
    assert page.locator("#live [data-face='2']").count() == 0


def test_the_mirror_turns_the_picture_and_the_boxes_with_it_and_is_remembered(server: Server, open_page: Any) -> None:
    page = open_page(server, TWO)
    start_live(page)
    page.mouse.click(*point_at(page, 1 - 385 / 480))
    wait_until_chosen(page, 2)
    page.click("#live [data-do='mirror']")
    assert page.get_attribute("#live [data-do='mirror']", "aria-pressed") == "false"
    page.mouse.click(*point_at(page, 85 / 480))
    wait_until_chosen(page, 1)
    page.mouse.click(*point_at(page, 385 / 480))
    wait_until_chosen(page, 2)
    page.reload()
    start_live(page)
    assert page.get_attribute("#live [data-do='mirror']", "aria-pressed") == "false"


def test_a_frozen_picture_stays_and_nothing_is_sent(page: Any) -> None:
    page.click("#live [data-do='freeze']")
    wait_for_live_status(page, "Frozen")
    wait_for_answers(page)
    sent, painted = page.evaluate("window.messages.length"), frames(page)
    let_camera_frames_pass(page)
    assert (page.evaluate("window.messages.length"), frames(page)) == (sent, painted)
    page.click("#live [data-face='2']")
    assert {ticked for ticked, _ in boxes(page, "live").values()} == {False}
    page.click("#live [data-do='freeze']")
    wait_for_more(page)
    wait_for_live_status(page, "2 faces")


# Presses a button, and resolves once the status line has told what it did and then says again what it said before.
TOLD_FOR_A_WHILE = """(button) => new Promise((done) => {
  const line = document.querySelector("#live .status");
  const [before, told] = [line.textContent, []];
  new MutationObserver(() => {
    if (line.textContent !== before) told.push(line.textContent);
    else if (told.length) done(told);
  }).observe(line, {childList: true, characterData: true, subtree: true});
  button.click();
})"""


def test_why_the_picture_stands_still_is_said_again_after_a_notice(page: Any) -> None:
    page.click("#live [data-do='freeze']")
    wait_for_live_status(page, "Frozen")
    told = page.eval_on_selector("#live [data-do=save]", TOLD_FOR_A_WHILE)
    assert set(told) == {"Saved as slimnet-faces-live.png. Saving it sent nothing."}
    page.click("#live [data-do='freeze']")
    wait_for_live_status(page, "2 faces")


def test_another_faces_crop_is_not_shown_for_the_chosen_one(page: Any) -> None:
    see(page, FACES[0] | {"crop": PIXEL}, FACES[1])
    page.wait_for_selector("#live .crop:visible")
    page.click("#live [data-do='freeze']")
    wait_for_live_status(page, "Frozen")
    wait_for_answers(page)
    page.click("#live [data-face='2']")
    assert page.is_hidden("#live .crop")
    page.click("#live [data-do='freeze']")
    wait_for_more(page)
    page.click("#live [data-face='1']")
    page.wait_for_selector("#live .crop:visible")


def test_the_attributes_are_the_chosen_faces_even_if_no_answer_comes(page: Any) -> None:
    # Within one task, in which no answer can arrive.
    before, after = page.evaluate(
        """() => {
            const probability = () => document.querySelector("#live [data-attribute]").dataset.probability;
            const before = probability();
            document.querySelector("#live [data-face='2']").click();
            return [before, probability()];
        }"""
    )
    assert (float(before), float(after)) == (0.9, 0.2)


def test_a_face_is_chosen_while_the_camera_gives_no_picture(server: Server, open_page: Any) -> None:
    page = open_page(server, TWO)
    start_live(page)
    page.wait_for_selector("#live [data-attribute]:checked")
    page.evaluate("window.watched.tracks[0].stop()")
    page.evaluate("navigator.mediaDevices.enumerateDevices = async () => []; 0")
    page.evaluate("window.watched.tracks[0].dispatchEvent(new Event('ended'))")
    wait_for_live_status(page, "disconnected")
    wait_for_answers(page)
    page.click("#live [data-face='2']")
    assert {ticked for ticked, _ in boxes(page, "live").values()} == {False}


def test_keys_do_what_the_buttons_do_but_not_while_somebody_types(server: Server, open_page: Any) -> None:
    page = open_page(server, TWO)
    page.focus("#live-start")
    page.keyboard.press("s")
    page.wait_for_selector("#live[data-state='on']")
    page.keyboard.press("p")
    wait_for_live_status(page, "Frozen")
    page.click("#live .stage > canvas", position={"x": 5, "y": 5})  # the picture then has the focus
    page.keyboard.press("p")
    page.keyboard.press("m")
    page.wait_for_selector("#live [data-do='mirror'][aria-pressed='false']")
    page.keyboard.press("?")
    page.wait_for_selector("#live .keys:visible")
    page.keyboard.press("Escape")
    page.wait_for_selector("#live .keys", state="hidden")
    page.focus("#live input[type=search]")
    page.keyboard.type("smps")
    assert page.input_value("#live input[type=search]") == "smps"
    page.wait_for_selector("#live [data-do='mirror'][aria-pressed='false']")
    page.focus("#live-stop")
    page.keyboard.press("Control+s")
    wait_for_more(page)
    page.keyboard.press("s")
    page.wait_for_selector("#live[data-state='off']")


def test_full_screen_and_back(page: Any) -> None:
    page.click("#live [data-do='fullScreen']")
    page.wait_for_selector("#live [data-do='fullScreen'][aria-pressed='true']")
    assert page.evaluate("document.fullscreenElement.id") == "live"
    page.click("#live [data-do='fullScreen']")
    page.wait_for_selector("#live [data-do='fullScreen'][aria-pressed='false']")


def test_full_screen_hides_neither_class_mode_nor_a_photo(server: Server, open_page: Any) -> None:
    page = open_page(server, TWO + """localStorage.setItem("slimnet-faces", '{"shortcuts": true}');""")
    start_live(page)
    page.click("#live [data-do=class]")
    page.keyboard.press("f")
    page.evaluate("new Promise(requestAnimationFrame)")
    assert page.evaluate("document.fullscreenElement") is None
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    page.wait_for_selector("#live [data-do='fullScreen'][aria-pressed='true']")
    page.evaluate("document.querySelector('#photo-tab').click()")  # as a photo that is pasted does
    page.wait_for_function("document.fullscreenElement === null")
    assert page.is_visible("#photo")


def test_another_camera_is_picked_and_remembered(server: Server, open_page: Any) -> None:
    page = open_page(server, TWO + CAMERAS)
    start_live(page)
    assert page.evaluate("window.wanted") == ["user"]
    assert page.get_attribute("#live [data-do='mirror']", "aria-pressed") == "true"
    page.select_option("#live .picker select", label="Rear")
    wait_for_more(page)
    assert page.evaluate("window.wanted") == ["user", "Rear"]
    assert page.evaluate("window.watched.tracks.map(track => track.readyState)") == ["ended", "live"]
    assert page.get_attribute("#live [data-do='mirror']", "aria-pressed") == "false"  # a rear camera needs no mirror
    page.keyboard.press("Escape")
    page.focus("#live-stop")
    page.keyboard.press("c")
    page.wait_for_function("window.wanted.length === 3")
    page.reload()
    start_live(page)
    assert page.evaluate("window.wanted") == ["Front"]


@pytest.mark.parametrize("late", [0, 500])
def test_of_two_cameras_picked_at_once_the_later_one_is_shown(server: Server, open_page: Any, late: int) -> None:
    page = open_page(server, TWO + CAMERAS + overtaken(2, late))
    start_live(page)
    page.evaluate(
        """for (const name of ["Rear", "Front"]) {
            const picker = document.querySelector("#live .picker select");
            picker.value = name;
            picker.dispatchEvent(new Event("change"));
        }"""
    )
    page.wait_for_function("window.wanted.length === 3")
    states = "window.watched.tracks.map(track => track.readyState).join()"
    page.wait_for_function(f"{states} === 'ended,ended,live'")  # the overtaken one has arrived, and was closed
    wait_for_more(page)
    wait_for_live_status(page, "2 faces")
    assert page.evaluate("window.wanted") == ["user", "Rear", "Front"]
    assert page.evaluate("window.watched.tracks.map(track => track.readyState)") == ["ended", "ended", "live"]
    assert page.input_value("#live .picker select") == "Front"


def test_without_a_second_camera_there_is_nothing_to_pick(page: Any) -> None:
    wait_for_more(page)
    assert page.is_hidden("#live .picker")


@pytest.mark.parametrize(
    ("warning", "advice"),
    [("small", "come closer"), ("turned", "towards the camera"), ("blurred", "hold still"), ("dark", "light")],
)
def test_a_face_with_a_warning_is_greyed_out_with_the_reason(page: Any, warning: str, advice: str) -> None:
    see(page, face(1, 200, warnings=[warning]))
    wait_for_live_status(page, advice)
    page.wait_for_selector("#live .attributes.greyed")
    page.evaluate("window.faces[0].warnings = []")
    wait_for_live_status(page, "One face")
    page.wait_for_selector("#live .attributes:not(.greyed)")


def test_a_click_does_not_change_a_box(server: Server, open_page: Any) -> None:
    page = open_page(server)
    page.check("#live [data-attribute='Smiling']", force=True, trial=True)
    page.click("#live [data-attribute='Smiling']", force=True)
    page.click("#live label[for='live-Smiling']")
    assert not page.is_checked("#live [data-attribute='Smiling']")
