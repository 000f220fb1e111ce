"""What is dropped or pasted is taken as a photo, or a sentence says why not."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.bare import bare_page
from tests.browser.conftest import Server, choose_panel, start_live, wait_for_more
from tests.browser.films import answered, face
from tests.browser.photo.test_photo import wait_for_status

# Gives files and texts (type -> text) to the page, as a browser does; a name with a slash at its end is a folder.
GIVE = """([way, names, texts, target]) => {
    const files = names.map((name) => new File(["0"], name.replace("/", ""), {type: typeOf(name)}));
    const items = names.map((name, place) => ({
        kind: "file",
        webkitGetAsEntry: () => ({name: files[place].name, isDirectory: name.endsWith("/")}),
    }));
    const types = [...(files.length ? ["Files"] : []), ...Object.keys(texts)];
    const carried = {files, items, types, getData: (type) => texts[type] ?? ""};
    const event = new Event(way, {bubbles: true, cancelable: true});
    Object.assign(event, way === "drop" ? {dataTransfer: carried} : {clipboardData: carried});
    document.querySelector(target).dispatchEvent(event);
    function typeOf(name) { return name.endsWith(".mp4") ? "video/mp4" : name.endsWith(".jpg") ? "image/jpeg" : ""; }
    return event.defaultPrevented;
}"""


def give(page: Any, way: str, *names: str, target: str = "body", **texts: str) -> bool:
    """Whether the page prevents the browser's own action."""
    return bool(page.evaluate(GIVE, [way, names, {f"text/{kind}": text for kind, text in texts.items()}, target]))


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    with bare_page(browser, "shared/given.js", body='<input type="search">') as page:
        page.evaluate(
            """window.refused = [];
               window.taken = [];
               whenRefused((sentence) => window.refused.push(String(sentence)));
               takeGiven((files) => window.taken.push(files.map(({file, refusal}) => [file.name, String(refusal)])));"""
        )
        yield page


def test_each_file_is_a_photo_or_says_why_it_is_none(page: Any) -> None:
    assert give(page, "drop", "a.jpg", "Holiday/", "film.mp4", "b.jpg", plain="a.jpg")
    give(page, "paste", "c.jpg")
    [dropped, pasted] = page.evaluate("window.taken")
    assert [name for name, _ in dropped] == ["a.jpg", "Holiday", "film.mp4", "b.jpg"]
    assert [refusal for _, refusal in dropped if not refusal] == ["", ""]
    assert "Holiday is a folder" in dropped[1][1]
    assert "film.mp4 is a video" in dropped[2][1]
    assert pasted == [["c.jpg", ""]]
    assert page.evaluate("window.refused") == []


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_what_holds_no_file_is_refused_with_the_reason(page: Any, way: str) -> None:
    address = "https://example.org/face.jpg"
    for texts in (
        {"uri-list": f"{address}\r\n"},
        {"plain": f" {address}"},
        {"plain": "hello"},
        {"html": "<b>hello</b>"},
    ):
        give(page, way, **texts)
    told = page.evaluate("window.refused")
    assert ["address" in sentence for sentence in told] == [True, True, False, False]
    assert "text" in told[2]
    assert "not a file" in told[3]
    assert page.evaluate("window.taken") == []


def test_text_for_a_field_is_left_to_it_but_a_photo_is_not(page: Any) -> None:
    assert not give(page, "drop", target="input", plain="smile")
    give(page, "paste", target="input", plain="smile")
    assert page.evaluate("window.refused") == []
    give(page, "paste", "a.jpg", target="input")
    assert len(page.evaluate("window.taken")) == 1


def test_an_address_is_answered_on_either_panel_and_ends_nothing(server: Server, open_page: Any) -> None:
    page = open_page(server, answered(face(1, 200)))
    start_live(page)
    give(page, "drop", target="#live .stage", plain="https://example.org/face.jpg")
    page.locator("#live .refusal", has_text="That was an address").wait_for()
    wait_for_more(page)
    page.click("#live-stop")
    page.wait_for_selector("#live .refusal", state="hidden")
    choose_panel(page, "photo")
    give(page, "paste", plain="https://example.org/face.jpg")
    wait_for_status(page, "That was an address")
    give(page, "drop", "Holiday/")
    wait_for_status(page, "Holiday is a folder")
