"""How long the page waits for the server to read a photo."""

from pathlib import Path
from typing import Any

import pytest

from demo.limits import MAX_BODY_SECONDS, MAX_PICTURE_BYTES, MIN_BODY_BYTES_PER_SECOND
from tests.browser.bare import bare_page
from tests.browser.conftest import Server
from tests.browser.photo.test_photo import upload, wait_for_faces, wait_for_status
from tests.paths import OTHER_PORTRAIT, PORTRAIT

# How many wait for a change of the engine: each would keep its photo in memory.
WATCHING = """async () => {
    const {name} = performance.getEntriesByType("resource").find(({name}) => name.endsWith("/engines/choice.js"));
    const {engineChoice} = await import(name);
    const {listeners, waiting} = engineChoice({device: null}, true);
    return listeners.size + waiting.length;
}"""
BUSY = {"busy": True, "place": 999, "seconds": 400}  # the server's answer
ANSWER_SECONDS = 120  # once the photo has been sent

# A server that never answers. `window.told` becomes what the visitor is told in the end.
SILENCE = """
    window.fetch = (_, {signal}) => new Promise((_, reject) => {
      signal.addEventListener("abort", () => { window.isAborted = true; reject(signal.reason); });
    });
    window.read = (bytes) => {
      const photos = serverPhotos({analyse_photo: () => fetch("")}, () => {});
      const request = {picture: "x".repeat(bytes), name: "photo.jpg"};
      window.told = photos.read(request, () => true, new AbortController().signal).catch((error) => error.message);
    };
"""


@pytest.mark.parametrize("size", [0, 10_000_000, MAX_PICTURE_BYTES])
def test_a_photo_has_as_long_as_the_server_gives_it_to_arrive_and_is_then_aborted(browser: Any, size: int) -> None:
    upload_seconds = min(MAX_BODY_SECONDS, size / MIN_BODY_BYTES_PER_SECOND)
    with bare_page(browser, "engines/server_photos.js") as page:
        page.clock.install(time=0)
        page.clock.pause_at(10)
        page.evaluate(f"(size) => {{ {SILENCE} window.read(size); }}", size)
        page.clock.run_for(1000 * (ANSWER_SECONDS + upload_seconds) - 500)
        assert not page.evaluate("window.isAborted")
        page.clock.run_for(1000)
        assert page.evaluate("window.isAborted")
        assert page.evaluate("window.told").startswith("The server does not answer.")


def test_what_is_no_longer_wanted_when_it_is_asked_is_broken_off(browser: Any) -> None:
    with bare_page(browser, "shared/server.js") as page:
        page.evaluate(
            f"""() => {{
                {SILENCE}
                void askServer(1e9, () => fetch(""), AbortSignal.abort()).then(({{failure}}) => {{
                    window.told = String(failure.text);
                }});
            }}"""
        )
        page.wait_for_function("window.told === 'The server does not answer.' && window.isAborted")


@pytest.mark.parametrize(("photos", "button"), [(1, "#photo .working [data-do='cancel']"), (2, "#photo-stop")])
def test_a_photo_that_is_cancelled_while_it_is_sent_makes_way_for_the_next(
    photos: int, button: str, server: Server, open_page: Any
) -> None:
    page = open_page(server)
    page.route("**/component_server/", lambda _: None)  # the upload never ends
    with page.expect_request("**/component_server/"):
        page.set_input_files("#photo input[type=file]", [PORTRAIT] * photos)
    page.wait_for_selector(button)
    page.focus(button)
    with page.expect_event("requestfailed"):
        page.keyboard.press("Enter")
    wait_for_status(page, "Cancelled.")
    page.wait_for_selector("#photo-choose:focus")  # not lost with the button
    page.unroute("**/component_server/")
    upload(page, PORTRAIT)
    wait_for_faces(page, 1)


def test_a_photo_that_is_cancelled_while_it_waits_for_its_turn_makes_way_for_the_next(
    server: Server, open_page: Any
) -> None:
    page = open_page(server)
    before = page.evaluate(WATCHING)
    page.route("**/component_server/", lambda route: route.fulfill(json=BUSY))
    upload(page, PORTRAIT)
    wait_for_status(page, "It is number 999 in line; its turn comes in about 400 s.")
    page.click("#photo .working [data-do='cancel']")
    page.unroute("**/component_server/")
    for _ in range(2):
        upload(page, PORTRAIT)
        wait_for_faces(page, 1)
    assert page.evaluate(WATCHING) == before


def test_questions_about_a_photo_make_way_for_the_next_photo(server: Server, open_page: Any, two_faces: Path) -> None:
    page = open_page(server)
    upload(page, two_faces)
    wait_for_faces(page, 2)

    def hold_questions(route: Any) -> None:
        """Never answers those about the first photo."""
        asked = route.request.post_data
        if not ('"why"' in asked and two_faces.name in asked):
            route.continue_()

    page.route("**/component_server/", hold_questions)
    with page.expect_request("**/component_server/"):
        page.click("#photo label[for=photo-Smiling]")
    page.click("#photo [data-face='2']")  # another question, which waits
    with page.expect_event("requestfailed"):
        upload(page, OTHER_PORTRAIT)
    wait_for_faces(page, 1)
    page.locator("#photo .why .where", has_text="Mostly the").wait_for()  # of the new photo
