"""What a page of another site can do with this one: only link to it."""

from typing import Any

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


def test_a_site_that_is_named_can_and_its_frame_is_live(operated: PageServer, browser: Any, site: str) -> None:
    page, context = frame_at(browser, site, operated.url)
    page.frames[1].click("#live-start")
    page.frames[1].wait_for_function("Number(document.querySelector('#live').dataset.frame) >= 2")
    context.close()
