"""The page without a server, from a plain host of files, with a stand-in for what reads faces."""

import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from demo.publish import static
from demo.publish.static import write_folder
from tests.browser.films import face
from tests.paths import ROOT

STAND_IN = ROOT / "tests" / "fakes" / "device_engine.js"
BY_DEVICE = face(1, 200, 0.2, crop="data:image/gif;base64,R0lGODlhAQABAAAAACw=")
SCRIPT = f"window.device = {{faces: {json.dumps([BY_DEVICE])}}};"


class QuietFiles(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    monkeypatch.setattr(static, "device_files", lambda _: {"files.json": b"{}"})
    write_folder(tmp_path / "site", static.WEIGHTS)
    (tmp_path / "site" / "scripts" / "device" / "engine.js").write_bytes(STAND_IN.read_bytes())
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietFiles, directory=str(tmp_path / "site")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.server_close()


def test_it_reads_frames_and_photos_and_goes_on_without_a_network(browser: Any, host: ThreadingHTTPServer) -> None:
    context = browser.new_context(permissions=["camera"], locale="de")
    page = context.new_page()
    page.set_default_timeout(60_000)
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: troubles.append(message.text) if "Policy" in message.text else None)
    page.add_init_script(SCRIPT)
    try:
        page.goto(f"http://127.0.0.1:{host.server_address[1]}/")
        page.wait_for_selector("#live:not([inert])[data-engine=device][data-engine-state=ready]")
        page.click("#live-start:has-text('Kamera starten')")
        page.wait_for_selector("#live[data-faces='1'] [data-probability='0.2']")
        assert page.get_attribute("#live .sent", "data-bytes") == "0"
        assert not page.is_visible("#live .engine fieldset")  # there is nothing to choose

        page.click("#photo-tab")
        page.click("[data-example='two_portraits.jpg']")
        page.wait_for_selector("#photo[data-faces='1'] [data-probability='0.2']")
        with page.expect_download() as download:
            page.click("#photo .more [data-download=picture]")
        assert Path(download.value.path()).read_bytes().startswith(b"\xff\xd8")

        host.shutdown()
        context.set_offline(True)
        page.reload()
        page.wait_for_selector("#live:not([inert])[data-engine-state=ready]")
        assert page.evaluate("crossOriginIsolated")
        header = "fetch('scripts/device/worker.js').then((file) => file.headers.get('Content-Security-Policy'))"
        assert page.evaluate(header) == static.POLICY  # workers take none from their page
        assert not troubles
    finally:
        context.close()
