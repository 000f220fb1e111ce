import base64
from typing import Any

import cv2
import numpy as np
import pytest

from .conftest import PORTRAIT, Server, assert_ticks_agree


def frames(page: Any) -> int:
    return int(page.get_attribute("#live", "data-frame"))


def wait_for_frames(page: Any, count: int) -> None:
    page.wait_for_function(f"Number(document.querySelector('#live').dataset.frame) >= {count}")


def wait_for_status(page: Any, text: str) -> None:
    page.locator("#live .status", has_text=text).wait_for()


def filmed(*pictures: np.ndarray) -> str:
    """A script that puts still pictures (BGR, one size) in place of the camera; `window.filmed` chooses."""
    data = [base64.b64encode(cv2.imencode(".jpg", picture)[1].tobytes()).decode() for picture in pictures]
    return f"""
        window.filmed = 0;
        const stills = {data}.map((data) => Object.assign(new Image(), {{src: "data:image/jpeg;base64," + data}}));
        navigator.mediaDevices.getUserMedia = async () => {{
          await Promise.all(stills.map((still) => still.decode()));
          const canvas = document.createElement("canvas");
          [canvas.width, canvas.height] = [stills[0].width, stills[0].height];
          setInterval(() => canvas.getContext("2d").drawImage(stills[window.filmed], 0, 0), 50);
          return canvas.captureStream(20);
        }};
    """


def test_the_camera_starts_only_when_asked(server: Server, open_page: Any) -> None:
    page = open_page(server)
    assert page.is_visible("#live-start")
    assert page.is_visible("#photo-choose")
    page.wait_for_timeout(500)
    assert page.evaluate("window.watched.tracks.length") == 0
    assert frames(page) == 0


def test_boxes_tick_for_the_face_before_the_camera(server: Server, open_page: Any) -> None:
    page = open_page(server)
    page.click("#live-start")
    wait_for_frames(page, 5)
    assert page.get_attribute("#live", "data-faces") == "1"
    assert_ticks_agree(page, "live")
    assert float(page.get_attribute("#live", "data-latency-ms")) > 0
    before = frames(page)
    wait_for_frames(page, before + 5)


def test_one_encoding_for_each_frame_and_none_besides(server: Server, open_page: Any) -> None:
    page = open_page(server)
    page.click("#live-start")
    wait_for_frames(page, 10)
    page.click("#live-stop")
    painted = frames(page)
    encoded = page.evaluate("window.watched.encodings")
    assert painted <= encoded <= painted + 1  # the last one may have been in flight when the camera was stopped
    page.wait_for_timeout(500)
    assert frames(page) == painted
    assert page.evaluate("window.watched.encodings") == encoded


def test_stop_releases_the_camera_and_start_takes_it_again(server: Server, open_page: Any) -> None:
    page = open_page(server)
    page.click("#live-start")
    wait_for_frames(page, 2)
    page.click("#live-stop")
    assert page.evaluate("window.watched.tracks.map(track => track.readyState)") == ["ended"]
    assert page.get_attribute("#live", "data-faces") == "0"
    before = frames(page)
    page.click("#live-start")
    wait_for_frames(page, before + 2)


def test_a_picture_without_a_face_is_counted_and_said(server: Server, open_page: Any) -> None:
    page = open_page(server, filmed(np.full((240, 320, 3), 120, np.uint8)))
    page.click("#live-start")
    wait_for_frames(page, 3)
    wait_for_status(page, "No face")
    assert page.get_attribute("#live", "data-faces") == "0"
    assert page.locator("#live input:checked").count() == 0


def test_one_of_two_faces_is_chosen_by_button_and_by_its_box(server: Server, open_page: Any) -> None:
    portrait = cv2.imread(str(PORTRAIT))
    page = open_page(server, filmed(np.hstack((portrait, portrait))))
    page.click("#live-start")
    page.wait_for_selector("#live[data-faces='2']")
    page.click("#live [data-face='2']")
    wait_for_frames(page, frames(page) + 3)
    assert page.get_attribute("#live [data-face='2']", "aria-pressed") == "true"
    assert_ticks_agree(page, "live")
    # Face 1 is the left one of the picture, and the view is a mirror.
    area = page.locator("#live canvas").bounding_box()
    page.mouse.click(area["x"] + area["width"] * 0.75, area["y"] + area["height"] * 0.32)
    wait_for_frames(page, frames(page) + 3)
    assert page.get_attribute("#live [data-face='1']", "aria-pressed") == "true"


def test_the_choice_stays_with_its_face_when_another_one_appears(server: Server, open_page: Any) -> None:
    portrait = cv2.imread(str(PORTRAIT))
    page = open_page(server, filmed(np.hstack((np.full_like(portrait, 90), portrait)), np.hstack((portrait, portrait))))
    page.click("#live-start")
    page.wait_for_selector("#live[data-faces='1']")
    page.evaluate("window.filmed = 1")
    page.wait_for_selector("#live[data-faces='2']")
    assert page.get_attribute("#live [data-face='2']", "aria-pressed") == "true"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("Object.defineProperty(navigator, 'mediaDevices', {value: undefined})", "https"),
        (
            "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotAllowedError') }",
            "Allow",
        ),
        (
            "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotFoundError') }",
            "No camera",
        ),
    ],
)
def test_a_camera_that_cannot_be_had_is_explained(server: Server, open_page: Any, script: str, message: str) -> None:
    page = open_page(server, script)
    page.click("#live-start")
    wait_for_status(page, message)
    assert page.is_enabled("#live-start")


def test_a_camera_that_is_unplugged_is_said_and_can_be_started_again(server: Server, open_page: Any) -> None:
    page = open_page(server)
    page.click("#live-start")
    wait_for_frames(page, 2)
    page.evaluate("window.watched.tracks[0].dispatchEvent(new Event('ended'))")
    wait_for_status(page, "disconnected")
    before = frames(page)
    page.click("#live-start")
    wait_for_frames(page, before + 2)


def test_a_click_does_not_change_a_box(server: Server, open_page: Any) -> None:
    page = open_page(server)
    page.check("#live [data-attribute='Smiling']", force=True, trial=True)
    page.click("#live [data-attribute='Smiling']", force=True)
    page.click("#live label[for='live-Smiling']")
    assert not page.is_checked("#live [data-attribute='Smiling']")


def test_live_goes_on_by_itself_after_the_server_was_away(own_server: Server, open_page: Any) -> None:
    page = open_page(own_server)
    page.click("#live-start")
    wait_for_frames(page, 2)
    own_server.stop()
    wait_for_status(page, "does not answer")
    before = frames(page)
    own_server.start()
    wait_for_frames(page, before + 3)
    wait_for_status(page, "One face")
