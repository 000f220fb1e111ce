"""The page without a server, from a plain file host, with a stand-in for the engine."""

import csv
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from demo.publish import static
from demo.publish.static import write_folder
from tests.browser.conftest import replaced
from tests.browser.device.stand_in import ENGINE, SCRIPT, let_load

# On the first visit loading waits, then fails.
FIRST_VISIT = """
    if (!sessionStorage.visited) {
      window.device.wait = new Promise((go) => { window.go = go; });
      window.device.problem = "Kein Netz.";
    }
    sessionStorage.visited = true;
"""


class QuietFiles(SimpleHTTPRequestHandler):
    """Serves files, and notes which were asked for past the browser's own cache."""

    fresh: ClassVar[set[str]] = set()

    def do_GET(self) -> None:
        if self.headers.get("Cache-Control") in {"no-cache", "max-age=0"}:
            self.fresh.add(self.path)
        super().do_GET()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    monkeypatch.setattr(static, "device_files", lambda _: {"files.json": b"{}"})
    write_folder(tmp_path / "site", static.WEIGHTS)
    (tmp_path / "site" / "scripts" / "device" / "engine.js").write_text(ENGINE, encoding="utf-8")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietFiles, directory=str(tmp_path / "site")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.server_close()


def photo_waits_until_loading_succeeds(page: Any) -> None:
    page.click("#photo-tab")
    assert page.is_visible("text=Fotos bleiben auf diesem Gerät")
    page.click("[data-example='eileen_collins.jpg']")
    page.locator("#photo .status", has_text="Wird auf dieses Gerät geladen").wait_for()
    page.locator("#photo .amount", has_text="25\u2009%").wait_for()
    let_load(page)
    page.locator("#photo .engine-problem", has_text="Kein Netz.").wait_for()
    page.locator("#photo .status", has_text="Noch nicht gelesen").wait_for()
    assert not page.is_visible("#photo [data-do=use-server]")  # there is none
    page.evaluate("window.device.problem = ''")
    page.click("#photo .engine-problem :text('Erneut versuchen')")
    page.wait_for_selector("#photo[data-faces='1'] [data-probability='0.2']")


def wait_for_reason(page: Any, panel: str) -> None:
    page.locator(f"#{panel} .why .where", has_text="+2,6").wait_for()


def recorded_reason(page: Any) -> list[str]:
    """The columns about why in a recording, from the last frame that has a map."""
    page.click("#live [data-do=record]")
    asked = page.evaluate("window.device.asked.length")
    page.wait_for_function("from => window.device.asked.slice(from).filter(({why}) => why).length > 1", arg=asked)
    page.click("#live [data-do=record]")
    with page.expect_download() as download:
        page.click("#live [data-save=csv]")
    _, *rows = csv.reader(Path(download.value.path()).read_text(encoding="utf-8").splitlines())
    return [row[-4:] for row in rows if row[-1]][-1]


def test_it_reads_frames_and_photos_and_goes_on_without_a_network(browser: Any, host: ThreadingHTTPServer) -> None:
    context = browser.new_context(permissions=["camera"], locale="de")
    page = context.new_page()
    page.set_default_timeout(60_000)
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: troubles.append(message.text) if "Policy" in message.text else None)
    page.add_init_script(SCRIPT + FIRST_VISIT)
    try:
        page.goto(f"http://127.0.0.1:{host.server_address[1]}/")
        page.wait_for_selector("#live:not([inert])[data-engine=device][data-engine-state=loading]")
        photo_waits_until_loading_succeeds(page)
        page.click("#live-tab")
        page.click("#live-start:has-text('Kamera starten')")
        page.wait_for_selector("#live[data-faces='1'] [data-probability='0.2']")
        assert not page.is_visible("#live .engine fieldset")  # there is nothing to choose
        page.click("#live label[for=live-Smiling]")
        wait_for_reason(page, "live")
        assert {"face": 1, "attribute": "Smiling"} in page.evaluate("window.device.asked.map(({why}) => why)")
        assert recorded_reason(page) == ["Smiling", "0.2", "0.4", "2.6"]  # hair, eyes, mouth

        page.click("#photo-tab")
        page.click("#photo-another")
        page.click("[data-example='two_portraits.jpg']")
        page.wait_for_selector("#photo[data-faces='1'] [data-download=json][download^=two_portraits]")
        page.click("#photo label[for=photo-Smiling]")
        wait_for_reason(page, "photo")
        assert page.evaluate("window.device.asked.at(-1).why") == {"face": 1}  # all attributes at once
        page.evaluate("delete window.device.faces[0].why")
        page.dispatch_event("[data-example='eileen_collins.jpg']", "click")  # hidden by now
        page.locator("#photo .why .where", has_text="Hier ist keine Erklärung verfügbar").wait_for()
        assert page.get_attribute("#live .sent", "data-bytes") == "0"
        with page.expect_download() as download:
            page.click("#photo .more [data-download=picture]")
        assert Path(download.value.path()).read_bytes().startswith(b"\xff\xd8")

        assert "/scripts/page.js" in QuietFiles.fresh  # what is kept is of this version
        host.shutdown()
        context.set_offline(True)
        page.reload()
        page.wait_for_selector("#live:not([inert])[data-engine-state=ready]")
        assert page.evaluate("crossOriginIsolated")
        header = "fetch('scripts/device/worker.js').then((file) => file.headers.get('Content-Security-Policy'))"
        assert page.evaluate(header) == static.POLICY  # workers do not inherit their page's policy
        assert not troubles
    finally:
        context.close()


