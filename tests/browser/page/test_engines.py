"""The switch between the server and this device, with a stand-in for what reads faces in the browser."""

import json
from typing import Any

import pytest

from demo.paths import NPM_PACKAGES
from tests.browser.conftest import (
    Server,
    let_camera_frames_pass,
    missing,
    start_live,
    wait_for_live_status,
    wait_for_more,
)
from tests.browser.films import answered, face
from tests.paths import ROOT

STAND_IN = (ROOT / "tests" / "fakes" / "device_engine.js").read_text(encoding="utf-8")
BY_SERVER, BY_DEVICE = face(1, 200), face(1, 200, 0.2)
SCRIPT = answered(BY_SERVER) + f"window.device = {{faces: {json.dumps([BY_DEVICE])}}};"


@pytest.fixture
def page(server: Server, open_page: Any) -> Any:
    if not (NPM_PACKAGES / "onnxruntime-web").exists():
        missing("npm's packages (npm ci)")
    page = open_page(server, SCRIPT)
    page.context.route(
        "**/device/engine.js", lambda route: route.fulfill(body=STAND_IN, content_type="text/javascript")
    )
    return page


def choose(page: Any, engine: str) -> None:
    page.check(f"#live .engine input[value={engine}]", force=True)


def wait_for_engine(page: Any, engine: str, state: str = "ready") -> None:
    page.wait_for_selector(f"#live[data-engine={engine}][data-engine-state={state}]")


def probabilities(page: Any) -> set[str | None]:
    return set(page.eval_on_selector_all("#live [data-attribute]", "all => all.map((b) => b.dataset.probability)"))


def sent(page: Any) -> int:
    """Frames that the server was given."""
    return page.evaluate("window.messages.filter(({leave}) => !leave).length")


def test_frames_stay_on_the_device_from_the_switch_on(page: Any) -> None:
    wait_for_engine(page, "server")
    assert page.evaluate("crossOriginIsolated")  # which threads need
    assert probabilities(page) == {None}
    start_live(page)
    assert probabilities(page) == {"0.9"}

    page.evaluate("() => { window.device.wait = new Promise((go) => { window.go = go; }); }")
    choose(page, "device")
    wait_for_engine(page, "device", "loading")
    wait_for_live_status(page, "Loading onto this device")
    page.locator("#live .amount", has_text="4 of 16 MB").wait_for()
    before = sent(page)
    let_camera_frames_pass(page)
    assert sent(page) == before

    page.evaluate("window.go()")
    wait_for_engine(page, "device")
    wait_for_more(page)
    assert probabilities(page) == {"0.2"}
    assert sent(page) == before
    assert page.inner_text("#live .sent") == "0 bytes sent"
    assert page.get_attribute("#live", "data-sent-width") is None
    assert page.evaluate("new Set(window.device.asked.map(({size, visitor}) => `${size} ${visitor}`)).size") == 1

    page.click("#live [data-do=compare]")  # which says that it sends a picture
    page.locator("#live .comparison", has_text="at most 0.70000, on average by 0.70000").wait_for()
    assert sent(page) == before + 1
    assert int(page.get_attribute("#live .sent", "data-bytes")) > page.evaluate("window.messages.at(-1).size")

    choose(page, "server")
    wait_for_more(page)
    assert probabilities(page) == {"0.9"}
    assert not page.is_visible("#live .sent")
    page.click("#live-stop")
    assert probabilities(page) == {None}


def test_what_fails_is_told_and_the_server_takes_over_only_when_asked(page: Any) -> None:
    page.evaluate("window.device.problem = 'No WebAssembly.'")
    start_live(page)
    page.evaluate("location.hash = 'engine=device'")
    wait_for_engine(page, "device", "failed")
    wait_for_live_status(page, "No WebAssembly.")
    before = sent(page)
    let_camera_frames_pass(page)
    assert sent(page) == before
    page.click("#live .engine-problem button")
    wait_for_engine(page, "server")
    wait_for_more(page)
    assert page.evaluate("location.hash") == "#engine=server"
    assert not page.is_visible("#live .engine-problem")


def test_the_choice_is_kept_for_the_next_visit(page: Any) -> None:
    choose(page, "device")
    wait_for_engine(page, "device")
    assert page.is_visible("text=Video frames stay on this device")
    page.reload()
    wait_for_engine(page, "device")
    start_live(page)
    assert probabilities(page) == {"0.2"}
    assert sent(page) == 0
