"""The page names what is between it and its server, or around it, and says what to do."""

from typing import Any

from tests.browser.bare import bare_page
from tests.browser.conftest import Server, start_live, wait_for_live_status, wait_for_more
from tests.paths import PORTRAIT

CALLS = "**/component_server/"
SIGN_IN = "<!doctype html><title>Sign in</title><form><input type=password></form>"
REASONS = [
    (401, "sign in"),
    (403, "refuses"),
    (404, "has been changed"),
    (408, "took too long to arrive"),
    (413, "larger than the web server in front of this page lets through"),
    (429, "no more requests"),
    (500, "The server failed"),
    (502, "does not reach the program"),
    (503, "turns requests away"),
    (504, "did not wait"),
    (511, "sign in"),
    (520, "does not reach the program"),
]


def answer_with(page: Any, status: int, body: str = SIGN_IN, kind: str = "text/html") -> None:
    """Have a program in front of the server answer all its calls."""
    page.unroute(CALLS)
    page.route(CALLS, lambda route: route.fulfill(status=status, content_type=kind, body=body))


def send_photo(page: Any, told: str) -> None:
    page.set_input_files("#photo input[type=file]", PORTRAIT)
    page.locator("#photo:not([data-busy]) .status[data-kind='problem']", has_text=told).wait_for()


def test_the_photo_panel_tells_each_status_apart_and_goes_on(server: Server, open_page: Any) -> None:
    page = open_page(server)
    for status, reason in REASONS:
        answer_with(page, status)
        send_photo(page, reason)
        assert f"(status {status})" in page.inner_text("#photo .status")
    answer_with(page, 413)
    send_photo(page, "Choose a smaller one")
    assert "try again" not in page.inner_text("#photo .status")
    answer_with(page, 403, '{"detail": "The page answers no call from another site."}', "application/json")
    send_photo(page, "no call from another site (status 403).")
    page.unroute(CALLS)
    page.set_input_files("#photo input[type=file]", PORTRAIT)
    page.wait_for_selector("#photo[data-faces='1']:not([data-busy])")


def test_what_is_no_answer_is_not_taken_for_one(server: Server, unwatched: Any) -> None:
    page = unwatched
    page.goto(server.url)
    page.wait_for_selector("#photo:not([inert])", state="attached")
    answer_with(page, 200)
    send_photo(page, "such as one to sign in")
    answer_with(page, 200, '{"faces": [', "application/json")
    send_photo(page, "damaged")
    # A gate in front of everything, which leads to another host: the browser does not show its answer.
    gate = {"status": 302, "headers": {"Location": "http://localhost:9/sign-in"}}
    page.route("**/gradio_api/**", lambda route: route.fulfill(**gate))
    send_photo(page, "such as one to sign in")


def test_a_connection_that_breaks_off_is_told_from_a_server_that_is_away(server: Server, open_page: Any) -> None:
    page = open_page(server)
    page.route(CALLS, lambda route: route.abort("connectionreset"))
    send_photo(page, "broke off")
    page.route("**/app_id", lambda route: route.abort("connectionrefused"))
    send_photo(page, "does not answer")
    page.context.set_offline(True)
    send_photo(page, "offline")
    page.context.set_offline(False)


def test_live_says_why_and_goes_on_by_itself(server: Server, open_page: Any) -> None:
    page = open_page(server)
    start_live(page)
    for status, reason in ((502, "does not reach"), (504, "did not wait"), (429, "no more requests")):
        answer_with(page, status)
        wait_for_live_status(page, reason)
        assert "Trying again" in page.inner_text("#live .status")
    assert page.is_hidden("#live-reload")
    page.unroute(CALLS)
    wait_for_more(page)
    wait_for_live_status(page, "One face")


def test_live_offers_to_reload_the_page_to_sign_in(server: Server, open_page: Any) -> None:
    page = open_page(server)
    start_live(page)
    answer_with(page, 200)
    page.wait_for_selector("#live-reload:visible")
    wait_for_live_status(page, "sign in")
    page.unroute(CALLS)
    wait_for_more(page)
    assert page.is_hidden("#live-reload")


def framed(server: Server, page: Any, allow: str) -> Any:
    """The page in a frame of another page, with what that one allows it."""
    frame = f'<iframe src="{server.url}" allow="{allow}" style="width: 700px; height: 900px"></iframe>'
    page.goto(f"{server.url}healthz")  # a real address: Chromium lets no made-up page look at this machine
    page.evaluate("(frame) => { document.body.innerHTML = frame; }", frame)
    return page.frame_locator("iframe")


def test_a_frame_that_keeps_the_camera_back_is_named_with_the_way_out(server: Server, unwatched: Any) -> None:
    frame = framed(server, unwatched, "camera 'none'")
    frame.locator("#live-start").click()
    frame.locator("#live .status", has_text="The page around this one keeps the camera from it").wait_for()
    assert f"Open {server.url} in a tab of its own" in frame.locator("#live .status").inner_text()
    frame.locator("#photo-tab").click()
    frame.locator("#photo-snapshot").click()
    frame.locator("#photo .status", has_text='allow="camera"').wait_for()


def test_a_frame_that_passes_the_camera_on_gives_it(server: Server, unwatched: Any) -> None:
    frame = framed(server, unwatched, "camera")
    frame.locator("#live-start").click()
    frame.locator("#live .status", has_text="One face").wait_for()


def test_a_header_that_forbids_the_camera_is_named(server: Server, unwatched: Any) -> None:
    page = unwatched

    def forbid(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, headers={**answer.headers, "permissions-policy": "camera=()"})

    page.route(server.url, forbid)
    page.goto(server.url)
    page.click("#live-start")
    wait_for_live_status(page, "Permissions-Policy")


def test_an_address_without_https_is_told_to_get_no_camera(browser: Any) -> None:
    with bare_page(browser, "shared/camera.js") as page:  # at http://page.test/
        told = page.evaluate("openCamera(document.createElement('video')).catch((error) => error.message)")
    assert "open this page by https or as localhost" in told
