"""A real page in headless Chromium, with a camera that films the example portrait."""

import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import MappingProxyType
from typing import Any, NoReturn

import cv2
import numpy as np
import pytest

import tests.missing
from demo.benchmark.browser import ChromiumMissingError, launch, portrait_frames, write_film
from demo.benchmark.server import PageServer
from demo.pictures.decode import open_picture
from slimnet import SlimNet
from tests.paths import PORTRAIT

OPERATOR = "Museum <b>of</b> \"Hats\" & 'Caps' ${1 + 1} `x` {{y}} \\u0041"
ODD_NAME = "${document.title = 'taken over'}"
# Notes what the page asks of the browser; it runs before the page's own scripts.
WATCH = """
    window.watched = {encodings: 0, tracks: []};
    for (const [owner, name] of [[HTMLCanvasElement, "toDataURL"], [HTMLCanvasElement, "toBlob"],
                                 [OffscreenCanvas, "convertToBlob"]]) {
      const original = owner.prototype[name];
      owner.prototype[name] = function (...rest) { window.watched.encodings++; return original.apply(this, rest); };
    }
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wanted) => {
      const stream = await open(wanted);
      window.watched.tracks.push(...stream.getTracks());
      return stream;
    };
"""


def missing(what: str) -> NoReturn:
    """Skip a test; fail it in CI."""
    tests.missing.missing(f"browser tests need {what}")


class Server(PageServer):
    """`python app.py` on the CPU."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("app.py", "--device", "cpu"), folder)

    def files(self) -> list[Path]:
        """The files in Gradio's folder for uploads and caches."""
        return [path for path in self.uploads.rglob("*") if path.is_file()]

    @contextmanager
    def away(self) -> Iterator[None]:
        """The server is killed, and serves again at the end, also for the tests that come after a failed one."""
        self.stop(signal.SIGKILL)
        try:
            yield
        finally:
            self.start()


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Iterator[Server]:  # noqa: ARG001 (skip first)
    with Server(tmp_path_factory.mktemp("page")) as server:
        yield server