def test_it_leaves_the_other_pages_of_its_host_alone(browser: Any, host: ThreadingHTTPServer, tmp_path: Path) -> None:
    (tmp_path / "site" / "blog").mkdir()
    (tmp_path / "site" / "blog" / "index.html").write_text("<title>Blog</title>", encoding="utf-8")
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.add_init_script(SCRIPT)
    address = f"http://127.0.0.1:{host.server_address[1]}/"

    def policy(name: str) -> str | None:
        """The header that only the worker adds."""
        ask = "(name) => fetch(name).then((file) => file.headers.get('Content-Security-Policy'))"
        return page.evaluate(ask, address + name)

    def kept() -> list[str]:
        look = "caches.keys().then(([name]) => caches.open(name)).then((all) => all.keys())"
        return page.evaluate(f"{look}.then((all) => all.map(({{url}}) => url))")

    try:
        page.goto(address)
        page.wait_for_selector("#live:not([inert])")  # once the worker answers for the page
        page.goto(f"{address}blog/")
        assert page.title() == "Blog"
        assert page.evaluate("Boolean(navigator.serviceWorker.controller)")
        assert policy("blog/") is None
        page.goto(f"{address}licences/slimnet-faces.txt")
        assert "Copyright" in page.inner_text("body")
        page.goto(address)
        assert policy("engine/files.json") == static.POLICY
        assert "/engine/files.json" in QuietFiles.fresh
        assert policy("engine/files.json?again") == static.POLICY
        assert not [url for url in kept() if "blog" in url or "licences" in url]

        # Another version of the page takes over what was kept of the engine, as the host has it now.
        worker = tmp_path / "site" / "service_worker.js"
        before = page.evaluate("caches.keys()")
        newer = replaced(worker.read_text(encoding="utf-8"), '"version": "', '"version": "2')
        worker.write_text(newer, encoding="utf-8")
        page.evaluate("navigator.serviceWorker.getRegistration().then((own) => own.update()).then(() => 0)")
        page.wait_for_function("navigator.serviceWorker.getRegistration().then(({waiting}) => waiting !== null)")
        page.goto("about:blank")  # the old version stays until its last page is closed
        page.goto(address)
        page.wait_for_function("([old]) => caches.keys().then(([name]) => name !== old)", arg=before)
        assert f"{address}engine/files.json" in kept()
        context.set_offline(True)
        for name in ("", "index.html", "?from=link"):
            page.goto(address + name)
            page.wait_for_selector("#live", state="attached")
    finally:
        context.close()


def test_two_pages_of_a_host_keep_their_files_apart(browser: Any, host: ThreadingHTTPServer, tmp_path: Path) -> None:
    names = ("museum/", "school/", "school/class/")  # the last one below another
    for name in names:
        write_folder(tmp_path / "site" / name, static.WEIGHTS, name)
        main = tmp_path / "site" / name / "scripts" / "static" / "main.js"
        patient = replaced(main.read_text(encoding="utf-8"), "CONTROL_MS = 5000", "CONTROL_MS = 60_000")
        main.write_text(patient, encoding="utf-8")  # it waits on any machine
        (tmp_path / "site" / name / "scripts" / "device" / "engine.js").write_text(ENGINE, encoding="utf-8")
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.add_init_script(SCRIPT)
    address = f"http://127.0.0.1:{host.server_address[1]}/"
    try:
        for name in names:
            page.goto(address + name)
            page.wait_for_selector("#live:not([inert])")  # once the worker answers for the page
            worker = page.evaluate("navigator.serviceWorker.controller.scriptURL")
            assert worker == f"{address}{name}service_worker.js"
        context.set_offline(True)
        for name in names:
            page.goto(address + name)
            page.wait_for_selector("#live", state="attached")
    finally:
        context.close()
