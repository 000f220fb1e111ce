"""What a page of another site can do with this one: only link to it."""

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from demo.benchmark.server import PageServer
from tests.browser.conftest import Server

# Calls that need no permission: the way a form sends them, and the way a picture or script is fetched.
CALLS = """async (url) => {
    const post = (path, body) => fetch(url + path, {method: "POST", body, mode: "cors"});
    const read = async (call) => { try { return await (await call).text(); } catch { return null; } };
    return [
        await read(fetch(url + "config")),
        await read(post("gradio_api/run/schema", '{"data": []}')),
        await read(post("gradio_api/component_server/", "{}")),
        await read(fetch(url + "gradio_api/run/schema", {method: "POST", body: "{}", mode: "no-cors"})),
    ];
}"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """The address of another site on this machine."""
    (tmp_path / "index.html").write_text("<title>Another site</title><p>Hello</p>")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as host:
        Thread(target=host.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{host.server_port}/"
        host.shutdown()


def frame_at(browser: Any, site: str, url: str) -> tuple[Any, Any]:
    """A page of the other site with ours in a frame, and the context in which it is open."""
    context = browser.new_context(permissions=["camera"])
    page = context.new_page()
    page.goto(site)
    page.evaluate(
        """(url) => new Promise((resolve) => {
            const frame = document.createElement("iframe");
            frame.allow = "camera";
            frame.onload = resolve;
            frame.src = url;
            document.body.append(frame);
        })""",
        url,
    )
    return page, context


def test_it_reads_no_answer(server: Server, browser: Any, site: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(site)
    assert page.evaluate(CALLS, server.url) == [None, None, None, ""]
    context.close()


def test_it_cannot_frame_the_page(server: Server, browser: Any, site: str) -> None:
    page, context = frame_at(browser, site, server.url)
    assert page.frames[1].url.startswith("chrome-error:")
    context.close()


def test_a_site_that_is_named_can_and_its_frame_is_live(browser: Any, site: str, tmp_path: Path) -> None:
    arguments = ("app.py", "--device", "cpu", "--frame_ancestors", site)
    with PageServer(arguments, tmp_path / "page") as server:
        page, context = frame_at(browser, site, server.url)
        page.frames[1].click("#live-start")
        page.frames[1].wait_for_function("Number(document.querySelector('#live').dataset.frame) >= 2")
        context.close()