@pytest.fixture(scope="package")
def own_server(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Iterator[Server]:  # noqa: ARG001 (skip first)
    """For the tests that kill it: pages of the other server must not notice."""
    with Server(tmp_path_factory.mktemp("own_page")) as server:
        yield server


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of another site on this machine."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "index.html").write_text("<title>Another site</title><p>Hello</p>")
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as host:
        Thread(target=host.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{host.server_port}/"
        host.shutdown()


@pytest.fixture(scope="package")
def operated(site: str, tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Iterator[PageServer]:  # noqa: ARG001
    """A page with an operator, with weights for other attributes, and which the other site may frame."""
    folder = tmp_path_factory.mktemp("operated")
    weights = folder / "weights.safetensors"
    SlimNet((4, 4), (8, 7, 2), 2, attributes=["Smoking", ODD_NAME]).save(weights)
    options = ("--weights", str(weights), "--operator", OPERATOR, "--frame_ancestors", site)
    with PageServer(("app.py", "--device", "cpu", *options), folder / "page") as server:
        yield server


@pytest.fixture(scope="package")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of the portrait, moving from side to side."""
    path = tmp_path_factory.mktemp("camera") / "portrait.y4m"
    write_film(path, portrait_frames(open_picture(PORTRAIT)))
    return path


# Not for the whole session: while playwright runs, no other test can run its own event loop.
@pytest.fixture(scope="package")
def driver() -> Iterator[Any]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("the package playwright")
    with sync_playwright() as playwright:
        yield playwright


def launched(driver: Any, cameras: Path | int) -> Iterator[Any]:
    try:
        browser = launch(driver, cameras)
    except ChromiumMissingError as error:
        missing(f"Chromium: {error}")
    yield browser
    browser.close()


@pytest.fixture(scope="package")
def browser(driver: Any, camera: Path) -> Iterator[Any]:
    yield from launched(driver, camera)


@pytest.fixture(scope="package")
def profile(browser: Any) -> Iterator[Any]:
    yield from profile_of(browser)


def profile_of(browser: Any) -> Iterator[Any]:
    """A context that tests use one after the other, so that the browser has Gradio's scripts already."""
    context = browser.new_context(permissions=["camera"], ignore_https_errors=True)
    yield context
    context.close()


def forget(profile: Any, page: Any, address: str) -> None:
    """Delete what earlier tests have left at an address, except in the HTTP cache."""
    session = profile.new_cdp_session(page)
    session.send("Storage.clearDataForOrigin", {"origin": address.rstrip("/"), "storageTypes": "all"})
    session.detach()


def leave(profile: Any) -> None:
    """Close the pages of a test, also those that it opened itself, and take back what it changed."""
    for page in profile.pages:
        page.close()
    profile.set_offline(False)
    profile.clear_permissions()
    profile.grant_permissions(["camera"])


@pytest.fixture
def open_page(browser: Any, profile: Any) -> Iterator[Any]:
    """Opens the page of a server; fails at the end if it has met an error or asked another host for anything."""
    yield from opener(browser, profile)


@pytest.fixture
def unwatched(server: Server, profile: Any) -> Iterator[Any]:
    """A blank page that may use the camera, for what goes wrong on purpose."""
    page = profile.new_page()
    page.set_default_timeout(60_000)
    forget(profile, page, server.url)
    yield page
    leave(profile)


def opener(browser: Any, profile: Any = None) -> Iterator[Any]:
    """Opens pages, each in a context of its own, except the first one of a test if it needs nothing but the profile."""
    contexts, troubles = [], []
    pages: list[Any] = []

    def open_at(
        server: Server, script: str = "", modules: Mapping[str, str] = MappingProxyType({}), **options: Any
    ) -> Any:
        """Modules: path in demo/browser -> content to use instead of that file's."""
        if profile and not pages and not modules and not options:
            page = profile.new_page()
            forget(profile, page, server.url)
        else:
            context = browser.new_context(permissions=["camera"], ignore_https_errors=True, **options)
            contexts.append(context)
            for name, text in modules.items():
                context.route(f"**/{name}", partial(answer_with, text=text))
            page = context.new_page()
        pages.append(page)
        page.set_default_timeout(60_000)
        page.add_init_script(WATCH + script)
        page.on("pageerror", lambda error: troubles.append(f"error on the page: {error}"))
        page.on("console", lambda message: note_refusal(message.text))
        page.on("request", lambda request: note_request(server, request.url))
        page.goto(server.url)
        page.wait_for_selector("#live:not([inert]) #live-start")
        page.wait_for_selector("#photo:not([inert])", state="attached")
        page.wait_for_selector("[role=tablist]:not([inert])")
        return page

    def answer_with(route: Any, text: str) -> None:
        route.fulfill(body=text, content_type="text/javascript")

    def note_refusal(text: str) -> None:
        if "Content Security Policy" in text or "Permissions policy" in text:
            troubles.append(f"refused by the browser: {text}")

    def note_request(server: Server, url: str) -> None:
        if not url.startswith((server.url, "data:", "blob:")):
            troubles.append(f"request to another host: {url}")

    yield open_at
    for context in contexts:
        context.close()
    if profile:
        leave(profile)
    assert not troubles


@pytest.fixture
def two_faces(tmp_path: Path) -> Path:
    """A picture file."""
    portrait = cv2.imread(str(PORTRAIT))
    assert portrait is not None
    path = tmp_path / "two faces.png"
    cv2.imwrite(str(path), np.hstack((portrait, cv2.resize(portrait[:, ::-1], None, fx=0.8, fy=1))))
    return path


def replaced(text: str, old: str, new: str) -> str:
    """`text` with something in place of what it must have."""
    assert old in text
    return text.replace(old, new)


def boxes(page: Any, panel: str) -> dict[str, tuple[bool, int]]:
    """Attribute -> whether its box is ticked, and the percentage beside it."""
    found = page.eval_on_selector_all(
        f"#{panel} input[type=checkbox][data-attribute]",
        "all => all.map(box => [box.dataset.attribute, box.checked, "
        "parseInt(box.parentElement.querySelector('.percent').textContent)])",
    )
    return {name: (ticked, percent) for name, ticked, percent in found}


def assert_ticks_agree(page: Any, panel: str) -> None:
    """There are 40 boxes: each is empty below its lower cut, ticked above its upper one, and not sure in between.

    A box above its upper cut may also be not sure if another box excludes it. Cuts and probabilities are whole percent.
    """
    found = page.eval_on_selector_all(
        f"#{panel} input[type=checkbox][data-attribute]",
        """all => all.map((box) => {
            const row = box.closest("li");
            const cut = (name) => parseFloat(row.style.getPropertyValue(name));
            const percent = parseInt(row.querySelector(".percent").textContent);
            return [box.indeterminate ? null : box.checked, percent, cut("--lower"), cut("--upper")];
        })""",
    )
    assert len(found) == 40
    for tick, percent, lower, upper in found:
        assert 0 <= percent <= 100
        if percent < lower - 0.5:
            assert tick is False
        elif percent > upper + 0.5:
            assert tick is not False if lower < upper else tick is not None and tick
        elif lower + 0.5 < percent < upper - 0.5:
            assert tick is None


def frames(page: Any) -> int:
    """How many frames live mode has painted."""
    return int(page.get_attribute("#live", "data-frame"))


def wait_for_frames(page: Any, count: int) -> None:
    page.wait_for_function(f"Number(document.querySelector('#live').dataset.frame) >= {count}")


def wait_for_more(page: Any, count: int = 3) -> None:
    """Wait until frames have been painted that the camera has not yet taken."""
    wait_for_frames(page, frames(page) + count)


def wait_for_answers(page: Any) -> None:
    """Wait until each frame that was sent to `films.answered` has been painted."""
    page.wait_for_function(
        "window.messages.filter(({leave}) => !leave).length === Number(document.querySelector('#live').dataset.frame)"
    )


def let_camera_frames_pass(page: Any, count: int = 10) -> None:
    """Wait until the camera has given more frames, so that live mode would have sent some."""
    page.evaluate(
        """(count) => new Promise((resolve) => {
            const video = document.querySelector("#live video");
            const next = () => (count-- > 0 ? video.requestVideoFrameCallback(next) : resolve());
            next();
        })""",
        count,
    )


def wait_for_live_status(page: Any, text: str) -> None:
    page.locator("#live .status", has_text=text).wait_for()


def choose_panel(page: Any, panel: str) -> None:
    """Show the live or the photo panel."""
    page.click(f"[data-panel={panel}]")


def start_live(page: Any) -> None:
    choose_panel(page, "live")
    page.click("#live-start")
    wait_for_more(page, 2)
